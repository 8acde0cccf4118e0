"""Latency of a short sleeper beside spinners of its CPU, on the host and emulated.

``python -m tests.host.latency`` shows the distributions. What is certain of them: alone with one
spinner the sleeper, which is owed, runs at once; beside more it waits for a slice, which ends at a
tick. The host's figures count only if the CPU was left to these tasks.
"""

import pytest

from tests.host.both import TICK_NS, emulated, native
from tests.host.latency import host_cpus, late_by, quantile

pytestmark = [pytest.mark.slow, pytest.mark.native]

NAPS = "200"
SLICE_NS = 3_000_000  # the longest base slice there is, on eight CPUs and more
WAKE_NS = 500_000  # more than a wake-up takes on any host, timer slack included
SHARED = 97  # per cent
TRIES = 3


def test_beside_one_spinner_a_sleeper_runs_at_once() -> None:
    _, late = late_by(emulated("latency.py", "1", NAPS))
    assert quantile(late, 90) < WAKE_NS


@pytest.mark.parametrize("spinners", [1, 4, 16])
def test_a_sleeper_waits_for_no_more_than_a_slice_and_the_tick_that_ends_it(spinners: int) -> None:
    _, late = late_by(emulated("latency.py", str(spinners), NAPS))
    assert quantile(late, 95) < SLICE_NS + TICK_NS


@pytest.mark.parametrize("spinners", [1, 4, 16])
def test_the_host_lets_it_wait_as_long_to_a_tick(spinners: int) -> None:
    _, ours = late_by(emulated("latency.py", str(spinners), NAPS, cpus=host_cpus()))
    for _ in range(TRIES):
        share, theirs = late_by(native("latency.py", str(spinners), NAPS))
        if share >= SHARED:
            break
    else:
        pytest.skip(f"the CPU was left to these tasks for {share} % of the time")
    for percent in (10, 25, 50, 75, 90):
        assert abs(quantile(ours, percent) - quantile(theirs, percent)) < TICK_NS + WAKE_NS
