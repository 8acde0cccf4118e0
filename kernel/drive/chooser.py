"""Who goes next: every choice that the driver of granularity ``step`` makes is one of a chooser's.

Before each step the driver shows what can go now, in the order ``(time, cpu, serial)``; the chooser
answers with a place in it. After each step it asks for a number, from which it makes the time for
which the path is held up before its next step; 0 holds nothing up. Nothing else in a run at this
granularity is free, so **a schedule is the list of a chooser's answers**: a recording chooser keeps
it, a replaying one gives it again.

A chooser is one class. It is made known by name with ``register_chooser``; from outside by an entry
point in the group ``smplab.choosers`` or, in a configuration, as ``FILE.py:CLASS``
(``cluster.driver_parts``). It must be deterministic: nothing but the seed and what it is shown.

Source: the interface of awslabs/shuttle's schedulers (next_task, next_u64); splitmix64 for numbers.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

from kernel.bits import GOLDEN_GAMMA, MASK_64, mix64
from kernel.errors import ScheduleDiverged


class Choice(Protocol):
    """What can go next: a path in the kernel, or a store that is on its way to memory.

    Attributes:
        op: what it is about to do, ``(name, kind, object)`` as in ``kernel.points``.
        now_ns: its clock.
        cpu: the CPU it is on.
        serial: how many began before it; ``(cpu, serial)`` is unique.
        task: whose path it is; None for a store.
        branch: tells apart paths of one task, and stores of one CPU, that can go at one time.
    """

    op: tuple[str, int, Any]
    now_ns: int
    cpu: int
    serial: int
    task: Any
    branch: int


class Chooser(Protocol):
    """An exploration strategy."""

    def begin(self, seed: int) -> None:
        """Start a run. Called once, before anything else."""
        ...

    def choose(self, enabled: Sequence[Choice]) -> int:
        """Return the place of what goes next; there is one at least. Keep nothing of it."""
        ...

    def number(self, bound: int) -> int:
        """Return a number from 0 to ``bound - 1``: a hold-up, 0 for none."""
        ...


class InOrder:
    """Virtual time decides, and of two at one time the lower CPU: what runs by default."""

    def begin(self, seed: int) -> None:
        """Nothing is random here."""

    def choose(self, enabled: Sequence[Choice]) -> int:
        """Return 0: the earliest."""
        return 0

    def number(self, bound: int) -> int:
        """Return 0: no hold-ups."""
        return 0


class RandomHoldUps(InOrder):
    """Virtual time decides, and random hold-ups decide what that is: the uniform random walk.

    Of the ways to do the access that is next, where a memory model has several, each is as likely.
    """

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state = 0

    def begin(self, seed: int) -> None:
        """Start the sequence that belongs to ``seed``."""
        self._state = seed & MASK_64

    def choose(self, enabled: Sequence[Choice]) -> int:
        """Return 0, the earliest, or another way to do the same."""
        first = enabled[0]
        ways = 1
        while ways < len(enabled) and enabled[ways].serial == first.serial:
            ways += 1
        return self.number(ways) if ways > 1 else 0

    def number(self, bound: int) -> int:
        """Return the next random number."""
        self._state = state = (self._state + GOLDEN_GAMMA) & MASK_64
        return mix64(state) % bound


class Recording:
    """Answers as another chooser does, and keeps the answers.

    Where only one can go there is nothing to answer, and nothing is kept.
    """

    __slots__ = ("_chooser", "answers")

    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser
        self.answers: list[int] = []

    def begin(self, seed: int) -> None:
        """Start a run and its list of answers."""
        self.answers.clear()
        self._chooser.begin(seed)

    def choose(self, enabled: Sequence[Choice]) -> int:
        """Ask the other, and note what it says."""
        answer = self._chooser.choose(enabled)
        if len(enabled) > 1:
            self.answers.append(answer)
        return answer

    def number(self, bound: int) -> int:
        """Ask the other, and note what it says."""
        answer = self._chooser.number(bound)
        self.answers.append(answer)
        return answer


class Replaying:
    """Gives the answers of a ``Recording`` again: the same machine makes the same run of them.

    Raises:
        ScheduleDiverged: by ``choose`` and ``number``, if the run asks something else than the
            recorded one did; by ``finish``, if answers are left.
    """

    __slots__ = ("_answers", "_place", "_where")

    def __init__(self, answers: Iterable[int]) -> None:
        self._answers = list(answers)
        self._place = 0
        self._where = "before the first step"

    def begin(self, seed: int) -> None:
        """Start at the first answer, whatever the seed."""
        self._place = 0

    def choose(self, enabled: Sequence[Choice]) -> int:
        """Return the recorded place."""
        if len(enabled) > 1:
            answer = self._next(len(enabled), "one of", enabled)
        else:
            answer = 0
        chosen = enabled[answer]
        self._where = f"{chosen.op[0]} on cpu {chosen.cpu} at {chosen.now_ns} ns"
        return answer

    def number(self, bound: int) -> int:
        """Return the recorded number."""
        return self._next(bound, "a number below", ())

    def finish(self) -> None:
        """The run is over: nothing may be left."""
        left = len(self._answers) - self._place
        if left:
            raise ScheduleDiverged(
                f"the schedule diverges after {self._where}: the run is over, and {left} of "
                f"{len(self._answers)} answers are left"
            )

    def _next(self, bound: int, what: str, enabled: Sequence[Choice]) -> int:
        place = self._place
        if place >= len(self._answers):
            raise ScheduleDiverged(
                f"the schedule diverges after {self._where}: it has {place} answers, and the run "
                f"goes on{_could_go(enabled)}"
            )
        answer = self._answers[place]
        if not 0 <= answer < bound:
            raise ScheduleDiverged(
                f"the schedule diverges after {self._where}: answer {place} is {answer}, and the "
                f"run asks for {what} {bound}{_could_go(enabled)}"
            )
        self._place = place + 1
        return answer


def _could_go(enabled: Sequence[Choice]) -> str:
    names = ", ".join(f"{entry.op[0]} on cpu {entry.cpu}" for entry in enabled)
    return f" ({names} can go)" if names else ""


_CHOOSERS: Final[dict[str, Callable[[], Chooser]]] = {"order": InOrder, "random": RandomHoldUps}


def register_chooser(name: str, make: Callable[[], Chooser]) -> None:
    """Let ``name`` stand for the choosers that ``make`` makes.

    Raises:
        ValueError: the name stands for another already.
    """
    if _CHOOSERS.setdefault(name, make) is not make:
        raise ValueError(f"the name {name!r} stands for another chooser")


def chooser_names() -> list[str]:
    """Return the names that are known, the built-in ones first."""
    return list(_CHOOSERS)


def make_chooser(name: str) -> Chooser:
    """Return a new chooser of the kind ``name``.

    Raises:
        ValueError: there is no such kind.
    """
    make = _CHOOSERS.get(name)
    if make is None:
        raise ValueError(f"there is no chooser {name!r} (there is: {', '.join(_CHOOSERS)})")
    return make()
