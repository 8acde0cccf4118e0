"""What CPUs share in the kernel, field by field, and why some of it may be touched without a lock.

``WATCHED`` are the structures whose fields ``cluster.race.watch`` follows. A field needs a lock, or
an order of events, unless ``UNSHARED`` or ``REASONS`` names it: Linux itself reads and writes a
number of fields without one, and says at the place why that is right. What is named there is still
followed, for whoever explores orders of steps; it is only no race.
"""

from typing import Final

from kernel.cred.creds import UserStruct
from kernel.fs.file import FdSharers, FilesStruct
from kernel.fs.fs_struct import FsStruct
from kernel.ipc.futex import UserLock
from kernel.ipc.msg import MsgQueue
from kernel.ipc.pipe import Pipe
from kernel.ipc.sem_queue import SemArray, SemUndoList
from kernel.ipc.shm import ShmidKernel
from kernel.ipc.unix import UnixSock
from kernel.ipc.util import IpcIds
from kernel.ipc.waitwake import FutexHashBucket, FutexQ
from kernel.mm.mm_types import MmStruct, PageTable, SharedPages
from kernel.ns.pid_namespace import PidNamespace
from kernel.process.kthread import Kthread, KthreadCreateInfo, KthreadList
from kernel.process.pid import Pid, PidMap
from kernel.process.tasklist import TaskList
from kernel.process.wait_task import WaitOpts
from kernel.ptrace.link import PtraceState
from kernel.signal.multiprocess import MultiprocessSignals
from kernel.smp.completion import Completion
from kernel.smp.load import LoadTable
from kernel.smp.wait import WaitQueueHead
from kernel.task import SighandStruct, SignalStruct, TaskStruct
from kernel.time.itimer import RealTimer
from kernel.time.posix_cpu_timers import PosixCputimers

WATCHED: Final[tuple[type, ...]] = (
    TaskStruct, SignalStruct, SighandStruct, TaskList, Pid, PidMap, PidNamespace, UserStruct,
    MmStruct, PageTable, SharedPages, FilesStruct, FdSharers, FsStruct,
    Completion, WaitQueueHead, WaitOpts, Kthread, KthreadCreateInfo, KthreadList,
    PtraceState, MultiprocessSignals, RealTimer, PosixCputimers,
    FutexHashBucket, FutexQ, Pipe, UnixSock, MsgQueue, SemArray, SemUndoList, ShmidKernel, IpcIds,
    LoadTable, UserLock,
)  # fmt: skip

# Fields that say nothing to anybody else, or are no memory of Linux.
UNSHARED: Final[dict[type, tuple[str, ...]]] = {
    TaskStruct: (
        "ctx", "msg_ns", "pi_lock", "alloc_lock", "tracing", "path", "in_syscall", "avg",
        "utime_ns", "stime_ns", "nivcsw", "nvcsw", "run_delay_ns", "timeslices", "nr_migrations",
        "min_flt",
    ),
    WaitQueueHead: ("lock",),
    FutexHashBucket: ("lock",),
    Pipe: ("mutex",),
    SighandStruct: ("siglock",),
}  # fmt: skip

SHOWN: Final = "shown and not acted upon: a trace record, an accounting record, /proc"
COUNT: Final = "a reference count, an atomic of Linux: one step changes it and acts on the result"

RCU: Final = (
    "looked up under RCU on Linux; what is found may be on its way out, and is dealt with as such"
)
LOOK: Final = (
    "a look without the lock on Linux, too, before a sleep or for poll(); looked at again under it"
)
GUEST: Final = "memory of the guest program: the words its threads' locks are made of"
TABLES: Final = (
    "page tables that parent and child share until one writes, the emulator's own: no memory of "
    "Linux"
)
OURS: Final = "the emulator's own, about which half of a task has what; no field of Linux"
ORDERS: Final = (
    "decided once per system call, as on Linux; a change that comes later is seen next time"
)
SUMS: Final = (
    "times of a thread group, added up when it has ended or nearly; Linux: stats_lock, seqlock"
)

# Fields that are written by a compare-and-exchange under a lock that is held shared.
SHARED_WRITES: Final[dict[str, str]] = {
    "exit_state": "wait_task_zombie() claims a zombie under tasklist_lock held for reading",
}

