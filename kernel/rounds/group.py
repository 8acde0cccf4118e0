"""The CPU phase of a round: CPUs of one process, each stepped as far as a scheme lets it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from kernel.cpu.cpu import Cpu
from kernel.messages import NEVER, Effect, Request

# (cpu, time of its next own event, requests, [(destination cpu, message)]); what came over a wire
# has tuples for lists, and compiled code looks
CpuReport = tuple[int, int, Sequence[Request], Sequence[tuple[int, Effect]]]
Inboxes = dict[int, Any]  # by CPU the effects it has not got: a list, or from a wire a tuple
# One time for all CPUs, or for some each its own: the others only take in their messages.
Horizons = int | dict[int, int]

_NOTHING: Final[list[Any]] = []  # of a report; nobody changes it
TAKE_IN: Final = -1  # a horizon before all time: take in messages, and do nothing


class Group:
    """CPUs that are stepped together.

    Args:
        cpus: ascending by number.
    """

    def __init__(self, cpus: Sequence[Cpu]) -> None:
        self.by_number = {lp.id: lp for lp in cpus}
        self.cpus = list(cpus)
        self._next_ns = [NEVER] * len(self.cpus)
        self._settles = False
        self._all: Sequence[int] = range(len(self.cpus))  # places
        self._halves: list[list[int]] = []
        self._steps = 0

    def step(self, horizons: Horizons, inboxes: Inboxes) -> list[CpuReport]:
        """Return a report of every CPU that did anything, by number; or as ``settle_all`` says."""
        if self._settles:
            return self.settle(horizons, inboxes)
        if isinstance(horizons, int):
            if not self._halves:
                return self._together(self._all, horizons, inboxes)
            half = self._halves[self._steps & 1]
            self._steps += 1
            return self._together(half, horizons, inboxes)
        return self._each(horizons, inboxes)

    def halve(self) -> None:
        """Let even steps be for CPUs with even numbers, odd ones for the others.

        The last step is for all: ``whole``.
        """
        self._halves = [
            [place for place in self._all if self.cpus[place].id & 1 == colour] for colour in (0, 1)
        ]

    def standing(self) -> list[Any]:
        """Return as data what the group knows beside its CPUs, for a checkpoint."""
        return [self._next_ns, self._steps]

    def stand(self, data: Sequence[Any]) -> None:
        """Stand where ``standing`` was called."""
        next_ns, self._steps = data
        self._next_ns = list(next_ns)

    def whole(self) -> None:
        """Let steps be for all CPUs again."""
        self._halves = []

    def _together(
        self, places: Sequence[int], horizon_ns: int, inboxes: Inboxes
    ) -> list[CpuReport]:
        """Step every CPU at one of ``places`` that has something to do up to the horizon."""
        reports: list[CpuReport] = []
        cpus, next_ns = self.cpus, self._next_ns
        for place in places:
            lp = cpus[place]
            effects: Iterable[Effect] | None = inboxes.get(lp.id) if inboxes else None
            if effects is not None:
                upcoming = lp.step(horizon_ns, effects)
            elif next_ns[place] <= horizon_ns:
                upcoming = lp.go_on(horizon_ns)
            else:
                continue
            next_ns[place] = upcoming
            reports.append(_report(lp, upcoming))
        return reports

    def _each(self, horizons: dict[int, int], inboxes: Inboxes) -> list[CpuReport]:
        """As ``_together``, every CPU up to its own horizon; others only take in messages."""
        reports: list[CpuReport] = []
        next_ns = self._next_ns
        for place, lp in enumerate(self.cpus):
            horizon_ns = horizons.get(lp.id, TAKE_IN)
            effects: Iterable[Effect] | None = inboxes.get(lp.id)
            if effects is None:
                if next_ns[place] > horizon_ns:
                    continue
                effects = ()
            upcoming = lp.step(horizon_ns, effects)
            next_ns[place] = upcoming
            reports.append(_report(lp, upcoming))
        return reports

    def settle_all(self) -> None:
        """Let every message between CPUs arrive at once, and a CPU stop when it has sent one.

        Reports are then in the order in which they were made, several of one CPU perhaps.
        """
        self._settles = True
        for lp in self.cpus:
            lp.eager = True

    def settle(self, horizons: Horizons, inboxes: Inboxes) -> list[CpuReport]:
        """As ``_each``; afterwards no message is under way but for the kernel.

        It is what ``step`` does after ``settle_all``.
        """
        reports: list[CpuReport] = []
        if inboxes:
            for dest, effects in inboxes.items():
                self._settle_one(dest, TAKE_IN, effects, reports)
        if isinstance(horizons, int):
            horizons = dict.fromkeys(self.by_number, horizons)
        for cpu, horizon_ns in horizons.items():
            self._settle_one(cpu, horizon_ns, (), reports)
        return reports

    def _settle_one(
        self, cpu: int, horizon_ns: int, effects: Iterable[Effect], reports: list[CpuReport]
    ) -> None:
        """Step one CPU, and hand on what it has to say, and what those who get it then say."""
        lp = self.by_number[cpu]
        self._hand_on(lp, lp.step(horizon_ns, effects), reports)

    def hand_on(self, lp: Cpu, upcoming: int) -> list[CpuReport]:
        """Return what ``settle`` does for a CPU that has been stepped; ``upcoming`` it returned."""
        reports: list[CpuReport] = []
        self._hand_on(lp, upcoming, reports)
        return reports

    def _hand_on(self, lp: Cpu, upcoming: int, reports: list[CpuReport]) -> None:
        cpu = lp.id
        requests = lp.out
        if requests:
            lp.out = []
            reports.append((cpu, upcoming, requests, _NOTHING))
        else:
            reports.append((cpu, upcoming, _NOTHING, _NOTHING))
        while lp.forwards:
            forwards, lp.forwards = lp.forwards, []
            for dest, message in forwards:
                if dest == cpu:  # what it says to that is next in this loop
                    self._step_alone(cpu, TAKE_IN, (message,), reports)
                else:
                    self._settle_one(dest, TAKE_IN, (message,), reports)

    def _step_alone(
        self, cpu: int, horizon_ns: int, effects: Iterable[Effect], reports: list[CpuReport]
    ) -> None:
        lp = self.by_number[cpu]
        upcoming = lp.step(horizon_ns, effects)
        requests = lp.out
        if requests:
            lp.out = []
            reports.append((cpu, upcoming, requests, _NOTHING))
        else:  # the CPU keeps its list
            reports.append((cpu, upcoming, _NOTHING, _NOTHING))


def _report(lp: Cpu, upcoming: int) -> CpuReport:
    """Take what a CPU has to say; lists that are empty it keeps."""
    requests: list[Request] = lp.out
    forwards: list[tuple[int, Effect]] = lp.forwards
    if requests:
        lp.out = []
    else:
        requests = _NOTHING
    if forwards:
        lp.forwards = []
    else:
        forwards = _NOTHING
    return lp.id, upcoming, requests, forwards
