"""Runs of a kernel as ``cluster.race.dpor`` explores them.

What conflicts is what the steps touched (``cluster.race.keeping``), what
the kernel does between two steps counted to the first of them: a request that comes in, a CPU that
takes a task from another. Whoever stands before a lock that is held cannot go (he could only
queue), which leaves out the orders of queues. A step needs

- to take a lock, those who gave it up before; who only reads needs no other reader;
- to come into the kernel, whoever woke its task or moved it to its CPU, who was on its CPU before
  it, and of one who spun (``cluster.race.spins``), who has written what it waits for;
- to make a store visible (an actor of its own), the store, and what a barrier puts before it;
- to pass what empties a CPU's store buffer, those that became visible: until then it cannot go,
  for to be emptied there or just before is the same.

A lock that is given up while stores wait is free when they are visible (``kernel.drive.unlocks``).
So it makes a difference whether a store becomes visible before a lock is given up or after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster.race.actors import actor_of
from cluster.race.dpor import LOCK, READ, WRITE, Key, Step, Touched, Walk
from cluster.race.keeping import KeepingWatch
from cluster.race.loads import NUMBER
from cluster.race.run import Control, Run, Scenario, endless, run_once
from cluster.race.spins import Spins, state_of
from cluster.race.watch import Footprint
from kernel.drive.active_path import ENTER
from kernel.drive.chooser import Choice
from kernel.drive.memory import DRAIN, late_unlock, make_memory_model
from kernel.drive.mutations import DROPPED
from kernel.drive.unlocks import may_be_late
from kernel.ipc.waitwake import FutexHashBucket
from kernel.locking import Lock
from kernel.messages import NEVER
from kernel.mm.mm_types import MmStruct
from kernel.points import (
    ACQUIRE,
    BARRIER,
    RELEASE,
    RESCHED,
    SCHEDULE,
    STORE,
    STORE_RELEASE,
    UPDATE,
)
from kernel.points import READ as READ_LOCK
from kernel.process.tasklist import for_each_thread
from kernel.smp.load import LoadTable
from kernel.smp.wait import WaitQueueHead
from kernel.task import PF_KTHREAD, TaskStruct

_QUEUES: Final[Key] = ("cpus", "queues")  # who runs and who waits on the CPUs
# before what a CPU's store buffer must be empty
_EMPTY: Final = frozenset((BARRIER, UPDATE, ACQUIRE, READ_LOCK, RELEASE, SCHEDULE, RESCHED))
# locks that are made at their first use, by whoever that is -> whose they are, and which field
_LATE_LOCKS: Final[dict[str, tuple[type, str]]] = {
    "pi_lock": (TaskStruct, "pi_lock"),
    "alloc_lock": (TaskStruct, "alloc_lock"),
    "mmap_lock": (MmStruct, "mmap_lock"),
    "wait_queue": (WaitQueueHead, "lock"),
    "futex_hash_bucket": (FutexHashBucket, "lock"),
}
_UNKNOWN: Final = "unknown"  # label of an object that nobody saw made: one for all of them


class KernelSystem:
    """Runs of a scenario, as ``dpor`` wants them; inside ``keeping.following_all()``.

    Args:
        free: offers whatever can go, also who would only queue, or empty a store buffer.
    """

    def __init__(self, scenario: Scenario, *, free: bool = False) -> None:
        self.scenario = scenario
        self.free = free
        self.watch: KeepingWatch | None = None  # of the last run

    def __call__(self, walk: Walk) -> Run:
        """Make one run; see ``dpor.System``."""
        watch = self.watch = KeepingWatch()
        control = _Steered(self.scenario, walk, watch, self.free)
        run = run_once(self.scenario, control, strategy="dpor", watch=watch)
        control.finish()
        return run


@dataclass(slots=True)
class _Stored:
    """A store that waits: to which field, the place of the step that made it, and whose it was."""

    obj: Any
    field: str
    place: int
    actor: int


class _Steered(Control):
    """The chooser of one run that a walk steers."""

    def __init__(
        self, scenario: Scenario, walk: Walk, watch: KeepingWatch, free: bool = False
    ) -> None:
        super().__init__(scenario, None)
        self._free = free
        self._memory = make_memory_model(scenario.spec.memory_model)  # asked what it is like
        self._buffers = self._memory.buffers
        self._walk = walk
        self._watch = watch
        # lock -> places: who gave it up last as a writer, and as readers since
        self._freed: dict[int, tuple[list[int], list[int]]] = {}
        self._shared: dict[tuple[int, int], bool] = {}  # (actor, lock): has it as a reader
        self._woken: dict[int, list[int]] = {}  # actor -> places
        self._moved: dict[int, int] = {}  # actor -> place of the step that gave it another CPU
        self._over = False  # all programs have ended
        self._after: set[int] = set()  # places of steps that come after that in any order
        self._late: set[int] = set()  # who has taken one
        self._on_cpu: dict[int, int] = {}  # cpu -> place of its last step
        self._of_task: dict[Any, int] = {}  # task -> place of its last step
        self._stored: dict[int, list[_Stored]] = {}  # cpu -> what waits in its buffer
        self._seen: dict[int, list[tuple[int, int]]] = {}  # cpu -> (epoch, place) of its drains
        self._labels: dict[int, Any] = {}
        self._went_on: Any = None  # what was chosen last
        self._spins = Spins()

    def choose(self, enabled: Sequence[Choice]) -> int:
        """See ``Chooser.choose``."""
        self.settle(enabled)
        places: dict[int, int] = {}
        waiting: list[Step] = []
        spinning = () if self._free else [entry for entry in enabled if self._spinning(entry)]
        full = {entry.cpu for entry in enabled if entry.op[1] == DRAIN} if self._buffers else ()
        for place, entry in enumerate(enabled):
            if entry in spinning:
                continue
            if self._free or (
                self._can_go(entry) and (entry.cpu not in full or not self._empties(entry))
            ):
                places.setdefault(actor_of(entry), place)
            elif entry.op[1] in (ACQUIRE, READ_LOCK) and not self._can_go(entry):
                waiting.append(Step(actor_of(entry), self._lock(entry)))
        if len(spinning) == len(enabled) and not self._timers_run():
            raise endless("whoever can go spins, and nobody is left who could end that")
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
        path = self._went_on
        if kind == DRAIN:
            needs += self._drained(path, place)
            if late_unlock(self._memory) is not None:
                touched["cpus", f"stores of cpu {cpu}"] = WRITE
        else:
            if actor == task.pid:  # a path that a timer has begun stands beside
                before = self._of_task.get(task)
                if before is not None:
                    needs.append(before)
                self._of_task[task] = place
                if seen.name == "enter":
                    needs += self._spins.ended_by(actor)
                    needs += self._woken.pop(actor, ())
                    if actor in self._moved:
                        needs.append(self._moved.pop(actor))
                    if cpu in self._on_cpu:
                        needs.append(self._on_cpu[cpu])
                self._on_cpu[cpu] = place
            if kind in (ACQUIRE, READ_LOCK):
                if not seen.skipped:
                    touched[self._label(id(obj)), LOCK] = WRITE if kind == ACQUIRE else READ
                    needs += self._taken(actor, id(obj), kind == READ_LOCK)
            elif kind == RELEASE and obj.given_up:
                self._store(cpu, obj, "owner", place, actor)
            elif kind == RELEASE:
                self._given_up(actor, id(obj), place)
            elif kind in (STORE, STORE_RELEASE) and self._buffers:
                self._store(cpu, obj[0], obj[1], place, actor)
            if kind == RELEASE and self._may_be_late(obj):
                touched["cpus", f"stores of cpu {cpu}"] = READ
            elif self._buffers and kind in _EMPTY:
                needs += [drained for _, drained in self._seen.get(cpu, ())]
        if any(key[1] == "pulls_out" and mode & WRITE for key, mode in seen.footprint.items()):
            touched[_QUEUES] = WRITE  # it has looked whom it could take from another CPU
        elif kind != DRAIN and path.blocked_on is None and path not in enabled:
            touched[_QUEUES] = READ  # the path is over: its CPU may run another
        for key, mode in seen.footprint.items():
            if key[1] in ("on_rq", "cpu") and mode & WRITE:
                other = watch.names[key[0]]
                if type(other) is not TaskStruct or other.pid == actor:
                    continue
                if key[1] == "cpu":
                    self._moved[other.pid] = place
                else:
                    self._woken.setdefault(other.pid, []).append(place)
        was_over = self._over
        if self._ended(seen.footprint):
            after = not was_over or actor in self._late or not self._after.isdisjoint(needs)
            if after:
                self._after.add(place)
                self._late.add(actor)
            if was_over and after:
                self._only_init(touched, seen.footprint)
        self._spins.did(actor, touched, place)
        self._walk.did(Step(actor, touched, needs))

    def _ended(self, footprint: Footprint) -> bool:
        """Tell whether all programs have ended."""
        if self.local is not None and (
            self._over or any(key[1] == "exit_state" for key in footprint)
        ):
            self._over = all(
                task.exit_state or task.flags & PF_KTHREAD or task.pid <= 1
                for task in for_each_thread(self.local.host.kernel)
            )
        return self._over

    def _only_init(self, touched: Touched, footprint: Footprint) -> None:
        """Where tasks are queued now may be in either order: nobody is left who could tell.

        So for what comes after the end of the last program in any order of its trace. All else
        could have come earlier, where it matters, and keeps what it touches: the footprint of a
        step must be the same in all orders.
        """
        keys = [_QUEUES] if _QUEUES in touched else []
        for number, field in footprint:
            kind = type(self._watch.names.get(number))
            if kind is LoadTable or (kind is TaskStruct and field in ("cpu", "on_rq")):
                keys.append((self._label(number), field))
        for key in keys:
            touched.pop(key, None)

    def _spinning(self, entry: Choice) -> bool:
        """Tell whether an offer is the next turn of a loop that waits."""
        if entry.op is not ENTER or entry.branch or self.local is None:
            return False
        actor, cpu = actor_of(entry), entry.cpu
        if self._spins.known(actor, entry.serial):
            return self._spins.comes(actor, entry.serial, "", ())
        load = self.local.host.kernel.load
        alone = list.__getitem__(load.nr_running, cpu) <= 1
        state = state_of(self.local.group.cpus, actor, cpu) if alone else ""
        return self._spins.comes(
            actor, entry.serial, state, ((self._label(id(load)), f"{NUMBER} {cpu}"),)
        )

    def _timers_run(self) -> bool:
        if self.local is None:
            return False
        kernel = self.local.host.kernel
        return kernel.timers.some_live_ns(kernel.services) < NEVER

    def _taken(self, actor: int, lock: int, shared: bool) -> Sequence[int]:
        """Note who has a lock, and return those who had to give it up before."""
        self._shared[actor, lock] = shared
        writers, readers = self._freed.get(lock, ((), ()))
        return writers if shared else (*writers, *readers)

    def _given_up(self, actor: int, lock: int, place: int) -> None:
        shared = self._shared.pop((actor, lock), None)
        if shared is None:  # a mutation let him not take it
            return
        if shared:
            self._freed.setdefault(lock, ([], []))[1].append(place)
        else:  # he needed the others
            self._freed[lock] = [place], []

    def _drained(self, entry: Any, place: int) -> Sequence[int]:
        """Return what a store had to wait for that has become visible."""
        obj, field, _value = entry.op[2]
        epoch = getattr(entry, "epoch", 0)
        drains = self._seen.setdefault(entry.cpu, [])
        needs = [drained for before, drained in drains if before < epoch]
        drains.append((epoch, place))
        waiting = self._stored.get(entry.cpu, [])
        for at, one in enumerate(waiting):
            if one.obj is obj and one.field == field:
                del waiting[at]
                if field == "owner":
                    self._given_up(one.actor, id(obj), place)
                return *needs, one.place
        return needs

    def _store(self, cpu: int, obj: Any, field: str, place: int, actor: int) -> None:
        self._stored.setdefault(cpu, []).append(_Stored(obj, field, place, actor))

    def _may_be_late(self, lock: Lock) -> bool:
        return self._buffers and may_be_late(self._memory, lock)

    def _can_go(self, entry: Choice) -> bool:
        """Tell whether an offer is no lock that is held."""
        _name, kind, obj = entry.op
        if kind not in (ACQUIRE, READ_LOCK) or getattr(entry, "granted", False):
            return True
        if getattr(entry, "mutated", 0) == DROPPED:
            return True
        return obj.owner is None and (kind == READ_LOCK or not obj.readers)

    def _empties(self, entry: Choice) -> bool:
        """Tell whether an offer would make all stores of its CPU visible."""
        _name, kind, obj = entry.op
        if kind == RELEASE and self._may_be_late(obj):
            return False
        return kind in _EMPTY and not getattr(entry, "mutated", 0)

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
        if type(obj) is FutexHashBucket:  # made at its first use: one for all of them
            return "bucket"
        if type(obj) is Lock and obj.stat.name in _LATE_LOCKS:
            of, field = _LATE_LOCKS[obj.stat.name]
            for other in list(watch.names.values()):
                if type(other) is of and getattr(other, field) is obj:
                    label = self._label(id(other))
                    return (*label, field) if type(label) is tuple else (label, field)
        return watch.labels.get(number, _UNKNOWN)
