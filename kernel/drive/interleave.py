"""The driver of granularity ``step``: every point of a kernel path is a place to interleave.

The paths of all CPUs that are inside the kernel stand side by side. Each *offers* its next
operation, the point it stands at, and has a clock of its own. In a step a chooser
(``kernel.drive.chooser``) picks one of those that can go; its operation is carried out, and its
code runs on to its next offer. Locks exclude for real: whoever is to take one that is held queues
for it, and stands still until the holder gives it up, first come first served.

What can go is kept in the order ``(time, cpu, serial)``. The choice is among those that are due: no
request, no timer and no other processor has anything to say before them. Usually the first is
chosen; whoever is passed over goes on later, as if it had been held up until then, so virtual time
never runs backwards.

With ``tie_break: random`` a path is held up after every step for a random (seeded) time, nearly
exponential and now and then much longer, as caches and interrupts do it. Were the steps themselves
free, exponential clocks would make every ready path equally likely to go next: the uniform random
walk over interleavings. So every order is possible, none is against virtual time, and the scheme
``exact`` stays exact.

A *mutation* (``kernel.drive.mutations``) is a seeded bug at one point of the kernel's source: what
a path offers there is changed before anybody sees it. An exception that no path raises on purpose
is, in a mutated kernel, what Linux calls an oops.

With ``check`` the discipline of locks is watched (``kernel.drive.lockdep``) and invariants are
checked after every step: all of them while there are few tasks; with many the neighbourhood of the
current task each time, and everything from time to time.

Source: Documentation/memory-barriers.txt for what may interleave; the random walk follows the
schedulers of Shuttle and Coyote.
Deviation: which accesses a memory model sees, and what it leaves out: ``kernel.drive.memory``.
"""

from typing import TYPE_CHECKING, Any, Final, cast

from kernel import messages as m
from kernel.drive.active_path import ActivePath, place_of
from kernel.drive.chooser import Chooser, make_chooser
from kernel.drive.lockdep import LockDep, check_end_of_path, check_sleep, check_waiting
from kernel.drive.memory import Drain, MemoryModel, VersionedModel, make_memory_model
from kernel.drive.mutations import DROPPED, IRQS_ON, UNORDERED, offer, rules_of
from kernel.drive.story import oops_told
from kernel.drive.switches import Switches
from kernel.drive.unlocks import give_up
from kernel.drive.ways import Way, versioned, with_ways
from kernel.errors import InvariantError
from kernel.locking import Lock
from kernel.points import (
    ACQUIRE,
    ACQUIRE_INNER,
    BARRIER,
    LOAD,
    LOAD_ACQUIRE,
    POINT,
    READ,
    READ_BARRIER,
    RELEASE,
    RESCHED,
    STEP_KINDS,
    UPDATE,
    WRITE_BARRIER,
)
from kernel.smp.balance import run_rebalance_domains
from kernel.smp.schedule import offer_cpu, schedule_out
from kernel.task import TASK_RUNNING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernel.drive.step_watch import StepWatch
    from kernel.points import Path
    from kernel.state import KernelState
    from kernel.task import TaskStruct

_HOLD_UP_BOUND: Final = 1 << 37  # of the numbers that hold-ups are made of
_HOLD_UP_NS: Final = 3_000  # a random hold-up halves in likelihood with every so many ns
_LONG: Final = 40  # one in 32 is so many times longer


