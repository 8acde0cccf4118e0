"""The half of a task that lives with a CPU: sched entity, user context, times.

``KernelState`` owns who a task is (``kernel.task.TaskStruct``); the CPU that ran it last owns a
``CpuTask``. When the task moves to another CPU the CpuTask travels as plain data (``pack``,
``unpack``), context included, and with what each scheduling class keeps about it (``se``): its
class packs that, so nothing here knows a class.

Source: include/linux/sched.h (struct sched_entity).
"""

from typing import TYPE_CHECKING, Any

from kernel.cpu.position import USER
from kernel.sched.pelt import SchedAvg
from kernel.uapi.policy import SCHED_NORMAL
from kernel.uapi.prio import DEFAULT_PRIO, MAX_NICE, MAX_RT_PRIO, MIN_NICE

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.sched.sched_class import SchedClass
    from kernel.uapi.failure import Error
    from kernel.user import Op, Program, UserContext


class CpuTask:
    """One thread as its CPU sees it: what the scheduler needs, and where the thread stands.

    Args:
        pid: the thread's id; 0 for an idle task.
        tgid: the process's id; 0 if the task is in a nested pid namespace, where the kernel knows.
        comm: name, as in traces.
        nice: -20 … 19.
        policy: SCHED_* (``kernel.uapi.policy``).
    """

    __slots__ = (
        "at",
        "avg",
        "cache",
        "comm",
        "cpus_allowed",
        "cputimer",
        "ctx",
        "enqueued_at_ns",
        "error",
        "exec_start_ns",
        "fork_of",
        "forked_at_ns",
        "group",
        "kept",
        "nice",
        "nivcsw",
        "nvcsw",
        "on_rq",
        "op",
        "parked",
        "pid",
        "policy",
        "prio",
        "program",
        "remaining_ns",
        "reset_on_fork",
        "resident",
        "rt_priority",
        "run_delay_ns",
        "sched_class",
        "se",
        "sigpending",
        "slow_door",
        "stime_ns",
        "sum_exec_ns",
        "tgid",
        "utime_ns",
        "value",
        "went_on",
        "went_on_cpu",
        "went_on_ns",
    )

    def __init__(
        self, pid: int, tgid: int, comm: str, nice: int = 0, policy: int = SCHED_NORMAL
    ) -> None:
        self.pid = pid
        self.tgid = tgid
        self.comm = comm
        # sched entity
        self.policy = policy
        self.sched_class: SchedClass | None = None  # set when a runqueue first gets the task
        self.se: Any = None  # what its class keeps about it: an Entity; the class knows which
        # rank of a class it has left -> its Entity there, or what pack() made of that
        self.kept: dict[int, Any] | None = None
        self.avg: SchedAvg | None = None  # of a machine that has them: kernel.sched.pelt
        self.exec_start_ns = 0  # since when the running stretch is not accounted for yet
        self.sum_exec_ns = 0
        self.on_rq = False  # runnable here: queued, or current
        self.parked = False  # with on_rq: its group is throttled, kernel.sched.bandwidth
        self.group: tuple[int, ...] = ()  # kernel.sched.task_group
        self.cpus_allowed: tuple[int, ...] | None = None  # None: every CPU
        self.rt_priority = 0  # sched_priority of its policy
        self.nice = 0
        self.prio = (
            DEFAULT_PRIO  # 100..139 by nice value; a class above fair sets less: more urgent
        )
        if nice:
            set_nice(self, nice)
        # statistics
        self.enqueued_at_ns = 0  # since when it is runnable without running
        self.forked_at_ns = -1  # when it was forked; -1 once it has run
        self.fork_of = 0  # child of a fork after which it, or its parent, has not gone on yet
        # what the kernel is to hear of that: the child (0: nothing), when and where it went on
        self.went_on = self.went_on_ns = self.went_on_cpu = 0
        self.utime_ns = 0
        self.stime_ns = 0
        self.nvcsw = 0
        self.nivcsw = 0
        self.run_delay_ns = 0  # how long it has been runnable without running
        # where the thread stands, for kernel.cpu.cpu
        self.ctx: UserContext | None = None
        self.resident = False  # its context is with KernelState (shared address space)
        self.op: Op | None = None  # system call it asked for and has not got an answer to
        self.remaining_ns = 0  # of the compute() or block it was preempted in
        self.value: Any = None
        self.error: Error | None = None
        self.at = USER  # IDLE, USER, …: see kernel.cpu.position
        self.sigpending = False  # TIF_SIGPENDING
        self.slow_door = False  # TIF_SYSCALL_TRACE: the kernel wants to see every call
        self.reset_on_fork = False  # SCHED_RESET_ON_FORK
        self.cputimer = False  # its process has timers on CPU time: every tick counts
        # (image, argv, env) of a program it is to start with; then it has no context yet
        self.program: Program | None = None
        # the CPU it ran on last, until when, and the user time its cache still takes to fill;
        # None: it has not run, or nobody counts that
        self.cache: tuple[int, int, int] | None = None

    def __repr__(self) -> str:
        return f"<cputask {self.pid}/{self.tgid} {self.comm}>"

    def pack(self) -> list[Any]:
        """Return the whole task as plain data that msgpack can carry."""
        ctx = self.ctx
        return [
            self.pid,
            self.tgid,
            self.comm,
            self.nice,
            self.policy,
            self.exec_start_ns,
            self.sum_exec_ns,
            self.on_rq,
            self.cpus_allowed,
            self.enqueued_at_ns,
            self.forked_at_ns,
            self.fork_of,
            (self.went_on, self.went_on_ns, self.went_on_cpu) if self.went_on else None,
            self.utime_ns,
            self.stime_ns,
            self.nvcsw,
            self.nivcsw,
            self.run_delay_ns,
            self.resident,
            self.op,
            self.remaining_ns,
            self.value,
            self.error,
            self.at,
            self.sigpending,
            self.slow_door,
            self.cputimer,
            self.reset_on_fork,
            self.rt_priority,
            self.prio,
            self._packed_entities(),
            self.program,
            self.cache,
            None if ctx is None else ctx.pack(),
            None if self.avg is None else self.avg.pack(),
            self.group,
        ]

    def _packed_entities(self) -> list[Any]:
        """Return rank and plain data of every entity the task has."""
        entities = {} if self.kept is None else dict(self.kept)
        if self.sched_class is not None:
            entities[self.sched_class.rank] = self.se
        return [
            [rank, entity if isinstance(entity, (list, tuple)) else entity.pack()]
            for rank, entity in entities.items()
        ]

    @classmethod
    def unpack(
        cls, data: "list[Any] | tuple[Any, ...]", unpack_context: "Callable[[Any], UserContext]"
    ) -> "CpuTask":
        """Return the task that ``pack`` described. ``sched_class`` is set by the next queue.

        ``unpack_context`` makes the user context from what its ``pack`` returned.

        msgpack has no tuples; ops, results and errors have no lists, so every sequence in them
        becomes a tuple again.
        """
        pid, tgid, comm, nice, policy = data[:5]
        p = cls(pid, tgid, comm, nice, policy)
        (
            p.exec_start_ns,
            p.sum_exec_ns,
            p.on_rq,
            allowed,
            p.enqueued_at_ns,
            p.forked_at_ns,
            p.fork_of,
            went_on,
            p.utime_ns,
            p.stime_ns,
            p.nvcsw,
            p.nivcsw,
            p.run_delay_ns,
            p.resident,
            op,
            p.remaining_ns,
            value,
            error,
            p.at,
            p.sigpending,
            p.slow_door,
            p.cputimer,
            p.reset_on_fork,
            p.rt_priority,
            p.prio,
            kept,
            program,
            cache,
            ctx,
            avg,
            group,
        ) = data[5:]
        p.avg = SchedAvg.unpack(avg)
        p.kept = dict(kept) if kept else None
        p.cpus_allowed = _tuples(allowed)
        if went_on is not None:
            p.went_on, p.went_on_ns, p.went_on_cpu = went_on
        p.group = tuple(group)
        p.op = _tuples(op)
        p.value = _tuples(value)
        p.error = _tuples(error)
        p.program = _tuples(program)
        p.cache = _tuples(cache)
        if ctx is not None:
            p.ctx = unpack_context(ctx)
        return p


def _tuples(data: Any) -> Any:
    if data.__class__ is list or data.__class__ is tuple:
        return tuple(_tuples(item) for item in data)
    return data


def set_nice(task: CpuTask, nice: int) -> None:
    """Set the nice value of ``task``, and its priority unless its class has set that.

    What a class makes of it is for ``kernel.sched.core`` to ask: ``set_user_nice``.

    Raises:
        ValueError: ``nice`` is outside -20 … 19 (setpriority() clamps before it comes here).

    Source: kernel/sched/syscalls.c:effective_prio().
    """
    if not MIN_NICE <= nice <= MAX_NICE:
        raise ValueError(f"nice {nice} is outside {MIN_NICE}..{MAX_NICE}")
    task.nice = nice
    if task.prio >= MAX_RT_PRIO:  # else its class has set it
        task.prio = DEFAULT_PRIO + nice
