"""A path of the kernel that is under way, as the driver of granularity ``step`` has it."""

from typing import TYPE_CHECKING, Any, Final

from kernel.points import POINT

if TYPE_CHECKING:
    from kernel.drive.lockdep import Held
    from kernel.locking import Lock
    from kernel.points import Path, Point
    from kernel.task import TaskStruct

# What a path offers that has come into the kernel, or back to it, and has not run yet.
ENTER: Final[tuple[str, int, Any]] = ("enter", POINT, None)


class ActivePath:
    """One path in progress: whose it is, what it offers, how far its clock is, which locks it has.

    Attributes:
        op: the point it stands at, ``(name, kind, object)``: what it does when it is chosen.
        granted: the lock that ``op`` is about is taken already, by whoever gave it up.
        blocked_on: the lock it queues for; it cannot be chosen.
        branch: 0; of a path that a timer has begun, how many timers have begun one for its task.
        interrupt: it is an interrupt's, which came while ``task`` ran.
        mutated: what of ``op`` is not done (``kernel.drive.mutations``).
        held: the locks it has; ``skipped``: those a mutation made it not take.
    """

    __slots__ = (
        "blocked_on",
        "branch",
        "cpu",
        "gen",
        "granted",
        "held",
        "interrupt",
        "mutated",
        "now_ns",
        "op",
        "serial",
        "skipped",
        "task",
    )

    def __init__(
        self,
        gen: "Path[object]",
        task: "TaskStruct",
        cpu: int,
        now_ns: int,
        serial: int,
        branch: int = 0,
    ) -> None:
        self.gen = gen
        self.task = task
        self.cpu = cpu
        self.now_ns = now_ns
        self.serial = serial
        self.branch = branch
        self.interrupt = False
        self.op: Point = ENTER
        self.granted = False
        self.blocked_on: Lock | None = None
        self.mutated = 0
        self.held: list[Held] = []
        self.skipped: list[Lock] = []

    def __repr__(self) -> str:
        return f"<path of {self.task!r} on cpu {self.cpu} at {self.now_ns}: {self.op[0]}>"


def place_of(gen: Any) -> str:
    """Return the name of the innermost path that ``gen`` is in; a finished one has none."""
    while getattr(gen, "gi_yieldfrom", None) is not None:
        gen = gen.gi_yieldfrom
    return str(getattr(gen, "__name__", "a kernel path"))
