"""``task_struct`` and the structures that hang off it, and the table of legal state moves.

Linux's axes stay separate: ``state`` (may it run?), ``exit_state`` (how far is its death?),
``on_rq``, ``on_cpu`` and ``PF_EXITING`` say different things and none is derived from another.
TASK_RUNNING means runnable or running. ``pid`` is a thread's id, ``tgid`` the process's.

A task has two halves. ``TaskStruct`` is KernelState's: identity, family, signals, files, memory.
``CpuTask`` is the half that lives with the CPU that ran the task last: sched entity, user
context, thread flags. Only messages connect the two.

Source: include/linux/sched.h, include/linux/sched/signal.h; fs/proc/array.c for the letters.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import IllegalTransition
from kernel.trace.printable import printable
from kernel.uapi.task_state import (
    TASK_DEAD as TASK_DEAD,
)
from kernel.uapi.task_state import (
    TASK_IDLE as TASK_IDLE,
)
from kernel.uapi.task_state import (
    TASK_INTERRUPTIBLE as TASK_INTERRUPTIBLE,
)
from kernel.uapi.task_state import (
    TASK_KILLABLE as TASK_KILLABLE,
)
from kernel.uapi.task_state import (
    TASK_NEW as TASK_NEW,
)
from kernel.uapi.task_state import (
    TASK_NOLOAD as TASK_NOLOAD,
)
from kernel.uapi.task_state import (
    TASK_NORMAL as TASK_NORMAL,
)
from kernel.uapi.task_state import (
    TASK_PARKED as TASK_PARKED,
)
from kernel.uapi.task_state import (
    TASK_RUNNING as TASK_RUNNING,
)
from kernel.uapi.task_state import (
    TASK_STOPPED as TASK_STOPPED,
)
from kernel.uapi.task_state import (
    TASK_STOPPED_BIT as TASK_STOPPED_BIT,
)
from kernel.uapi.task_state import (
    TASK_TRACED as TASK_TRACED,
)
from kernel.uapi.task_state import (
    TASK_TRACED_BIT as TASK_TRACED_BIT,
)
from kernel.uapi.task_state import (
    TASK_UNINTERRUPTIBLE as TASK_UNINTERRUPTIBLE,
)
from kernel.uapi.task_state import (
    TASK_WAKEKILL as TASK_WAKEKILL,
)

if TYPE_CHECKING:
    from kernel.cgroup.cgroup import Cgroup
    from kernel.cred.creds import Cred
    from kernel.fs.file import FilesStruct
    from kernel.fs.fs_struct import FsStruct
    from kernel.ipc.sem_queue import SemUndoList
    from kernel.locking import Lock
    from kernel.mm.mm_types import MmStruct
    from kernel.ns.nsproxy import NsProxy
    from kernel.points import Path
    from kernel.process.attrs import TaskAttrs
    from kernel.process.kthread import Kthread
    from kernel.process.pid import Pid
    from kernel.process.wait_task import WaitOpts
    from kernel.ptrace.link import PtraceState
    from kernel.signal.multiprocess import MultiprocessSignals
    from kernel.smp.averages import TaskAvg
    from kernel.smp.task_groups import TaskGroup
    from kernel.smp.wait import WaitQueueHead
    from kernel.time.itimer import RealTimer
    from kernel.time.posix_cpu_timers import PosixCputimers
    from kernel.user import UserContext

TASK_COMM_LEN: Final = 16

EXIT_DEAD: Final = 0x10
EXIT_ZOMBIE: Final = 0x20
EXIT_TRACE: Final = EXIT_ZOMBIE | EXIT_DEAD  # its tracer reaps it, its parent comes next

PF_EXITING: Final = 0x4
PF_KTHREAD: Final = 0x200000
PF_FORKNOEXEC: Final = 0x40
PF_DUMPCORE: Final = 0x200
PF_SIGNALED: Final = 0x400
PF_NPROC_EXCEEDED: Final = 0x1000
PF_NO_SETAFFINITY: Final = 0x4000000

SIGNAL_STOP_STOPPED: Final = 0x1
SIGNAL_STOP_CONTINUED: Final = 0x2
SIGNAL_GROUP_EXIT: Final = 0x4
SIGNAL_CLD_STOPPED: Final = 0x10
SIGNAL_CLD_CONTINUED: Final = 0x20
SIGNAL_CLD_MASK: Final = SIGNAL_CLD_STOPPED | SIGNAL_CLD_CONTINUED
SIGNAL_UNKILLABLE: Final = 0x40

JOBCTL_STOP_SIGMASK: Final = 0xFFFF
JOBCTL_STOP_DEQUEUED: Final = 1 << 16
JOBCTL_STOP_PENDING: Final = 1 << 17
JOBCTL_STOP_CONSUME: Final = 1 << 18
JOBCTL_TRAP_STOP: Final = 1 << 19
JOBCTL_TRAP_NOTIFY: Final = 1 << 20
JOBCTL_TRAPPING: Final = 1 << 21
JOBCTL_LISTENING: Final = 1 << 22
JOBCTL_PTRACE_FROZEN: Final = 1 << 24
JOBCTL_STOPPED: Final = 1 << 26
JOBCTL_TRACED: Final = 1 << 27
JOBCTL_TRAP_MASK: Final = JOBCTL_TRAP_STOP | JOBCTL_TRAP_NOTIFY
JOBCTL_PENDING_MASK: Final = JOBCTL_STOP_PENDING | JOBCTL_TRAP_MASK

# One pending signal: (signal, si_code, si_pid, si_uid, si_status).
SigInfo = tuple[int, int, int, int, int]

_ASLEEP: Final = (
    TASK_INTERRUPTIBLE,
    TASK_UNINTERRUPTIBLE,
    TASK_KILLABLE,
    TASK_STOPPED,
    TASK_TRACED,
    TASK_PARKED,
    TASK_IDLE,
)

# Which ``state`` may follow which. A sleeper's state may change to another sleep only by running.
STATE_MOVES: Final[dict[int, tuple[int, ...]]] = {
    TASK_NEW: (TASK_RUNNING,),
    TASK_RUNNING: (TASK_RUNNING, *_ASLEEP, TASK_DEAD),
    **{state: (TASK_RUNNING, state) for state in _ASLEEP},
    TASK_DEAD: (),
}
EXIT_MOVES: Final[dict[int, tuple[int, ...]]] = {
    0: (EXIT_ZOMBIE, EXIT_DEAD),
    EXIT_ZOMBIE: (EXIT_DEAD, EXIT_TRACE),
    EXIT_TRACE: (EXIT_ZOMBIE, EXIT_DEAD),
    EXIT_DEAD: (),
}


class SighandStruct:
    """Signal handlers of a thread group (``sighand_struct``).

    ``action`` holds only what differs from SIG_DFL: signal -> SIG_IGN or SIG_HANDLER | sa_flags
    (``kernel.uapi.signals``). It is never changed in place, only replaced, so that fork and exec
    can share it.
    """

    __slots__ = ("action", "count", "siglock")

    def __init__(self, siglock: "Lock", action: dict[int, int]) -> None:
        self.action = action
        self.count = 1
        self.siglock = siglock


NO_RLIMITS: Final[dict[int, tuple[int, int]]] = {}


class SignalStruct:
    """What the threads of one process share (``signal_struct``)."""

    __slots__ = (
        "ac_flag",
        "args",
        "autogroup",
        "cmaxrss",
        "cmin_flt",
        "cnivcsw",
        "cnvcsw",
        "count",
        "cred_guard",
        "cputimers",
        "cstime_ns",
        "curr_target",
        "cutime_ns",
        "env",
        "flags",
        "group_exec_task",
        "group_exit_code",
        "group_stop_count",
        "itimer",
        "has_child_subreaper",
        "is_child_subreaper",
        "leader",
        "live",
        "maxrss",
        "min_flt",
        "multiprocess",
        "nivcsw",
        "notify_count",
        "nr_threads",
        "nvcsw",
        "oom_score_adj",
        "oom_score_adj_min",
        "oom_victim",
        "pgrp",
        "quick_threads",
        "rlim",
        "session",
        "shared_pending",
        "stime_ns",
        "threads",
        "utime_ns",
        "wait_chldexit",
    )

    def __init__(self) -> None:
        # tasklist_lock
        self.count = 1
        self.live = 1  # threads that have not passed exit_signals()
        self.nr_threads = 1  # threads that are not released
        self.leader: TaskStruct = None  # type: ignore[assignment]  # set by copy_signal
        self.threads: list[TaskStruct] = []  # thread_head, in creation order, leader first
        self.pgrp: Pid = None  # type: ignore[assignment]  # set by attach_pid
        self.session: Pid = None  # type: ignore[assignment]  # set by attach_pid
        self.is_child_subreaper = False
        self.has_child_subreaper = False
        # siglock
        self.flags = 0
        self.quick_threads = 1  # threads that have not begun do_exit()
        self.group_exit_code = 0
        self.group_stop_count = 0  # threads that still have to stop
        self.group_exec_task: TaskStruct | None = None
        self.notify_count = 0  # what de_thread() waits for: threads to go, or -1 for the leader
        self.curr_target: TaskStruct | None = None  # None: the leader
        self.shared_pending: tuple[SigInfo, ...] = ()
        self.multiprocess: list[MultiprocessSignals] | None = None  # forks under way
        self.itimer: RealTimer | None = None  # from the first setitimer() on
        self.cred_guard: WaitQueueHead | None = None  # who waits for an exec to be through
        self.cputimers: PosixCputimers | None = None  # if it ever had any
        self.wait_chldexit: list[WaitOpts] = []  # newest first
        # only what differs from the defaults; never changed in place, so fork shares it
        self.rlim: dict[int, tuple[int, int]] = NO_RLIMITS
        self.autogroup: TaskGroup | None = None  # of its session; None: of the first one
        self.args: tuple[str, ...] = ()  # what the last exec was given: /proc/PID/cmdline
        self.env: tuple[tuple[str, str], ...] = ()
        self.oom_score_adj_min = 0  # the least value that needs no privilege
        self.ac_flag = 0  # ACORE, AXSIG of threads that have begun to exit: kernel.process.acct
        self.utime_ns = 0  # of threads already released
        self.stime_ns = 0
        self.cutime_ns = 0  # of children waited for, and of theirs
        self.cstime_ns = 0
        self.nvcsw = 0
        self.nivcsw = 0
        self.oom_score_adj = 0  # -1000..1000: kernel.mm.oom_kill
        self.oom_victim = False
        self.min_flt = 0
        self.maxrss = 0  # pages, of address spaces it has left
        self.cnvcsw = 0  # of children waited for, and of theirs
        self.cnivcsw = 0
        self.cmin_flt = 0
        self.cmaxrss = 0  # the largest of them


class Wakes:
    """Whom a task wakes, and where it woke.

    ``last``: pid of whom it woke last, ``flips``: how often that was another than before, halved at
    ``decay_ns``; ``recent``: the CPU it was on before the last, -1 for none.

    Source: include/linux/sched.h (last_wakee, wakee_flips, wakee_flip_decay_ts, recent_used_cpu).
    """

    __slots__ = ("decay_ns", "flips", "last", "recent")

    def __init__(self) -> None:
        self.last = 0
        self.flips = 0
        self.decay_ns = 0
        self.recent = -1


class TaskStruct:
    """One thread as the kernel sees it (``task_struct``)."""

    __slots__ = (
        "alloc_lock",
        "attrs",
        "avg",
        "blocked",
        "cgroup",
        "children",
        "clear_child_tid",
        "comm",
        "cpu",
        "cred",
        "ctx",
        "exit_code",
        "exit_signal",
        "exit_state",
        "files",
        "flags",
        "fs",
        "group_leader",
        "in_syscall",
        "jobctl",
        "kthread",
        "min_flt",
        "mm",
        "msg_ns",
        "nice",
        "nsproxy",
        "nivcsw",
        "run_delay_ns",
        "timeslices",
        "run_delay_ns",
        "nr_migrations",
        "nvcsw",
        "on_rq",
        "parent",
        "parent_exec_id",
        "path",
        "pdeath_signal",
        "pending",
        "pi_lock",
        "pid",
        "ptrace",
        "real_parent",
        "real_blocked",
        "restart_ns",
        "self_exec_id",
        "sighand",
        "signal",
        "sigpending",
        "slot",
        "stack",
        "start_time_ns",
        "state",
        "stime_ns",
        "sysvsem",
        "tasks_next",
        "tasks_prev",
        "tgid",
        "thread_pid",
        "soft_ns",
        "timer",
        "tracing",
        "tripped",
        "usage",
        "utime_ns",
        "vfork_done",
        "wakes",
    )

    def __init__(self, pid: int, tgid: int, comm: str) -> None:
        # never changes after copy_process, but for exec's tid swap
        self.pid = pid
        self.tgid = tgid
        self.thread_pid: Pid = None  # type: ignore[assignment]  # set by attach_pid
        self.start_time_ns = 0
        self.stack = 0  # kernel stack, see kernel.arch
        self.slot = -1  # place in the task_struct slab cache
        self.alloc_lock: Lock | None = None  # made at first use: Kernel.task_lock
        # pi_lock
        self.pi_lock: Lock | None = None  # made at first use: Kernel.pi_lock
        self.msg_ns = 0  # time of the last effect about this task
        self.state = TASK_NEW
        self.cpu = 0  # CPU that runs or ran the task last
        self.on_rq = False  # counted in the load table
        # tasklist_lock
        self.exit_state = 0
        self.exit_signal = 17
        self.exit_code = 0
        self.real_parent: TaskStruct = self
        self.parent: TaskStruct = self  # the tracer of a traced task, else real_parent
        self.ptrace = 0  # PT_ flags; 0: nobody traces it
        self.tracing: PtraceState | None = None  # of one that is traced or traces
        self.children: dict[int, TaskStruct] = {}  # pid -> group leader, in fork order
        self.tasks_next: TaskStruct | None = None  # the task list, group leaders only
        self.tasks_prev: TaskStruct | None = None
        self.group_leader: TaskStruct = self
        self.self_exec_id = 0
        self.parent_exec_id = 0
        self.usage = 2  # one until reaped, one while a CPU still runs it
        # alloc_lock (task_lock)
        self.comm = comm
        self.mm: MmStruct | None = None
        self.files: FilesStruct | None = None
        self.fs: FsStruct | None = None
        self.vfork_done: TaskStruct | None = None  # the parent that sleeps on it
        self.clear_child_tid = False
        # siglock
        self.signal: SignalStruct = None  # type: ignore[assignment]  # set by copy_signal
        self.sighand: SighandStruct = None  # type: ignore[assignment]  # set by copy_sighand
        self.pending: tuple[SigInfo, ...] = ()
        self.blocked = 0  # bit n-1 for signal n
        self.real_blocked = 0  # what is blocked once sigtimedwait() is over
        self.sigpending = False  # TIF_SIGPENDING as the kernel knows it
        self.jobctl = 0
        self.pdeath_signal = 0
        # current only
        self.flags = 0
        self.cred: Cred = None  # type: ignore[assignment]  # set by copy_creds
        self.nice = 0
        self.attrs: TaskAttrs | None = None  # if it differs from boot's
        self.cgroup: Cgroup | None = None  # kernel.cgroup; None: the root
        self.nsproxy: NsProxy | None = None  # None once the task has left them
        self.sysvsem: SemUndoList | None = None
        self.utime_ns = 0
        self.stime_ns = 0
        self.min_flt = 0  # page faults served
        self.nvcsw = 0  # times it slept
        self.nivcsw = 0  # times it lost its CPU
        self.run_delay_ns = 0  # how long it has been runnable without running
        self.timeslices = 0  # how often it has got a CPU
        self.nr_migrations = 0
        self.kthread: Kthread | None = None
        self.path: Path[object] | None = None  # the system call it sleeps in
        self.tripped: tuple[int, ...] = ()  # handlers that ran since the last answer, in order
        self.restart_ns = 0  # when the interrupted sleep that is being restarted ends; 0 = none
        self.timer = 0  # armed timeout, by serial number; 0 = none
        self.soft_ns = 0  # from when on that may go off; kept if there is slack
        self.in_syscall = -1  # number of the system call being served
        self.ctx: UserContext | None = None  # user context while its heap is shared
        self.avg: TaskAvg | None = None  # kernel.smp.averages, on a machine with levels
        self.wakes: Wakes | None = None  # kernel.smp.select keeps it, on a machine with levels

    def __repr__(self) -> str:
        return f"<task {self.pid}/{self.tgid} {printable(self.comm)} {task_state_letter(self)}>"


def mm_of(task: TaskStruct) -> "MmStruct":
    """Return the address space of a task that must have one: no kernel thread, not exiting.

    Raises:
        AssertionError: it has none; likewise ``files_of``, ``fs_of``, ``nsproxy_of``.
    """
    mm = task.mm
    if mm is None:
        raise AssertionError(f"{task!r} has no address space")
    return mm


def files_of(task: TaskStruct) -> "FilesStruct":
    """Return the open files of a task that has not given them up."""
    files = task.files
    if files is None:
        raise AssertionError(f"{task!r} has no open files")
    return files


def fs_of(task: TaskStruct) -> "FsStruct":
    """Return root, working directory and umask of a task that has not given them up."""
    fs = task.fs
    if fs is None:
        raise AssertionError(f"{task!r} has no root")
    return fs


def nsproxy_of(task: TaskStruct) -> "NsProxy":
    """Return the namespaces of a task that has not left them."""
    nsproxy = task.nsproxy
    if nsproxy is None:
        raise AssertionError(f"{task!r} has no namespaces")
    return nsproxy


def set_exit_state(task: TaskStruct, expected: int, new: int) -> None:
    """Move ``exit_state`` from ``expected`` to ``new``, or raise IllegalTransition."""
    if task.exit_state != expected or new not in EXIT_MOVES[expected]:
        raise IllegalTransition(
            f"{task!r}: exit_state {task.exit_state:#x} -> {new:#x}, expected {expected:#x}"
        )
    task.exit_state = new


_LETTERS: Final = ((TASK_STOPPED_BIT, "T"), (TASK_TRACED_BIT, "t"), (TASK_PARKED, "P"))


def task_state_letter(task: TaskStruct) -> str:
    """Return the letter that /proc/PID/stat shows for ``task``.

    Source: fs/proc/array.c:get_task_state().
    """
    if task.exit_state:
        return "Z" if task.exit_state & EXIT_ZOMBIE else "X"
    state = task.state
    if state & TASK_NOLOAD and state & TASK_UNINTERRUPTIBLE:
        return "I"
    if state & TASK_UNINTERRUPTIBLE:
        return "D"
    if state & TASK_INTERRUPTIBLE:
        return "S"
    for bit, letter in _LETTERS:
        if state & bit:
            return letter
    return "X" if state == TASK_DEAD else "R"
