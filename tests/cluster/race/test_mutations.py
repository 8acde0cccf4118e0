"""docs/races-mutations.md has every mutation of every point: found, of no matter, or open."""

import pytest

from cluster.race.idle import reason
from cluster.race.mutants import mutables
from kernel.drive.mutations import DROP, WEAKEN, parse
from tests.oracle.mutations import FOUND, OPEN, REASON, listed, mutations, page, pointwise

ROWS = listed()


@pytest.mark.slow
def test_the_page_has_every_mutation_of_the_code_and_no_other() -> None:
    assert [row.mutation for row in ROWS] == mutations()


def test_the_reasons_of_the_page_are_those_of_the_laboratory() -> None:
    for row in ROWS:
        assert (row.told if row.state == REASON else "") == reason(parse(row.mutation)), row


def test_every_point_is_dropped_and_weakened_in_each_way_it_admits() -> None:
    names = {row.mutation for row in ROWS if row.mutation.split(":")[0] in (DROP, WEAKEN)}
    every = {text for point in mutables() for text in pointwise(point)}
    assert names <= every
    assert len(every - names) <= 3  # refused: others say why


def test_the_page_is_what_its_rows_make() -> None:
    assert page(ROWS).splitlines()[-len(ROWS) :] == [
        f"| `{row.mutation}` | {row.state} | {row.told} |" for row in ROWS
    ]
    assert {row.state for row in ROWS} <= {FOUND, REASON, OPEN}
