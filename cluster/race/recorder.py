"""Takes down what every step of a run did, in words: for explanations.

A run is made twice. The first time a ``Watch`` that keeps its steps sees which fields each step
touches. The second time, the same run, these fields are looked at before and after each step, and
objects are named while they still are where they belong.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cluster.race.actors import actor_of
from cluster.race.dpor import Touched
from cluster.race.names import Names
from cluster.race.run import Control, Diverged, Run, Scenario, run_once
from cluster.race.watch import WRITE, Label, StepSeen, Watch, _active
from kernel.locking import Lock
from kernel.memory.drains import Cell
from kernel.points import ACQUIRE, KIND_NAMES, READ, STORE, STORE_RELEASE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernel.drive.active_path import ActivePath
    from kernel.drive.memory import Drain

NEW = "(new)"


@dataclass(slots=True)
class Touch:
    """One field that a step touched: its name, and what it held before and after."""

    obj: str
    name: str
    write: bool
    before: str
    after: str
    key: tuple[object, str] = ("", "")


@dataclass(slots=True)
class HeldLock:
    """A lock that is held, and whether with others who read."""

    name: str
    shared: bool


@dataclass(slots=True)
class Step:
    """One step of a run.

    Attributes:
        number: from 1.
        who: the task, or whose stores become visible; ``actor``: as schedules have it.
        about: the name of what its point is about; empty: nothing.
        held: locks while its code ran; ``held_after``: at its end.
        waits: it has come to a lock that is held.
        dropped: a mutation let it not take its lock.
    """

    number: int
    now_ns: int
    cpu: int
    actor: int
    who: str
    name: str
    kind: str
    about: str
    held: list[HeldLock] = field(default_factory=list)
    held_after: list[HeldLock] = field(default_factory=list)
    waits: bool = False
    dropped: bool = False
    touches: list[Touch] = field(default_factory=list)


@dataclass(slots=True)
class Recording:
    """A run, its steps in words, and what each touched by labels that other runs have, too."""

    run: Run
    steps: list[Step]
    touched: list[Touched]
    names: Names
    watch: Watch


class Recorder(Watch):
    """The watch of the second run: see the module header."""

    __slots__ = ("_begun", "_before", "_objects", "_plan", "named", "told")

    def __init__(self, plan: "Sequence[Touched]") -> None:
        super().__init__(keep=True)
        self.named = Names()
        self.told: list[Step] = []
        self._plan = plan
        self._objects: dict[Label, Any] = {}
        self._before: dict[tuple[object, str], str] = {}
        self._begun: ActivePath | Drain | None = None

    def made(self, obj: Any) -> None:
        """See ``Watch.made``."""
        super().made(obj)
        self._objects[self.labels[id(obj)]] = obj

    def begin(self, entry: "ActivePath | Drain") -> None:
        """See ``StepWatch.begin``."""
        super().begin(entry)
        followed, _active[0] = _active[0], None  # what is looked at here is no access of the step's
        self._tell(entry)
        _active[0] = followed

    def _tell(self, entry: "ActivePath | Drain") -> None:
        """Take down what is about to be done, and what it will touch as that is now."""
        name, kind = entry.op[:2]
        obj: Any = entry.op[2]
        task = entry.task
        about, what = obj, ""
        if type(obj) is tuple and obj:
            about, what = obj[0], str(obj[1]) if len(obj) > 1 else ""
        held = _held_by(entry)
        names = self.named
        names.note([task, *(lock for lock, _, _ in held)])
        if about is None or isinstance(about, (int, str)):
            told = "" if about is None else str(about)
        else:
            told = names.field(about, what) if what else names.of(about)
        who = names.of(task) if task is not None else f"stores of cpu {entry.cpu}"
        step = Step(
            self.step,
            entry.now_ns,
            entry.cpu,
            actor_of(entry),
            who,
            name,
            KIND_NAMES[kind] if kind >= 0 else "drain",
            told,
            self._locks_told(held),
        )
        step.waits = kind in (ACQUIRE, READ)
        self.told.append(step)
        self._begun = entry
        self._before = before = {}
        if self.step <= len(self._plan):
            for key in self._plan[self.step - 1]:
                found = self._objects.get(key[0])
                if found is not None and key[1] != "lock":
                    names.note([found])
                    before[key] = names.value(key[1], getattr(found, key[1], None))
        if type(about) is Cell:
            before[self.labels.get(id(about), "unknown"), "data"] = names.value("data", about.data)

    def go_on(self, path: "ActivePath") -> None:
        """See ``StepWatch.go_on``."""
        step = self.told[-1]
        step.held = self._locks_told(path.held)
        step.waits = False
        super().go_on(path)
        step.dropped = self.steps[-1].skipped

    def end(self) -> None:
        """See ``StepWatch.end``."""
        super().end()
        step, seen, entry = self.told[-1], self.steps[-1], self._begun
        names = self.named
        step.held_after = self._locks_told(_held_by(entry))
        names.note([self.names[number] for number, _field in seen.footprint])
        for (number, what), mode in seen.footprint.items():
            obj = self.names[number]
            if isinstance(obj, Lock):
                continue
            key = (self.labels.get(number, "unknown"), what)
            after = names.value(what, getattr(obj, what, None))
            if type(obj) is Cell and seen.kind in (STORE, STORE_RELEASE):
                stored = names.value(what, seen.obj[2])
                after = stored if stored == after else f"{stored} (not visible yet)"
            step.touches.append(
                Touch(
                    names.of(obj),
                    names.field(obj, what),
                    bool(mode & WRITE),
                    self._before.get(key, NEW),
                    after,
                    key,
                )
            )

    def _locks_told(self, held: Any) -> list[HeldLock]:
        return [HeldLock(self.named.of(lock), shared) for lock, _name, shared in held]


def _held_by(entry: Any) -> Any:
    return list(getattr(entry, "held", None) or ())


def record(scenario: Scenario, actors: "Sequence[int]") -> Recording:
    """Make a run of these actors again and take it down; inside ``watch.following()``.

    Raises:
        Diverged: they cannot go in this order, or the scenario is not deterministic.
    """
    first = Watch(keep=True)
    run = run_once(scenario, Control(scenario, None, actors), watch=first)
    touched = [touched_by(step, first) for step in first.steps]
    recorder = Recorder(touched)
    again = run_once(scenario, Control(scenario, None, run.actors), watch=recorder)
    if again.digest != run.digest or again.names != run.names:
        raise Diverged("the same schedule gives another run: the scenario is not deterministic")
    return Recording(again, recorder.told, touched, recorder.named, recorder)


__all__ = ["NEW", "HeldLock", "Recorder", "Recording", "Step", "Touch", "record"]


def touched_by(step: StepSeen, watch: Watch) -> Touched:
    """Return what a step touched, by labels that other runs have, too."""
    labels = watch.labels
    touched: Touched = {
        (labels.get(key[0], "unknown"), key[1]): mode for key, mode in step.footprint.items()
    }
    if step.kind in (ACQUIRE, READ) and not step.skipped:
        touched[labels.get(id(step.obj), "unknown"), "lock"] = WRITE if step.kind == ACQUIRE else 1
    return touched
