"""Lock order and lock discipline, checked while paths run at granularity ``step``.

A lock *class* is all locks of one name. Whoever takes a lock of class B with one of class A held
orders A before B for the whole machine, once and for ever. If it ever happens the other way
round, or round a longer circle, two CPUs may wait for each other: that is reported at the first
sight of the second order, whether or not the run at hand gets stuck. So one schedule in which
nothing goes wrong is enough to find what only a rare one would show.

What is reported, as an ``InvariantError`` that tells where each lock was taken:

- a circle in the order of classes (*inversion*); a circle in which readers only meet readers is
  harmless and none;
- two locks of one class held at once without an order between them; the same lock taken twice
  (a reader may read again: rwlock_t readers are recursive);
- a lock that an interrupt takes and others hold with interrupts on: the interrupt may come while
  its own CPU has it, and wait for ever; likewise one that somebody waits for who has such a lock;
- a sleeping lock that is taken by an interrupt, or with a spinning lock held;
- a sleep, or the end of a path, with a lock held;
- a function that wants a lock held (``assert_held``) and is called without;
- paths that do wait for each other in a circle.

The graph is kept per machine. An edge remembers the first path that made it.

Source: kernel/locking/lockdep.c, Documentation/locking/lockdep-design.rst.
Which locks Linux takes with interrupts off is a table here (``IRQ_OFF``); interrupts are the paths
that timers begin.

Deviation: no nesting subclasses; soft interrupts count as hard ones.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import InvariantError

if TYPE_CHECKING:
    from kernel.drive.active_path import ActivePath
    from kernel.kernel import Kernel
    from kernel.locking import Lock

# (lock, name of the point that took it, shared)
Held = tuple["Lock", str, bool]

# class held -> class wanted -> (held shared, wanted shared) -> how it was first seen
_Modes = dict[tuple[bool, bool], str]
_Graph = dict[str, dict[str, _Modes]]
# class -> taken shared -> how it was first seen
_Uses = dict[str, dict[bool, str]]

# Mutexes and semaphores: their holder may sleep. Spinning locks are all others.
SLEEPING_LOCKS: Final = frozenset(
    (
        "mmap_lock", "pipe_mutex", "unix_iolock",
        "msg_ids.rwsem", "sem_ids.rwsem", "shm_ids.rwsem",
    )
)  # fmt: skip

# Spinning locks that Linux takes with interrupts off (spin_lock_irq(), spin_lock_irqsave(),
# write_lock_irq()); readers of tasklist_lock leave them on.
IRQ_OFF: Final = frozenset(
    ("eventfd_lock", "pi_lock", "pidmap_lock", "siglock", "tasklist_lock", "wait_queue")
)

# Classes that interrupts take here, whether or not one has yet, and where; so one run in which such
# a lock is held with interrupts on is enough.
IN_INTERRUPTS: Final[dict[str, str]] = {
    "pi_lock": "a timer that ends a sleep takes pi_lock at try_to_wake_up.pi_lock in an interrupt",
    "siglock": "a timer that sends a signal takes siglock at do_send_sig_info.siglock in an "
    "interrupt",
}


class LockDep:
    """The order of lock classes that one machine has shown so far.

    Attributes:
        graph: which class was taken with which held.
        in_irq: classes that interrupts take; ``irqs_on``: those that are held with interrupts on.
    """

    __slots__ = ("graph", "in_irq", "irqs_on")

    def __init__(self) -> None:
        self.graph: _Graph = {}
        self.in_irq: _Uses = {name: {False: story} for name, story in IN_INTERRUPTS.items()}
        self.irqs_on: _Uses = {}

    def acquire(
        self,
        held: list[Held],
        lock: "Lock",
        point: str,
        shared: bool,
        who: object,
        *,
        interrupt: bool = False,
        leaves_on: bool = False,
    ) -> None:
        """Enter that ``who`` is about to take ``lock`` at ``point`` with ``held`` in its hands.

        Args:
            interrupt: an interrupt is what takes it.
            leaves_on: interrupts stay on here whatever Linux does (a mutation).

        Raises:
            InvariantError: this order and the ones seen before can deadlock.
        """
        wanted = lock.name
        grown = self._note_use(held, lock, point, shared, who, interrupt, leaves_on)
        for other, at, other_shared in held:
            if other is lock:
                if shared and other_shared:
                    continue
                raise InvariantError(
                    f"lockdep: recursion: {who!r} takes {wanted} at {point} "
                    f"and has had it since {at}"
                )
            name = other.name
            story = f"{who!r} takes {wanted} at {point} with {name} held since {at}"
            if name == wanted:
                raise InvariantError(f"lockdep: two locks of one class: {story}")
            modes = self.graph.setdefault(name, {}).setdefault(wanted, {})
            if (other_shared, shared) in modes:
                continue
            modes[other_shared, shared] = story
            grown = True
            chain = self._chain(wanted, shared, name, other_shared)
            if chain is not None:
                order = " -> ".join((name, wanted))
                lines = "\n  ".join((story, *chain))
                raise InvariantError(f"lockdep: lock order inversion against {order}:\n  {lines}")
        if grown:
            self._check_interrupts()

    def _note_use(
        self,
        held: list[Held],
        lock: "Lock",
        point: str,
        shared: bool,
        who: object,
        interrupt: bool,
        leaves_on: bool,
    ) -> bool:
        """Enter in which context the lock is taken; return whether that is new.

        Raises:
            InvariantError: it may sleep there, and must not.

        Source: kernel/locking/lockdep.c:mark_usage(); kernel/sched/core.c:__might_resched().
        """
        name = lock.name
        if name in SLEEPING_LOCKS:
            if interrupt:
                raise InvariantError(
                    f"sleeping lock in an interrupt: {who!r} takes {name} at {point}"
                )
            for other, at, _ in held:
                if other.name not in SLEEPING_LOCKS:
                    raise InvariantError(
                        f"sleeping lock while atomic: {who!r} takes {name} at {point} "
                        f"with {other.name} held since {at}"
                    )
            return False
        if interrupt:
            uses, how = self.in_irq, "in an interrupt"
        else:
            off = not leaves_on and _turns_off(name, shared)
            if off or any(_turns_off(other.name, by_reader) for other, _, by_reader in held):
                return False
            uses, how = self.irqs_on, "with interrupts on"
        modes = uses.setdefault(name, {})
        if shared in modes:
            return False
        modes[shared] = f"{who!r} takes {name} at {point} {how}"
        return True

    def _check_interrupts(self) -> None:
        """Raise InvariantError if an interrupt can wait for what its own CPU holds, or needs.

        From each class that interrupts take, go on to what is waited for with it held: none of
        that may be held with interrupts on.

        Source: kernel/locking/lockdep.c:mark_lock_irq(), check_irq_usage().
        """
        for first, uses in self.in_irq.items():
            for in_irq_shared, story in uses.items():
                stack: list[tuple[str, bool, list[str]]] = [(first, in_irq_shared, [story])]
                seen = {(first, in_irq_shared)}
                while stack:
                    name, wants_shared, stories = stack.pop()
                    for on_shared, use in self.irqs_on.get(name, {}).items():
                        if not (wants_shared and on_shared):
                            lines = "\n  ".join((*stories, use))
                            raise InvariantError(
                                f"lockdep: interrupts on, and {name} is needed in one:\n  {lines}"
                            )
                    for following, modes in self.graph.get(name, {}).items():
                        for (held_shared, next_shared), edge in modes.items():
                            if (wants_shared and held_shared) or (following, next_shared) in seen:
                                continue
                            seen.add((following, next_shared))
                            stack.append((following, next_shared, [*stories, edge]))

    def _chain(
        self, start: str, wanted_shared: bool, goal: str, goal_shared: bool
    ) -> list[str] | None:
        """Return the stories of a way from class ``start`` to ``goal`` that can block at each stop.

        At a class that one path wants and the next one has, somebody waits unless both read.
        """
        stack: list[tuple[str, bool, list[str]]] = [(start, wanted_shared, [])]
        seen = {(start, wanted_shared)}
        while stack:
            name, wants_shared, stories = stack.pop()
            for following, modes in self.graph.get(name, {}).items():
                for (held_shared, next_shared), story in modes.items():
                    if wants_shared and held_shared:
                        continue
                    if following == goal:
                        if not (next_shared and goal_shared):
                            return [*stories, story]
                    elif (following, next_shared) not in seen:
                        seen.add((following, next_shared))
                        stack.append((following, next_shared, [*stories, story]))
        return None


def _turns_off(name: str, shared: bool) -> bool:
    """Tell whether who takes a lock of this class turns interrupts off for it."""
    return name in IRQ_OFF and not (shared and name == "tasklist_lock")


def check_sleep(held: list[Held], point: str, who: object) -> None:
    """Raise InvariantError if ``who`` may sleep at ``point`` with a spinning lock held.

    Source: kernel/sched/core.c:__schedule_bug(), __might_sleep().
    """
    for lock, at, _ in held:
        if lock.name not in SLEEPING_LOCKS:
            raise InvariantError(
                f"scheduling while atomic: {who!r} sleeps at {point} "
                f"with {lock.name} held since {at}"
            )


def assert_held(k: "Kernel", lock: "Lock", *, exclusive: bool = False) -> None:
    """Say that the path that calls this has ``lock``; at granularity ``step`` it is checked.

    At granularity ``syscall`` it says nothing, and quick forms leave it out. A lock that a mutation
    did not let the path take counts as held: what follows from its absence is to be seen.

    Args:
        exclusive: as a writer.

    Raises:
        InvariantError: the path does not have it.

    Source: include/linux/lockdep.h:lockdep_assert_held(), lockdep_assert_held_write().
    """
    path = k.stepping
    if path is None:
        return
    for held, _at, shared in path.held:
        if held is lock and not (exclusive and shared):
            return
    if lock in path.skipped:
        return
    how = " for writing" if exclusive else ""
    raise InvariantError(
        f"lock not held: {path.task!r} has no {lock.name}{how} after {path.op[0]}, and needs it"
    )


def check_end_of_path(held: list[Held], who: object) -> None:
    """Raise InvariantError if ``who`` leaves the kernel with a lock held.

    Source: kernel/locking/lockdep.c:lockdep_sys_exit().
    """
    if held:
        names = ", ".join(f"{lock.name} (since {at})" for lock, at, _ in held)
        raise InvariantError(f"lock held when returning to user space: {who!r} has {names}")


def check_waiting(first: "ActivePath", paths: "list[ActivePath]") -> None:
    """Raise InvariantError if ``first``, which has just begun to wait, closes a circle of waits.

    Args:
        first: a path with ``blocked_on``, ``held`` and ``task``.
        paths: all paths in progress.
    """
    trail: dict[ActivePath, str] = {}
    stack = [first]
    while stack:
        path = stack.pop()
        lock = path.blocked_on
        if lock is None:
            continue
        for other in paths:
            at = next((point for held, point, _ in other.held if held is lock), None)
            if at is None:
                continue
            story = f"{path.task!r} waits for {lock.name}, which {other.task!r} took at {at}"
            if other is first:
                stories = "\n  ".join((*trail.values(), story))
                raise InvariantError(f"deadlock of kernel paths:\n  {stories}")
            if other not in trail:
                trail[other] = story
                stack.append(other)