class StepDriver:
    """Runs the paths of one KernelState, one point at a time: a part of it in a file of its own.

    Attributes:
        active: all paths in progress.
        enabled: those that can go, in the order ``(time, cpu, serial)``.
        chooser: who decides which goes; may be replaced before the first step.
        memory: what LOAD, STORE, UPDATE and barriers do.
        watch: is told of every step, if there is one.
        single: ``run`` comes back after each step, so that CPUs can go on before the next.
    """

    __slots__ = (
        "_dep",
        "_kernel",
        "_mutated",
        "_rules",
        "_serial",
        "_story",
        "_switches",
        "_timed",
        "active",
        "chooser",
        "enabled",
        "memory",
        "single",
        "watch",
    )

    def __init__(self, kernel: "KernelState") -> None:
        spec = kernel.spec
        self.active = kernel.active
        self.enabled: list[ActivePath | Drain] = []
        self.chooser: Chooser = make_chooser(spec.tie_break)
        self.chooser.begin(spec.seed)
        self.memory: MemoryModel = make_memory_model(spec.memory_model)
        self.single = False
        self.watch: StepWatch | None = None
        self._kernel = kernel
        self._mutated = bool(spec.mutations)
        self._rules = rules_of(spec.mutations)
        self._dep = LockDep() if spec.check else None
        self._story = kernel.story
        self._serial = 0
        self._timed: dict[TaskStruct, int] = {}  # paths that timers have begun for it
        self._switches = Switches()

    def next_ns(self) -> int:
        """Return the time of the earliest step that can be taken, or NEVER."""
        first = self.enabled[0].now_ns if self.enabled else m.NEVER
        if self.memory.buffers:
            for drain in self.memory.drains():
                first = min(first, drain.now_ns)
        return first

    def run(self, limit_ns: int) -> None:
        """Take every request, timer and step that is due at or before ``limit_ns``."""
        kernel = self._kernel
        requests, timers = kernel.requests, kernel.timers.heap
        served = 0
        try:
            while True:
                event_ns = requests[served][0] if served < len(requests) else m.NEVER
                timer_ns = timers[0][0] if timers else m.NEVER
                is_timer = timer_ns <= event_ns
                if is_timer:
                    event_ns = timer_ns
                step_ns = self.next_ns()
                if (
                    kernel.balance_ns < event_ns
                    and kernel.balance_ns <= step_ns
                    and kernel.balance_ns <= limit_ns < m.END
                ):
                    run_rebalance_domains(kernel)
                elif event_ns <= step_ns:
                    if event_ns > limit_ns or event_ns == m.NEVER:
                        return
                    self._aside(True)
                    of: TaskStruct | None = None
                    if is_timer:
                        interrupt = timers[0][2].interrupts()
                        self._begin_timed(kernel.open_timer(), interrupt)
                    else:
                        served += 1
                        gen = kernel.open(requests[served - 1])
                        if gen is not None and self.memory.buffers:
                            self._switches.note(self.memory, kernel.current, kernel.cpu)
                        self._begin(gen)
                        of = None if gen is None else kernel.current
                    self._aside(False, of, is_timer)
                    self._settle(kernel.cpu)
                elif step_ns > limit_ns:
                    return
                else:
                    self._choose(min(limit_ns, event_ns - 1))
                    if kernel.after_step is not None:
                        kernel.after_step(kernel)
                    if self.single:
                        self._stand_back()
                        return
        finally:
            del requests[:served]

    def _stand_back(self) -> None:
        """Hold up whoever did not go, so that what the step brings about comes before his step.

        And before it the CPU of whoever went can come back to its program, and on.
        """
        to_ns = self._kernel.now_ns + self._hold_up_ns()
        for entry in (*self.enabled, *self.memory.drains()):
            entry.now_ns = max(entry.now_ns, to_ns)
        self.enabled.sort(key=_order)

    def _aside(self, on: bool, of: "TaskStruct | None" = None, timed: bool = False) -> None:
        if self.watch is not None:
            self.watch.aside(on, of, timed)

    def _begin_timed(self, gen: "Path[object] | None", interrupt: bool) -> None:
        """Let a path stand beside the others, and beside one that its task may have itself."""
        if gen is not None:
            task = self._kernel.current
            branch = self._timed[task] = self._timed.get(task, 0) + 1
            self._begin(gen, branch, interrupt)

    def _begin(self, gen: "Path[object] | None", branch: int = 0, interrupt: bool = False) -> None:
        """Let a path stand beside the others, if there is one."""
        if gen is None:
            return
        kernel = self._kernel
        self._serial += 1
        path = ActivePath(gen, kernel.current, kernel.cpu, kernel.now_ns, self._serial, branch)
        path.interrupt = interrupt
        path.now_ns += self._hold_up_ns()
        self.active.append(path)
        self._enable(path)

    def _enable(self, entry: ActivePath) -> None:
        """Put a path in its place among those that can go."""
        enabled = self.enabled
        now_ns, cpu, serial = entry.now_ns, entry.cpu, entry.serial
        low, high = 0, len(enabled)
        while low < high:
            middle = (low + high) >> 1
            other = enabled[middle]
            if other.now_ns < now_ns or (
                other.now_ns == now_ns
                and (other.cpu < cpu or (other.cpu == cpu and other.serial < serial))
            ):
                low = middle + 1
            else:
                high = middle
        enabled.insert(low, entry)

    def _hold_up_ns(self) -> int:
        """Return for how long a path is held up, made of a chooser's number; see the module header.

        -log2 of a random fraction u: its leading zeros, and a straight line between powers of two.
        """
        number = self.chooser.number(_HOLD_UP_BOUND)
        if not number:
            return 0
        if not 0 < number < _HOLD_UP_BOUND:
            raise InvariantError(f"the chooser answers {number}: not below {_HOLD_UP_BOUND}")
        u = number >> 5 | 1
        zeros = 32 - u.bit_length()
        rest = 512 - ((u << zeros) >> 23)  # 0..256: how far below the power of two
        hold_up_ns = (zeros * 256 + rest) * _HOLD_UP_NS >> 8
        return hold_up_ns if number & 31 else hold_up_ns * _LONG

    def _choose(self, limit_ns: int) -> None:
        """Let the chooser pick one of what can go at or before ``limit_ns``, and take its step."""
        enabled: Sequence[ActivePath | Drain | Way] = self.enabled
        buffers = self.memory.buffers
        memory = versioned(self.memory) if buffers else None
        if buffers:
            among = sorted([*self.enabled, *self.memory.drains()], key=_order)
            enabled = among if memory is None else with_ways(among, memory)
        due = 1
        while due < len(enabled) and enabled[due].now_ns <= limit_ns:
            due += 1
        choices = enabled if due == len(enabled) else enabled[:due]
        place = self.chooser.choose(choices)
        if not 0 <= place < due:
            raise InvariantError(f"the chooser answers {place}, and {due} can go")
        entry = choices[place]
        if place:
            for passed in choices[:place]:
                passed.now_ns = entry.now_ns
            self.enabled.sort(key=_order)
            place = -1 if buffers else self.enabled.index(cast(ActivePath, entry))
        if isinstance(entry, Way):
            cast(VersionedModel, memory).way = entry.way
            entry = entry.path
        kernel = self._kernel
        kernel.stats.steps += 1
        kernel.now_ns = entry.now_ns
        kernel.set_cpu(entry.cpu)
        if not isinstance(entry, Drain):
            if buffers:
                self.enabled.remove(entry)
            else:
                del self.enabled[place]
            kernel.current = entry.task
            if self._story is not None:
                self._story.note(entry)
        obj = entry.op[2]
        if self.watch is not None:
            self.watch.begin(entry)
        try:
            if isinstance(entry, Drain):
                self.memory.drain(entry)
            else:
                self._step(entry)
        finally:
            if self.watch is not None:
                self.watch.end()
            if self._story is not None and not isinstance(entry, Drain):
                self._story.moved(entry, obj, kernel.now_ns)
        if memory is not None:
            memory.settle(entry.cpu)

    def _step(self, path: ActivePath) -> None:
        """Carry out what ``path`` offers, and run its code on to its next offer."""
        kernel = self._kernel
        name, kind, obj = path.op
        answer: Any = None
        if kind != POINT:
            if kind in (ACQUIRE, READ):
                if not self._acquire(path, name, cast(Lock, obj), kind == READ):
                    return
            elif kind == RELEASE:
                self._release(path, name, cast(Lock, obj))
            elif kind >= LOAD or kind == BARRIER:
                answer = self._access(path, kind, obj)
            elif self._sleep(path, name, kind):
                return
            kernel.now_ns = path.now_ns
        self._advance(path, answer)

    def _advance(self, path: ActivePath, answer: object) -> None:
        """Run the code of ``path`` on to its next offer."""
        kernel = self._kernel
        kernel.stepping = path
        if self.watch is not None:
            self.watch.go_on(path)
        try:
            path.op = path.gen.send(answer)
        except StopIteration:
            self.active.remove(path)
            check_end_of_path(path.held, path.task)
            return
        except (InvariantError, RecursionError, MemoryError):
            raise
        except Exception as oops:
            if not self._mutated:
                raise
            raise InvariantError(oops_told(oops, repr(path.task), place_of(path.gen))) from oops
        finally:
            kernel.stepping = None
        if path.op[1] >= ACQUIRE_INNER:
            path.op = (path.op[0], STEP_KINDS[path.op[1]], path.op[2])
        if self._rules:
            offer(self._rules, path)
        path.now_ns = kernel.now_ns + self._hold_up_ns()
        self._enable(path)

    def _access(self, path: ActivePath, kind: int, obj: Any) -> Any:
        """Do an access or a barrier by the rules of the memory model; return what is read."""
        memory = self.memory
        if kind in (BARRIER, READ_BARRIER, WRITE_BARRIER):
            if memory.buffers and path.mutated != DROPPED:
                memory.barrier(path.cpu, kind)
            return None
        if kind in (LOAD, LOAD_ACQUIRE):
            where, field = obj
            return memory.load(path.cpu, where, field, kind)
        if kind == UPDATE:
            where, field = obj
            return memory.update(path.cpu, where, field)
        where, field, value = obj
        drain = memory.store(path.cpu, where, field, value, kind)
        if drain is not None:
            self._hold_back(path, drain)
        return None

    def _hold_back(self, path: ActivePath, drain: Drain) -> None:
        self._serial += 1
        drain.serial = self._serial
        drain.now_ns = path.now_ns + self._hold_up_ns()

    def _sleep(self, path: ActivePath, name: str, kind: int) -> bool:
        """Let the task give up its CPU, or others run there; tell whether the path stands still."""
        kernel = self._kernel
        task = path.task
        check_sleep(path.held, name, task)
        if self.memory.buffers:
            self.memory.barrier(path.cpu, kind)
        if kind == RESCHED:
            self.active.remove(path)
            offer_cpu(kernel, task, path.gen)
            self._switches.left(path.cpu)
            return True
        if task.state != TASK_RUNNING:
            self.active.remove(path)
            schedule_out(kernel, task, path.gen)
            self._switches.left(path.cpu)
            return True
        return False

    def _acquire(self, path: ActivePath, name: str, lock: "Lock", shared: bool) -> bool:
        """Give ``path`` the lock and return True, or let it queue until it can have it."""
        if path.granted:
            path.granted = False
            return True
        if path.mutated == DROPPED:
            path.skipped.append(lock)
            return True
        if self._dep is not None:
            self._dep.acquire(
                path.held, lock, name, shared, path.task,
                interrupt=path.interrupt, leaves_on=path.mutated == IRQS_ON,
            )  # fmt: skip
        if self.memory.buffers and path.mutated != UNORDERED and versioned(self.memory) is None:
            self.memory.barrier(path.cpu, READ if shared else ACQUIRE)
        path.now_ns += self._kernel.costs.lock_acquire
        lock.stat.acquisitions += 1
        if lock.owner is None and (shared or not lock.readers):
            self._take(lock, path, name, shared)
            return True
        lock.stat.contended += 1
        path.blocked_on = lock
        if lock.waiters is None:
            lock.waiters = []
        lock.waiters.append((path, name, shared))
        check_waiting(path, self.active)
        return False

    def _release(self, path: ActivePath, name: str, lock: "Lock") -> None:
        """Take the lock back."""
        for place in range(len(path.held) - 1, -1, -1):
            if path.held[place][0] is lock:
                del path.held[place]
                break
        else:
            if lock in path.skipped:
                path.skipped.remove(lock)
                return
            raise InvariantError(
                f"bad unlock: {path.task!r} releases {lock.name} at {name} and does not hold it"
            )
        path.now_ns += self._kernel.costs.lock_hold
        memory = self.memory
        drain = give_up(memory, path, lock, self._free_now) if memory.buffers else None
        if drain is None:
            self._free(lock, path.now_ns)
        else:
            lock.given_up = True
            self._hold_back(path, drain)

    def _free_now(self, lock: "Lock") -> None:
        """Others see that ``lock`` was given up."""
        lock.given_up = False
        self._free(lock, max(self._kernel.now_ns, lock.since_ns))

    def _free(self, lock: "Lock", now_ns: int) -> None:
        """Let those who can have ``lock`` go on, first come first served."""
        if lock.readers:
            lock.readers -= 1
        else:
            lock.owner = None
        if not lock.readers:
            lock.stat.hold_ns += now_ns - lock.since_ns
        waiters = lock.waiters
        while waiters:
            waiter, point, shared = waiters[0]
            if lock.owner is not None or (lock.readers and not shared):
                return
            if now_ns > waiter.now_ns:
                wait_ns = now_ns - waiter.now_ns
                lock.stat.wait_ns += wait_ns
                if wait_ns > lock.stat.wait_max_ns:
                    lock.stat.wait_max_ns = wait_ns
                waiter.now_ns = now_ns
            self._take(lock, waiter, point, shared)
            del waiters[0]
            waiter.blocked_on = None
            waiter.granted = True
            waiter.now_ns += self._hold_up_ns()
            self._enable(waiter)

    def _take(self, lock: "Lock", path: ActivePath, name: str, shared: bool) -> None:
        """Note that ``path`` has ``lock`` now."""
        if shared:
            if not lock.readers:
                lock.since_ns = path.now_ns
            lock.readers += 1
        else:
            lock.owner = path
            lock.since_ns = path.now_ns
        path.held.append((lock, name, shared))
        memory = versioned(self.memory)
        if memory is not None and path.mutated != UNORDERED:
            memory.acquire(path.cpu, lock)

    def _settle(self, cpu: int) -> None:
        """Let a model that keeps old versions see what ordinary statements have changed."""
        memory = versioned(self.memory)
        if memory is not None:
            memory.settle(cpu)


def _order(entry: "ActivePath | Drain") -> tuple[int, int, int]:
    return entry.now_ns, entry.cpu, entry.serial
