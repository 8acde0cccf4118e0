"""Runs of a kernel as ``cluster.race.dpor`` explores them.

What conflicts is what the steps touched (``cluster.race.keeping``), what
the kernel does between two steps counted to the first of them: a request that comes in, a CPU that
takes a task from another. Whoever stands before a lock that is held cannot go (he could only
queue), which leaves out the orders of queues. A step needs

- to take a lock, those who gave it up before;
- to come into the kernel, whoever woke its task, and who was on its CPU before it;
- to make a store visible (its own actor, ``-1 - cpu``), the store, and the one before it.
"""

from collections.abc import Sequence
from typing import Any, Final

from cluster.race.actors import actor_of
from cluster.race.dpor import LOCK, READ, WRITE, Key, Step, Touched, Walk
from cluster.race.keeping import KeepingWatch
from cluster.race.run import Control, Run, Scenario, run_once
from kernel.drive.chooser import Choice
from kernel.drive.memory import DRAIN
from kernel.drive.mutations import DROPPED
from kernel.locking import Lock
from kernel.points import ACQUIRE, RELEASE, STORE, STORE_RELEASE
from kernel.points import READ as READ_LOCK
from kernel.task import TaskStruct

_QUEUES: Final[Key] = ("cpus", "queues")  # who runs and who waits on the CPUs
_UNKNOWN: Final = "unknown"  # label of an object that nobody saw made: one for all of them


class KernelSystem:
    """Runs of a scenario, as ``dpor`` wants them; inside ``keeping.following_all()``.

    Attributes:
        late: at how many steps a path was in the kernel and not due: virtual time had its say.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.late = 0
        self.watch: KeepingWatch | None = None  # of the last run

    def __call__(self, walk: Walk) -> Run:
        """Make one run; see ``dpor.System``."""
        watch = self.watch = KeepingWatch()
        control = _Steered(self.scenario, walk, watch)
        run = run_once(self.scenario, control, strategy="dpor", watch=watch)
        control.finish()
        return run


class _Steered(Control):
    """The chooser of one run that a walk steers."""

    def __init__(self, scenario: Scenario, walk: Walk, watch: KeepingWatch) -> None:
        super().__init__(scenario, None)
        self._walk = walk
        self._watch = watch
        self._freed: dict[int, list[int]] = {}  # lock -> places: who gave it up last
        self._woken: dict[int, list[int]] = {}  # actor -> places
        self._on_cpu: dict[int, int] = {}  # cpu -> place of its last step
        self._of_task: dict[Any, int] = {}  # task -> place of its last step
        self._stored: dict[int, int] = {}  # cpu -> place of the last store or drain of its buffer
        self._labels: dict[int, Any] = {}
        self._went_on: Any = None  # what was chosen last

    def choose(self, enabled: Sequence[Choice]) -> int:
        """See ``Chooser.choose``."""
        self.settle(enabled)
        places: dict[int, int] = {}
        waiting: list[Step] = []
        for place, entry in enumerate(enabled):
            if self._can_go(entry):
                places.setdefault(actor_of(entry), place)
            else:
                waiting.append(Step(actor_of(entry), self._lock(entry)))
        if not places:  # let them queue, and the kernel tell of the deadlock
            places = {actor_of(entry): place for place, entry in enumerate(enabled)}
        actor = self._walk.choose(tuple(places), waiting)
        self._walk.pending = waiting
        self._went_on = enabled[places[actor]]
        return self._took(enabled, places[actor])

    def finish(self) -> None:
        """The run is over."""
        if self._walk.pending and len(self.actors) > len(self._walk.steps):
            went = self.actors[-1]
            self._walk.pending = [one for one in self._walk.pending if one.actor != went]
        self.settle(())

    def settle(self, enabled: Sequence[Choice]) -> None:
        """Tell the walk of the last step."""
        place = len(self.actors) - 1
        watch = self._watch
        if place < 0 or len(watch.steps) <= place or len(self._walk.steps) > place:
            return
        seen = watch.steps[place]
        actor = self.actors[place]
        task, cpu = seen.task, seen.cpu
        kind, obj = seen.kind, seen.obj
        touched: Touched = {
            (self._label(key[0]), key[1]): mode for key, mode in seen.footprint.items()
        }
        needs: list[int] = []
        if kind == DRAIN:
            if cpu in self._stored:
                needs.append(self._stored[cpu])
            self._stored[cpu] = place
        else:
            before = self._of_task.get(task)
            if before is not None:
                needs.append(before)
            self._of_task[task] = place
            if seen.name == "enter":
                needs += self._woken.pop(actor, ())
                if cpu in self._on_cpu:
                    needs.append(self._on_cpu[cpu])
            elif kind in (ACQUIRE, READ_LOCK) and not seen.skipped:
                needs += self._freed.get(id(obj), ())
                touched[self._label(id(obj)), LOCK] = WRITE if kind == ACQUIRE else READ
            elif kind == RELEASE:
                self._freed.setdefault(id(obj), []).append(place)
            elif kind in (STORE, STORE_RELEASE):
                self._stored[cpu] = place
            self._on_cpu[cpu] = place
        path = self._went_on
        if any(key[1] == "pulls_out" and mode & WRITE for key, mode in seen.footprint.items()):
            touched[_QUEUES] = WRITE  # it has looked whom it could take from another CPU
        elif kind != DRAIN and path.blocked_on is None and path not in enabled:
            touched[_QUEUES] = READ  # the path is over: its CPU may run another
        for key, mode in seen.footprint.items():
            if key[1] == "on_rq" and mode & WRITE:
                other = watch.names[key[0]]
                if type(other) is TaskStruct and other.pid != actor:
                    self._woken.setdefault(other.pid, []).append(place)
        self._walk.did(Step(actor, touched, needs))

    def _can_go(self, entry: Choice) -> bool:
        """Tell whether an offer is no lock that is held."""
        _name, kind, obj = entry.op
        if kind not in (ACQUIRE, READ_LOCK) or getattr(entry, "granted", False):
            return True
        if getattr(entry, "mutated", 0) == DROPPED:
            return True
        return obj.owner is None and (kind == READ_LOCK or not obj.readers)

    def _lock(self, entry: Choice) -> Touched:
        _name, kind, obj = entry.op
        return {(self._label(id(obj)), LOCK): WRITE if kind == ACQUIRE else READ}

    def _label(self, number: int) -> Any:
        """Return the label of an object, the same in all runs in which its maker does the same."""
        label = self._labels.get(number)
        if label is None:
            label = self._labels[number] = self._find_label(number)
        return label

    def _find_label(self, number: int) -> Any:
        watch = self._watch
        obj = watch.names.get(number)
        if type(obj) is bytearray:
            return "page"
        if type(obj) is Lock and obj.stat.name in ("pi_lock", "alloc_lock"):
            # made at their first use, by whoever that is
            for other in list(watch.names.values()):
                if type(other) is TaskStruct and (other.pi_lock is obj or other.alloc_lock is obj):
                    return (*self._label(id(other)), obj.stat.name)
        return watch.labels.get(number, _UNKNOWN)
