"""A deadline task gets its runtime in every period, as on the host; other tasks do not matter."""

import pytest

from tests.host.both import emulated, native, numbers

pytestmark = [pytest.mark.slow, pytest.mark.native]

SETS = [(10, 40, 25), (2, 10, 50), (5, 100, 10)]


def measured(text: str) -> tuple[int, int]:
    """Return CPU time per period, and the middle distance between two beginnings."""
    used, *distances = numbers(text)
    return used, distances[len(distances) // 2]


@pytest.mark.parametrize(("runtime_ms", "period_ms", "periods"), SETS)
def test_a_task_that_never_stops_gets_its_runtime_once_a_period(
    runtime_ms: int, period_ms: int, periods: int
) -> None:
    args = (str(runtime_ms), str(period_ms), str(periods))
    ours = measured(emulated("deadline.py", *args, cpus=2))
    theirs = measured(native("deadline.py", *args, pinned=False))
    for used, distance in (ours, theirs):
        assert used == pytest.approx(runtime_ms * 1_000_000, rel=0.02)
        assert distance == pytest.approx(period_ms * 1_000_000, rel=0.02)
    assert ours == pytest.approx(theirs, rel=0.02)
