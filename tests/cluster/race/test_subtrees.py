"""An exploration in parts: the ends and traces of one walk, however it is cut."""

import json
from random import Random

import pytest

from cluster.race import subtrees
from cluster.race.dpor import Counts
from cluster.race.kept import packed, unpacked
from cluster.race.subtrees import Tree, make_part

from .test_dpor import Program, _explored, _random_program, _system


def _in_parts(program: Program, step: int) -> tuple[set[object], Counts, int]:
    """Explore in rounds of parts; between two calls of ``step`` runs all is written and read."""
    found: set[object] = set()
    system = _system(program, found)
    tree, counts, most_parts = Tree(), Counts(), 0
    while not tree.complete:
        shares = list(tree.shares(step))
        if not shares:
            tree.next_round()
            continue
        for number, share in shares:
            made = make_part(system, tree.parts[number], share)  # type: ignore[arg-type]
            tree.parts[number] = made.part
            counts.traces += made.counts.traces
            counts.blocked += made.counts.blocked
        most_parts = max(most_parts, len(tree.parts))
        tree = unpacked(json.loads(json.dumps(packed(tree))))
    return found, counts, most_parts


def test_parts_find_what_one_walk_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subtrees, "ROUND", 3)
    several = 0
    for seed in range(120):
        program = _random_program(Random(seed))
        found, explorer = _explored(program, 400)
        if not explorer.counts.complete:
            continue
        again, counts, most_parts = _in_parts(program, 1_000)
        assert again == found, (seed, program)
        assert counts.traces == explorer.counts.traces, (seed, program)
        several += most_parts > 1
    assert several > 10


def test_where_calls_end_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subtrees, "ROUND", 4)
    for seed in (3, 8, 21, 40, 77):
        program = _random_program(Random(seed))
        whole = _in_parts(program, 1_000)[:2]
        assert _in_parts(program, 3)[:2] == whole
        assert _in_parts(program, 1)[:2] == whole
