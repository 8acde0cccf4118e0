"""The driver of granularity ``step``: every point of a kernel path is a place to interleave.

The paths of all CPUs that are inside the kernel stand side by side. Each has a clock of its own;
the earliest takes the next step, from one point to the next. Locks exclude for real: a path that
cannot have its lock stands still until the holder gives it up, first come first served.

With ``tie_break: random`` a path is held up after every step for a random (seeded) time, nearly
exponential and now and then much longer, as caches and interrupts do it. Were the steps themselves
free, exponential clocks would make every ready path equally likely to go next: the uniform random
walk over interleavings. So every order is possible, none is against virtual time, and the scheme
``exact`` stays exact.

A *mutation* names one point of the kernel's source that does nothing: a lock is not taken there
(nor given back by that path), a barrier does not order. What then happens is a seeded bug. An
exception that no path raises on purpose is, in a mutated kernel, what Linux calls an oops.

With ``check`` the discipline of locks is watched (``kernel.drive.lockdep``) and invariants are
checked after every step: all of them while there are few tasks; with many the neighbourhood of the
current task each time, and everything from time to time.

Source: Documentation/memory-barriers.txt for what may interleave; the random walk follows the
schedulers of Shuttle and Coyote.
Deviation: memory is sequentially consistent: a store can be seen at once, so a BARRIER orders
nothing that is not in order already and dropping one changes nothing but the number of steps.
"""

from typing import TYPE_CHECKING, Any, Final

from kernel import messages as m
from kernel.check.invariants import check_kernel, check_step
from kernel.drive.lockdep import LockDep, check_end_of_path, check_sleep, check_waiting
from kernel.errors import InvariantError
from kernel.points import ACQUIRE, BARRIER, READ, RELEASE, RESCHED, SCHEDULE
from kernel.smp.balance import run_rebalance_domains
from kernel.smp.schedule import cond_resched, schedule_out
from kernel.task import TASK_RUNNING

if TYPE_CHECKING:
    from kernel.drive.lockdep import Held
    from kernel.locking import Lock
    from kernel.points import Path
    from kernel.state import KernelState
    from kernel.task import TaskStruct

_HOLD_UP_NS: Final = 3_000  # a random hold-up halves in likelihood with every so many ns
_LONG: Final = 40  # one in 32 is so many times longer
_FEW_TASKS: Final = 64
_FULL_CHECK_EVERY: Final = 64  # steps, with more tasks


class ActivePath:
    """One path in progress: whose it is, how far its clock is, which locks it has."""

    __slots__ = ("blocked_on", "cpu", "gen", "held", "now_ns", "serial", "skipped", "task")

    def __init__(
        self, gen: "Path[object]", task: "TaskStruct", cpu: int, now_ns: int, serial: int
    ) -> None:
        self.gen = gen
        self.task = task
        self.cpu = cpu
        self.now_ns = now_ns
        self.serial = serial
        self.blocked_on: Lock | None = None
        self.held: list[Held] = []
        self.skipped: list[Lock] = []  # not taken because of a mutation

    def __repr__(self) -> str:
        return f"<path of {self.task!r} on cpu {self.cpu} at {self.now_ns}>"


