"""Which cases of a large set ``make test`` takes, and which are left to ``make soak``.

``make test`` is to end within half an hour on two cores, so of sets that cross much with much it
takes a part, the same each time. The others carry the mark ``soak``: they run with ``--soak``.
"""

from collections.abc import Iterable
from typing import Any

import pytest


def one_in(many: int, cases: Iterable[Any], first: int = 0) -> list[Any]:
    """Return parameters of a test: one in so many as they are, the others with the mark.

    Args:
        cases: values, tuples of them, or what ``pytest.param`` has made of them.
        first: the place of the first that is not marked; tests of the same cases that have
            different ones take different cases.
    """
    return [
        case if number % many == first % many else soaked(case) for number, case in enumerate(cases)
    ]


def soaked(case: Any) -> Any:
    """Return a parameter with the mark."""
    values, marks, name = case if isinstance(case, tuple) else (case,), (), None
    if isinstance(case, type(pytest.param())):
        values, marks, name = case.values, case.marks, case.id
    return pytest.param(*values, marks=(*marks, pytest.mark.soak), id=name)