# field -> functions (none: all of them) that may touch it without a lock, and why
REASONS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "FilesStruct.count": (("copy_files", "put_files_struct"), COUNT),
    "FsStruct.in_exec": (
        ("sys_execve",),
        "cleared without the lock of fs, as on Linux; copy_fs() looks at it and counts in one step",
    ),
    "FsStruct.users": (("copy_fs", "put_fs_struct"), COUNT),
    "MmStruct.users": (
        ("mmget", "mm_release", "resume", "mmput"),
        "raised by who runs in it: see the field; a look at it on Linux too (mm_release), or ours",
    ),
    "SighandStruct.count": (("copy_sighand", "release_task", "_unwind"), COUNT),
    "SignalStruct.ac_flag": (
        ("do_exit",),
        "or-ed in one step; Linux: acct_collect() under siglock",
    ),
    "SignalStruct.count": (("_link_thread", "put_task_struct", "release_task"), COUNT),
    "SignalStruct.flags": (
        ("do_exit", "exit_signals", "_consider_child", "do_group_exit", "has_stopped_jobs"),
        "a trace record; SIGNAL_GROUP_EXIT, which stays, read without siglock on Linux, too; "
        "and SIGNAL_STOP_CONTINUED, looked at again under siglock",
    ),
    "SignalStruct.group_exit_code": (
        ("_end_group", "do_exit", "do_notify_parent_cldstop"),
        SHOWN,
    ),
    "SignalStruct.live": (("do_exit",), COUNT),
    "SignalStruct.nr_threads": (("resume",), OURS),
    "SignalStruct.shared_pending": (
        ("recalc_sigpending_tsk", "send_signal_locked"),
        "posix_spawn() unblocks signals without siglock; what comes then is seen at its end",
    ),
    "SignalStruct.stime_ns": (("_exit_signal", "wait_task_zombie"), SUMS),
    "SignalStruct.utime_ns": (("_exit_signal", "wait_task_zombie"), SUMS),
    "TaskStruct.blocked": (
        ("_wants_signal", "sys_posix_spawn"),
        "only its task changes it; who sends a signal meanwhile may take either mask, as on Linux",
    ),
    "TaskStruct.ctx": ((), OURS),
    "TaskStruct.exit_state": (
        (
            "pidfd_poll",
            "zap_process",
            "wait_task_zombie",
            "task_state_letter",
            "_tick_dep",
        ),
        "a look without tasklist_lock, on Linux too; who dies later wakes or ignores the signal",
    ),
    "TaskStruct.flags": (
        ("copy_process", "find_alive_thread", "_wants_signal"),
        "only its task changes it; the copy may be of before",
    ),
    "TaskStruct.jobctl": (
        ("ptrace_unfreeze_traced", "ptrace_attach", "wait_ptrace_stop"),
        "looked at without siglock first, as on Linux, and again under it",
    ),
    "TaskStruct.msg_ns": ((), OURS),
    "TaskStruct.pi_lock": (("pi_lock",), "the emulator makes locks at their first use"),
    "TaskStruct.ptrace": (("do_exit", "ptrace_event_enabled", "syscall", "sys_execve"), ORDERS),
    "TaskStruct.signal": (("check_kill_permission", "free_task"), "read under RCU on Linux"),
    "TaskStruct.sigpending": (
        ("wake_up_new_task", "fatal_signal_pending"),
        "looked at again when the task comes to user mode, or goes round its loop",
    ),
    "TaskStruct.state": (
        (
            "set_task_state",
            "try_to_wake_up",
            "_take_leadership",
            "task_state_letter",
            "signal_wake_up_state",
        ),
        "the check of the table of moves; a waker's second look, under the runqueue's lock; and "
        "a loop that waits until the leader is dead: wait_task_inactive()",
    ),
    "TaskStruct.tracing": (
        ("_state_of", "ptrace_unlink", "tracing_of"),
        "lives as long as the link; a tracer that goes away clears it under tasklist_lock",
    ),
    "FutexQ.queued": (
        ("futex_wait",),
        "looked at after the sleep, as futex_unqueue() does before its lock",
    ),
    "IpcIds.entries": (
        ("_find",),
        "looked up under RCU on Linux; the object is looked at again under its lock",
    ),
    "MmStruct.forked": ((), OURS),
    "MmStruct.locks": ((), GUEST),
    "MmStruct.pt": (("dup_mm",), TABLES),
    "PageTable.filled": ((), TABLES),
    "PageTable.fresh": ((), TABLES),
    "PageTable.nr_zero": ((), TABLES),
    "PageTable.users": ((), TABLES),
    "Pid.task": (
        ("kill_pid_info", "find_task_by_vpid", "find_task_by_pid_ns", "pid_has_task", "pidfd_poll"),
        RCU,
    ),
    "PtraceState.step": (("user_single_step_report",), ORDERS),
    "PtraceState.syscall": (("syscall_exit_work", "syscall", "syscall_trace_enter"), ORDERS),
    "Pid.wait_pidfd": ((), "a wait queue is made at its first use; a part of struct pid on Linux"),
    "PidMap.hash": (
        ("find_vpid", "find_task_by_vpid", "find_task_by_pid_ns", "zap_pid_ns_processes"),
        RCU,
    ),
    "PidNamespace.pid_allocated": (
        ("zap_pid_ns_processes",),
        "looked at between set_current_state() and schedule(), as on Linux",
    ),
    "PidNamespace.adding": (
        ("_link_child",),
        "read under tasklist_lock and siglock and cleared under pidmap_lock, as on Linux: "
        "zap_pid_ns_processes() kills whom it finds after that",
    ),
    "Pipe.files": ((), COUNT),
    "Pipe.readers": (("_writable", "pipe_poll"), LOOK),
    "Pipe.writers": (("_readable", "pipe_poll"), LOOK),
    "Pipe.bufs": (("_readable", "_writable", "pipe_poll"), LOOK),
    "SemUndoList.list_proc": (
        (),
        "one step looks at it, and adds or removes: all that Linux holds the list's lock for",
    ),
    "SemUndoList.refcnt": ((), COUNT),
    "SharedPages.keep": (
        ("put_shared",),
        "the last detach is one step; Linux: shm_close() under the locks of ids and segment",
    ),
    "SharedPages.segment": (
        ("sys_shmdt",),
        "which area is of a segment: looked at under the lock of the address space, as on Linux",
    ),
    "SignalStruct.notify_count": (
        ("de_thread",),
        "looked at between set_current_state() and schedule()",
    ),
    "TaskStruct.exit_code": (("do_notify_parent_cldstop", "_stat_line"), SHOWN),
    "TaskStruct.group_leader": (("task_tgid_vnr",), RCU),
    "TaskStruct.parent": (
        ("zap_process",),
        "whom a tracee that traps no more wakes; Linux: by the address of jobctl, no parent",
    ),
    "TaskStruct.pid": (
        ("do_task_dead",),
        "a leader's number is exchanged only when it was seen to be dead: wait_task_inactive()",
    ),
    "TaskStruct.real_parent": (("sys_getppid",), RCU),
    "TaskStruct.thread_pid": (("task_tgid_vnr",), RCU),
    "TaskStruct.usage": ((), COUNT),
    "SharedPages.frames": (
        (),
        "the page cache: a fault takes or finds a page in one step; Linux: xa_lock and the lock of "
        "the page",
    ),
    "SharedPages.users": ((), COUNT),
    "SignalStruct.group_exec_task": (
        ("do_group_exit", "wait_for_exec"),
        "looked at without siglock first, as on Linux",
    ),
    "SignalStruct.threads": (
        (
            "do_group_exit",
            "exit_signals",
            "check_unsafe_exec",
            "sys_clock_gettime",
            "thread_group_cputime",
            "cpu_clock_sample_group",
            "pidfd_poll",
        ),
        "thread_group_empty() without a lock, as on Linux",
    ),
    "SignalStruct.wait_chldexit": (
        (),
        "one step puts an entry in, or looks at them; Linux: the lock of the queue",
    ),
    "TaskList.nr_threads": (
        ("copy_process",),
        "a limit that may be passed by a few, as on Linux: data_race() there",
    ),
    "TaskList.nr_zombies": ((), OURS),
    "TaskStruct.exit_signal": (
        ("begin_new_exec",),
        "set without a lock, as on Linux: who waits meanwhile goes by either",
    ),
    "TaskStruct.sighand": (
        ("free_task", "do_send_sig_info"),
        "lock_task_sighand() reads it under RCU; free_task(): the last reference is gone",
    ),
    "TaskStruct.vfork_done": (
        ("wait_for_vfork_done",),
        "the state of a completion: looked at between set_current_state() and schedule()",
    ),
    "UserLock.locked": ((), GUEST),
    "UserLock.waiters": ((), GUEST),
    "UserStruct.processes": ((), COUNT),
    "WaitQueueHead.tasks": (
        ("__len__", "active", "finish_wait"),
        "waitqueue_active() and list_empty_careful(): see there",
    ),
    "WaitQueueHead.entries": (("active",), "waitqueue_active(): see there"),
    "FilesStruct.fd": (("fget",), RCU),
    "FilesStruct.open_fds": (("_fd_size",), SHOWN),
    "MmStruct.local": ((), OURS),
    "PidMap.kernel": (("find_vpid",), OURS),
    "PosixCputimers.timers_active": (
        ("_tick_dep", "run_posix_cpu_timers"),
        "a look without siglock, READ_ONCE() on Linux, and again under it",
    ),
    "SighandStruct.action": (
        ("install_program",),
        "flush_signal_handlers() takes no lock on Linux either: nobody else has the table now",
    ),
    "SignalStruct.args": (("proc_pid_cmdline_read",), SHOWN),
    "SignalStruct.cstime_ns": (("times_both",), SUMS),
    "SignalStruct.cutime_ns": (("times_both",), SUMS),
    "SignalStruct.pgrp": (("sys_getpgid",), RCU),
    "TaskStruct.comm": (("_stat_line", "comm_show"), SHOWN),
    "LoadTable.*": (
        (),
        "counters of all CPUs, which Linux reads without the runqueues' locks, too",
    ),
    "FdSharers.count": ((), TABLES),
    "PageTable.writable": ((), TABLES),
    "TaskStruct.on_rq": (
        (),
        "shown, or changed by whoever runs the task's CPU: under the runqueue's lock on Linux",
    ),
}
