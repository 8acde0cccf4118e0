"""Repetitions on the host, beside one emulated run, which would be the same each time."""

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Final

from cluster.calibration.estimate import estimate
from cluster.calibration.sides import emulated_numbers as emulated_probe
from cluster.calibration.sides import native_numbers as native_probe
from cluster.prediction.host import native_numbers, programs_of, with_throughput
from cluster.prediction.numbers import MEASURES, Numbers, Row

if TYPE_CHECKING:
    from cluster.config import Loaded
    from kernel.costs import Costs

_SPEED: Final = "statement"


def measured(
    loaded: "Loaded",
    emulated: Numbers,
    costs: "Costs",
    cpus: Sequence[int],
    repeat: int,
    timeout_s: float,
) -> list[Row]:
    """Run a configuration natively and return the table.

    Plain runs, runs with timed calls and a look at the host's speed take turns, so that all meet
    the same load of the host.

    Raises:
        HostError: a native run did not end well.
        ProbeError: the speed could not be measured.
    """
    programs = programs_of(loaded)
    plain: list[Numbers] = []
    timed: list[Numbers] = []
    speeds: list[Numbers] = []
    for _ in range(repeat):
        speeds.append({"speed": native_probe(_SPEED).own})
        plain.append(native_numbers(programs, cpus, timed=False, timeout_s=timeout_s))
        timed.append(native_numbers(programs, cpus, timed=True, timeout_s=timeout_s))
    made = median(each["made"] for each in timed)
    runs = [*(with_throughput(each, made) for each in plain), *timed, *speeds]
    return rows_of({**emulated, "speed": emulated_probe(_SPEED, costs).own}, runs)


def rows_of(emulated: Numbers, runs: Sequence[Numbers]) -> list[Row]:
    """Return a row for each measure that both sides have."""
    rows = []
    for measure in MEASURES:
        samples = [run[measure] for run in runs if measure in run]
        if samples and measure in emulated:
            found = estimate(samples)
            rows.append(Row(measure, emulated[measure], found.value, found.low, found.high))
    return rows
