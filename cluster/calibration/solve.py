"""From what the probes took on the host to costs with which the emulated ones take as long.

Every number of a probe is a sum of costs, each as often as the emulated kernel charges it. How
often that is nobody has to know: a step asks the machine, with its costs as they are and twice as
large. Steps are gone through in order, and all of them again until nothing moves, because the
later ones change a little of what the earlier ones stand on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cluster.calibration.estimate import Estimate, estimate
from cluster.calibration.steps import CHECKS, PROBES, STEPS, Numbers, Step, value_of
from kernel.costs import Costs

_SWEEPS: Final = 4
_SETTLED: Final = 0.005
_START_NS: Final = 1_000  # of a cost that is 0 in the profile to begin with

Emulate = Callable[[str, Costs], Numbers]
Samples = Sequence[Mapping[str, Numbers]]  # of each round, of each kind, less the clock readings


@dataclass(frozen=True, slots=True)
class Found:
    """One cost as it was found. ``bounded``: it would have been less than nothing."""

    name: str
    step: Step
    value: int
    low: int
    high: int
    measured: Estimate
    bounded: bool

    @property
    def noisy(self) -> bool:
        """Tell whether what it goes by says too little about it."""
        return (self.high - self.low) / 2 > max(0.10 * self.value, 1)


@dataclass(frozen=True, slots=True)
class Check:
    """A number that nothing was fitted to: on the host, and with the profile that was found."""

    step: Step
    measured: Estimate
    emulated: float

    @property
    def error(self) -> float:
        """How far off the emulated one is, as a part of the measured one."""
        return self.emulated / self.measured.value - 1 if self.measured.value else 0.0


class _Machine:
    """The emulated probes with changing costs; what was run once is not run again."""

    def __init__(self, emulate: Emulate) -> None:
        self._emulate = emulate
        self._seen: dict[tuple[str, tuple[int, ...]], Numbers] = {}

    def value(self, step: Step, costs: Costs) -> float:
        """Return the number that ``step`` goes by."""
        numbers = {}
        for kind in (step.probe, *((step.less,) if step.less else ())):
            mine = self._numbers(kind, costs)
            if PROBES[kind].timed:
                clock = self._numbers("clock", costs)
                mine = mine.less(Numbers(clock.own, clock.inner, clock.own, clock.own))
            numbers[kind] = mine
        return value_of(step, numbers)

    def _numbers(self, kind: str, costs: Costs) -> Numbers:
        key = (kind, costs.__reduce__()[1])
        if key not in self._seen:
            self._seen[key] = self._emulate(kind, costs)
        return self._seen[key]


def solve(
    samples: Samples, emulate: Emulate, steps: Sequence[Step] = STEPS
) -> tuple[Costs, list[Found]]:
    """Return the costs with which the emulated probes take what ``samples`` say, and each of them.

    The interval of a cost is that of the number it goes by, all other costs as they were found.

    Args:
        samples: what the probes took in each round.
        emulate: runs a probe emulated.
        steps: which of the costs to find.

    Raises:
        ValueError: a step's costs have no part in what it goes by.
    """
    machine = _Machine(emulate)
    steps = _of(steps, samples)
    wanted = {step: estimate([value_of(step, dict(each)) for each in samples]) for step in steps}
    costs = Costs()
    for name in (name for step in steps for name in step.costs):
        if not getattr(costs, name):
            setattr(costs, name, _START_NS)
    for _ in range(_SWEEPS):
        before = costs
        for step in steps:
            factor, _slope = _factor(machine, step, costs, wanted[step].value)
            costs = _scaled(costs, step, max(factor, 0.0))
        if _moved(before, costs) < _SETTLED:
            break
    return costs, [found for step in steps for found in _found(machine, step, costs, wanted[step])]


def check(
    costs: Costs, samples: Samples, emulate: Emulate, found: Sequence[Found] = ()
) -> list[Check]:
    """Return how the profile does for numbers that no step goes by.

    And for those of costs that were ``found`` to be nothing, and would have been less.
    """
    machine = _Machine(emulate)
    steps = (*CHECKS, *dict.fromkeys(each.step for each in found if each.bounded))
    checks = []
    for step in _of(steps, samples):
        measured = estimate([value_of(step, dict(each)) for each in samples])
        checks.append(Check(step, measured, machine.value(step, costs)))
    return checks


def _of(steps: Sequence[Step], samples: Samples) -> list[Step]:
    """Return the steps whose probes were run; some need two CPUs."""
    return [
        step
        for step in steps
        if all({step.probe, step.less} - {""} <= set(each) for each in samples)
    ]


def _factor(machine: _Machine, step: Step, costs: Costs, wanted: float) -> tuple[float, float]:
    """Return by what to multiply the costs of a step, and what one such factor is worth in ns."""
    now = machine.value(step, costs)
    raised = costs
    if all(getattr(costs, name) == 0 for name in step.costs):
        # nothing to double: from a start of its own, as far as that goes
        raised = replace(costs, **dict.fromkeys(step.costs, _START_NS))
        slope = machine.value(step, raised) - now
        return (wanted - now) / slope if slope > 0 else 0.0, slope
    raised = _scaled(costs, step, 2.0)
    slope = machine.value(step, raised) - now
    if slope <= 0:
        raise ValueError(f"{', '.join(step.costs)}: no part of the probe {step.probe}")
    return 1 + (wanted - now) / slope, slope


def _scaled(costs: Costs, step: Step, factor: float) -> Costs:
    changed = {}
    for name in step.costs:
        value: int = getattr(costs, name)
        changed[name] = round((value or _START_NS) * factor) if factor else 0
    return replace(costs, **changed)


def _moved(before: Costs, after: Costs) -> float:
    """Return by how much the cost has moved that moved most, as a part of it."""
    most = 0.0
    for old, new in zip(before.__reduce__()[1], after.__reduce__()[1], strict=True):
        most = max(most, abs(new - old) / max(old, new, 20))
    return most


def _found(machine: _Machine, step: Step, costs: Costs, wanted: Estimate) -> list[Found]:
    zero = all(getattr(costs, name) == 0 for name in step.costs)
    low, high = (
        max(0.0, _factor(machine, step, costs, target)[0]) for target in (wanted.low, wanted.high)
    )

    def found(name: str) -> Found:
        value: int = getattr(costs, name)
        ends = round((value or _START_NS) * low), round((value or _START_NS) * high)
        return Found(name, step, value, min(*ends, value), max(*ends, value), wanted, zero)

    return [found(name) for name in step.costs]