class StepDriver:
    """Runs the paths of one KernelState, one point at a time: a part of it in a file of its own."""

    __slots__ = ("_dep", "_kernel", "_mutations", "_random", "_serial", "_state", "active")

    def __init__(self, kernel: "KernelState") -> None:
        spec = kernel.spec
        self.active = kernel.active
        self._kernel = kernel
        self._mutations = frozenset(spec.mutations)
        self._dep = LockDep() if spec.check else None
        self._random = spec.tie_break == "random"
        self._state = spec.seed & 0xFFFFFFFFFFFFFFFF
        self._serial = 0

    def next_ns(self) -> int:
        """Return the time of the earliest step that can be taken, or NEVER."""
        first = m.NEVER
        for path in self.active:
            if path.blocked_on is None and path.now_ns < first:
                first = path.now_ns
        return first

    def run(self, limit_ns: int) -> None:
        """Take every request, timer and step that is due at or before ``limit_ns``."""
        kernel = self._kernel
        requests, timers = kernel.requests, kernel.timers.heap
        active = self.active
        while True:
            path: ActivePath | None = None
            path_ns = m.NEVER
            for other in active:
                if other.blocked_on is None and (
                    other.now_ns < path_ns
                    or (
                        path is not None
                        and other.now_ns == path_ns
                        and (other.cpu, other.serial) < (path.cpu, path.serial)
                    )
                ):
                    path = other
                    path_ns = other.now_ns
            event_ns = requests[0][0] if requests else m.NEVER
            timer_ns = timers[0][0] if timers else m.NEVER
            is_timer = timer_ns <= event_ns
            if is_timer:
                event_ns = timer_ns
            balance_ns = kernel.balance_ns
            if (
                balance_ns < event_ns
                and balance_ns <= path_ns
                and balance_ns <= limit_ns < m.NEVER - 1
            ):
                run_rebalance_domains(kernel)
                continue
            if event_ns <= path_ns:
                if event_ns > limit_ns or event_ns == m.NEVER:
                    return
                gen = kernel.open_timer() if is_timer else kernel.open(requests.pop(0))
                if gen is not None:
                    self._begin(gen)
                continue
            if path is None or path_ns > limit_ns:
                return
            self._step(path)
            if kernel.after_step is not None:
                kernel.after_step(kernel)

    def _begin(self, gen: "Path[object]") -> None:
        kernel = self._kernel
        self._serial += 1
        path = ActivePath(gen, kernel.current, kernel.cpu, kernel.now_ns, self._serial)
        if self._random:
            path.now_ns += self._hold_up_ns()
        self.active.append(path)

    def _hold_up_ns(self) -> int:
        """Return a random time, nearly exponential; see the module header.

        -log2 of a random fraction u: its leading zeros, and a straight line between powers of two.
        """
        # Weyl sequence and finaliser of splitmix64
        self._state = state = (self._state + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        state = (state ^ state >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 31
        u = state >> 32 | 1
        zeros = 32 - u.bit_length()
        rest = 512 - ((u << zeros) >> 23)  # 0..256: how far below the power of two
        hold_up_ns = (zeros * 256 + rest) * _HOLD_UP_NS >> 8
        return hold_up_ns if state & 31 else hold_up_ns * _LONG

    def _step(self, path: ActivePath) -> None:
        """Run ``path`` to its next point and give the point its meaning."""
        kernel = self._kernel
        kernel.now_ns = path.now_ns
        kernel.cpu = path.cpu
        kernel.current = task = path.task
        kernel.stats.steps += 1
        try:
            point = next(path.gen, None)
        except (InvariantError, RecursionError, MemoryError):
            raise
        except Exception as oops:
            if not self._mutations:
                raise
            raise InvariantError(
                f"oops: {task!r} in {_place(path.gen)}: {type(oops).__name__}: {oops}"
            ) from oops
        path.now_ns = kernel.now_ns
        if point is None:
            self.active.remove(path)
            check_end_of_path(path.held, task)
            return
        name, kind, obj = point
        if kind == SCHEDULE:
            check_sleep(path.held, name, task)
            if task.state != TASK_RUNNING:
                self.active.remove(path)
                schedule_out(kernel, task, path.gen)
                return
        elif kind == RESCHED:
            check_sleep(path.held, name, task)
            self.active.remove(path)
            cond_resched(kernel, task, path.gen)
            return
        elif kind in (ACQUIRE, READ):
            self._acquire(path, name, obj, kind == READ)
        elif kind == RELEASE:
            self._release(path, name, obj)
        if self._random:
            path.now_ns += self._hold_up_ns()

    def _acquire(self, path: ActivePath, name: str, lock: "Lock", shared: bool) -> None:
        """Give ``path`` the lock, or let it stand still until it can have it."""
        if name in self._mutations:
            path.skipped.append(lock)
            return
        if self._dep is not None:
            self._dep.acquire(path.held, lock, name, shared, path.task)
        path.now_ns += self._kernel.costs.lock_acquire
        lock.stat.acquisitions += 1
        if lock.owner is None and (shared or not lock.readers):
            _take(lock, path, name, shared)
            return
        lock.stat.contended += 1
        path.blocked_on = lock
        if lock.waiters is None:
            lock.waiters = []
        lock.waiters.append((path, name, shared))
        check_waiting(path, self.active)

    def _release(self, path: ActivePath, name: str, lock: "Lock") -> None:
        """Take the lock back and let those who can have it go on, first come first served."""
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
        now_ns = path.now_ns
        if lock.owner is path:
            lock.owner = None
        else:
            lock.readers -= 1
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
            _take(lock, waiter, point, shared)
            del waiters[0]
            waiter.blocked_on = None


def _take(lock: "Lock", path: ActivePath, name: str, shared: bool) -> None:
    """Note that ``path`` has ``lock`` now."""
    if shared:
        if not lock.readers:
            lock.since_ns = path.now_ns
        lock.readers += 1
    else:
        lock.owner = path
        lock.since_ns = path.now_ns
    path.held.append((lock, name, shared))


def _place(gen: Any) -> str:
    """Return the name of the innermost path that ``gen`` is in; a finished one has none."""
    while getattr(gen, "gi_yieldfrom", None) is not None:
        gen = gen.gi_yieldfrom
    return str(getattr(gen, "__name__", "a kernel path"))


def check_name(name: str, kinds: dict[str, int]) -> str:
    """Return why ``name`` cannot be mutated, or an empty string if it can.

    Args:
        kinds: the kind of every point of the kernel, by name.
    """
    kind = kinds.get(name)
    if kind is None:
        return "there is no such point"
    if kind in (ACQUIRE, READ, BARRIER):
        return ""
    if kind == RELEASE:
        return "a release goes with its acquisition: name that"
    return "neither a lock nor a barrier: there is nothing to drop"


class StepChecks:
    """What ``after_step`` is in a run with ``check``; see the module header."""

    __slots__ = ("_steps",)

    def __init__(self) -> None:
        self._steps = 0

    def __call__(self, kernel: "KernelState") -> None:
        """Check what this step can have touched, and now and then everything.

        Raises:
            InvariantError: with the stories of what does not hold.
        """
        self._steps += 1
        full = kernel.tasks.nr_threads <= _FEW_TASKS or not self._steps % _FULL_CHECK_EVERY
        stories = check_kernel(kernel) if full else check_step(kernel)
        if stories:
            raise InvariantError(f"at {kernel.now_ns} ns: " + "\n".join(stories))
