"""Rounds of all probes on the host, until there is no time for another one.

In a round every probe runs once, as a process of its own: what its memory happens to look like is
part of the noise, and what slows the host down for a while touches all probes alike.
"""

from collections.abc import Callable, Sequence
from typing import Final

from cluster.calibration.sides import usable_cpus, without_clocks
from cluster.calibration.steps import PROBES, Numbers

LEAST: Final = 3  # rounds: of fewer there is no middle

Native = Callable[[str], Numbers]
Told = Callable[[int, str], None]  # round, kind


def kinds_here() -> list[str]:
    """Return the probes that can be run with the CPUs that this process may use."""
    cpus = len(usable_cpus())
    return [kind for kind, probe in PROBES.items() if probe.cpus <= cpus]


def rounds(
    kinds: Sequence[str],
    native: Native,
    seconds: float,
    clock: Callable[[], float],
    told: Told = lambda number, kind: None,
) -> list[dict[str, Numbers]]:
    """Return what each probe took in each round, less its clock readings.

    Args:
        kinds: of the probe.
        native: runs one.
        seconds: how long; three rounds are made however long they take.
        clock: seconds that go by.
        told: hears what comes next.
    """
    found: list[dict[str, Numbers]] = []
    begin = clock()
    while True:
        numbers = {}
        for kind in kinds:
            told(len(found) + 1, kind)
            numbers[kind] = native(kind)
        found.append(without_clocks(numbers))
        spent = clock() - begin
        if len(found) >= LEAST and spent + spent / len(found) > seconds:
            return found
