"""Each lock that a path takes is missed when it is dropped, or there is a reason why it is not.

docs/races-locks.md has a run for each of them, found by ``tests.oracle.dropped_locks``.
"""

import pytest

from cluster import fast_core
from cluster.race.guards import IDLE_LOCKS
from cluster.race.watch import following
from tests.oracle.dropped_locks import Found, listed, locks, shown
from tests.soak import one_in

pytestmark = pytest.mark.skipif(fast_core.core() == "compiled", reason="only the pure core")

SHOWN = listed()


def check(found: Found) -> None:
    """See the lock missed in the run of the table, or, if schedules have changed, in another."""
    with following():
        assert shown(found.lock, found.case, 63) is not None, found


def test_every_lock_has_a_run_that_shows_it_dropped_or_a_reason() -> None:
    shown = {found.lock for found in SHOWN}
    assert not shown & set(IDLE_LOCKS)
    assert [name for name in locks() if name not in shown and name not in IDLE_LOCKS] == []
    assert [name for name in shown if name not in locks()] == []
    assert all(IDLE_LOCKS.values())


def test_nine_of_ten_locks_are_found() -> None:
    assert len(SHOWN) >= 0.9 * len(locks())


@pytest.mark.parametrize("found", SHOWN[::12], ids=lambda found: found.lock)
def test_a_dropped_lock_shows_in_the_run_of_the_table(found: Found) -> None:
    check(found)


@pytest.mark.slow
@pytest.mark.parametrize("found", one_in(4, SHOWN, 1), ids=lambda found: found.lock)
def test_every_dropped_lock_shows_in_the_run_of_the_table(found: Found) -> None:
    check(found)
