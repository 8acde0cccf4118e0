"""The kernel as it is is certified for shipped scenarios, as docs/races-proofs.md says.

The page is made by ``tests.oracle.proofs``; here the quickest certificates are made again.
"""

import pytest

from cluster import fast_core
from tests.oracle.proofs import PAGE, Row, again, listed, page, questions, quick

pytestmark = pytest.mark.skipif(fast_core.core() == "compiled", reason="only the pure core")


def test_page_of_certificates_is_of_the_scenarios_that_there_are() -> None:
    rows = listed()
    assert rows
    assert [row for row in rows if (row.names, row.model) not in questions()] == []
    assert PAGE.read_text("utf-8") == page(rows)


@pytest.mark.slow
@pytest.mark.parametrize("row", quick(listed()), ids=lambda row: f"{row.names[0]}-{row.model}")
def test_shipped_scenario_is_certified_within_the_bound_of_its_row(row: Row) -> None:
    assert again(row) == ""
