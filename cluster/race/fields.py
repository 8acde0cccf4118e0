"""What CPUs share in the kernel, field by field, and why some of it may be touched without a lock.

``WATCHED`` are the structures whose fields ``cluster.race.watch`` follows. A field needs a lock, or
an order of events, unless ``UNSHARED`` or ``REASONS`` names it: Linux itself reads and writes a
number of fields without one, and says at the place why that is right. What is named there is still
followed, for whoever explores orders of steps; it is only no race.
"""

from functools import cache
from typing import Final

from kernel.cred.creds import UserStruct
from kernel.fs.eventfd import EventfdInode
from kernel.fs.file import FdSharers, FilesStruct
from kernel.fs.fs_struct import FsStruct
from kernel.ipc.futex import UserLock
from kernel.ipc.msg import MsgQueue, MsgReceiver
from kernel.ipc.pipe import Pipe
from kernel.ipc.sem_queue import Sem, SemArray, SemQueue, SemUndo, SemUndoList
from kernel.ipc.shm import ShmidKernel
from kernel.ipc.unix import UnixSock
from kernel.ipc.util import IpcIds, KernIpcPerm
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
from kernel.time.posix_cpu_timers import CpuItimer, PosixCputimers

WATCHED: Final[tuple[type, ...]] = (
    TaskStruct, SignalStruct, SighandStruct, TaskList, Pid, PidMap, PidNamespace, UserStruct,
    MmStruct, PageTable, SharedPages, FilesStruct, FdSharers, FsStruct,
    Completion, WaitQueueHead, WaitOpts, Kthread, KthreadCreateInfo, KthreadList,
    PtraceState, MultiprocessSignals, RealTimer, PosixCputimers, CpuItimer,
    FutexHashBucket, FutexQ, Pipe, UnixSock, MsgQueue, SemArray, SemUndoList, ShmidKernel, IpcIds,
    LoadTable, UserLock, EventfdInode, MsgReceiver, Sem, SemQueue, SemUndo, KernIpcPerm,
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
    "page tables that parent and child share until one writes: the emulator's own, not of Linux"
)
OURS: Final = "the emulator's own, about which half of a task has what; no field of Linux"
COSTS: Final = "the emulator's own, for what a call costs; no field of Linux"
ORDERS: Final = (
    "decided once per system call, as on Linux; a change that comes later is seen next time"
)
SUMS: Final = (
    "times of a thread group, added up when it has ended or nearly; Linux: stats_lock, seqlock"
)

_SEGMENT: Final = (
    "looked up under RCU on Linux, and looked at again under the object's lock; a segment goes "
    "with its last area, in one step: see ipc/shm.py"
)

# Fields that are written under a lock that is held shared, on Linux, too.
SHARED_WRITES: Final[dict[str, str]] = {
    "has_child_subreaper": "prctl() tells all below of it, under tasklist_lock held for reading: "
    "walk_process_tree()",
    "exit_state": "wait_task_zombie() claims a zombie under tasklist_lock held for reading",
    "hiwater_rss": "madvise() gives pages back under mmap_lock held for reading: "
    "update_hiwater_rss()",
}

# who asks on_a_cpu(), which is written out there
_ON_A_CPU: Final = (
    "sched_move_task reads",
    "sched_setscheduler reads",
    "set_cpus_allowed_ptr reads",
)

# field -> functions (none: all of them) that may touch it without a lock, and why; of those with
# " reads" behind their name only what reads
REASONS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "TaskStruct.*": (
        ("dup_task_struct reads", "free_task"),
        "copied as a whole, without locks, as on Linux; free_task(): the last reference is gone",
    ),
    "SignalStruct.*": (
        ("put_task_struct",),
        "cleared with its last task: whoever gives the last reference back is alone with it",
    ),
    "MmStruct.hiwater_rss": (
        ("update_hiwater_rss", "get_mm_hiwater_rss reads"),
        "a number for /proc, kept without more than mmap_lock held for reading, as on Linux",
    ),
    "SignalStruct.cred_guard": (
        ("wait_for_exec", "exec_guard_release reads"),
        "the emulator makes the queue at its first use; group_exec_task says whether to sleep",
    ),
    "MmStruct.mmap_lock": (("mmap_lock",), "the emulator makes locks at their first use"),
    "SignalStruct.rlim": (
        ("rlimit reads", "rlimits_of reads", "copy_signal reads", "sys_prlimit64"),
        "looked at with READ_ONCE, and replaced by one step; Linux: task_lock of the leader",
    ),
    "FilesStruct.*": (
        (),
        "each use is one step; Linux: file_lock, held just as long, and RCU for who looks",
    ),
    "FilesStruct.count": ((), COUNT),
    "FutexHashBucket.waiters": (
        (),
        "an atomic of Linux: counted before the lock is taken, so that wakers need not take it",
    ),
    "FsStruct.in_exec": (
        ("sys_execve", "check_unsafe_exec"),
        "cleared without the lock of fs, as on Linux; copy_fs() looks at it and counts in one step",
    ),
    **dict.fromkeys(
        ("FsStruct.cwd", "FsStruct.root"),
        ((), "each use is one step; Linux: the lock of fs, held just as long"),
    ),
    "FsStruct.umask": ((), "replaced by an atomic exchange, and read without a lock, as on Linux"),
    "FsStruct.users": ((), COUNT),
    "MmStruct.vmas": (
        ("get_futex_key reads", "mm_populate reads", "_put_tid reads"),
        "whether there is an area, and whose; Linux goes by the page that it has got hold of",
    ),
    "MmStruct.users": (
        ("mmget", "mm_release", "resume", "mmput"),
        "raised by who runs in it: see the field; a look at it on Linux too (mm_release), or ours",
    ),
    "SighandStruct.count": ((), COUNT),
    "SignalStruct.ac_flag": (
        (),
        "or-ed in one step; Linux: acct_collect() under siglock",
    ),
    "SignalStruct.count": ((), COUNT),
    "SignalStruct.flags": (
        (
            "wait_task_continued reads",
            "wait_task_stopped reads",
            "do_exit",
            "exit_signals",
            "_consider_child reads",
            "has_stopped_jobs reads",
            "do_group_exit reads",
        ),
        "a trace record; SIGNAL_GROUP_EXIT, which stays; a first look of wait(), which looks again "
        "under siglock; has_stopped_jobs(): tasklist_lock only. All as on Linux",
    ),
    "SignalStruct.group_exit_code": (
        ("_end_group", "do_exit", "do_notify_parent_cldstop reads", "do_group_exit reads"),
        SHOWN + "; told with tasklist_lock only, as on Linux: 0 if the report has been taken; "
        "do_group_exit(): after SIGNAL_GROUP_EXIT, without siglock, as on Linux",
    ),
    "SignalStruct.notify_count": (
        ("exit_notify reads", "de_thread"),
        "compared with -1, which is set under tasklist_lock; a look before the sleep; 0 when "
        "nobody is left. All as on Linux",
    ),
    "SignalStruct.cutime_ns": (("times_both reads", "sys_times reads"), SUMS),
    "SignalStruct.cstime_ns": (("times_both reads", "sys_times reads"), SUMS),
    "SignalStruct.cputimers": (
        (
            "user_work reads",
            "get_cpu_itimer reads",
            "wake_up_new_task reads",
        ),
        "the emulator makes them at their first use; whether CPUs tick for them is told to all",
    ),
    "SighandStruct.action": (
        ("install_program",),
        "flush_signal_handlers() without siglock, as on Linux: who sends meanwhile goes by either",
    ),
    "PtraceState.step": (("user_single_step_report reads",), "a flag of the thread, an atomic"),
    "PtraceState.syscall": (
        ("syscall_trace_enter reads", "syscall_exit_work reads", "syscall reads"),
        "a bit of syscall_work, an atomic of Linux, looked at once at the door",
    ),
    "TaskStruct.exit_code": (
        ("_stat_line reads", "do_notify_parent_cldstop reads"),
        SHOWN + "; told with tasklist_lock only, as on Linux: 0 if the report has been taken",
    ),
    "TaskStruct.comm": (
        ("_stat_line reads", "_status_text reads", "comm_show reads", "install_program"),
        SHOWN + "; by exec in one step; no lock for who looks from Linux 6.13 on",
    ),
    "TaskStruct.mm": (
        ("exec_mmap", "proc_pid_make_inode reads", "_stat_memory reads"),
        "changed and looked at in one step each; Linux: task_lock, held just as long",
    ),
    "TaskStruct.nsproxy": (
        ("proc_ns_dir_lookup reads",),
        "looked at, and what is found taken, in one step; Linux: task_lock, held just as long",
    ),
    "MmStruct.exe_file": (
        ("set_mm_exe_file", "proc_exe_link reads"),
        "read under RCU on Linux, and replaced by an atomic exchange",
    ),
    "TaskStruct.cpu": (
        (
            "set_task_comm reads",
            "set_on_rq reads",
            "_tick_dep reads",
            "cpus_by_urgency reads",
            "note_load reads",
        ),
        "where a task is, is asked without its runqueue's lock on Linux, too",
    ),
    "TaskStruct.nice": (
        (
            "_send_fork reads",
            "do_sched_setscheduler reads",
            "may_set reads",
            "sys_getpriority reads",
            "sys_setpriority reads",
            "set_user_nice reads",
        ),
        "read without a lock, as on Linux",
    ),
    "SignalStruct.live": ((), COUNT),
    "SignalStruct.nr_threads": (("resume",), OURS),
    "SignalStruct.shared_pending": (
        ("recalc_sigpending_tsk", "send_signal_locked"),
        "posix_spawn() unblocks signals without siglock; what comes then is seen at its end",
    ),
    "SignalStruct.min_flt": (("getrusage reads",), SUMS),
    "SignalStruct.nivcsw": (("getrusage reads",), SUMS),
    "SignalStruct.nvcsw": (("getrusage reads",), SUMS),
    "TaskStruct.parent": (
        (
            "ptrace_stop reads",
            "zap_process reads",
        ),
        "whom the bit JOBCTL_TRAPPING may keep waiting: Linux wakes who waits for the word",
    ),
    "TaskStruct.real_parent": (("sys_getppid reads", "fill_ac reads"), "read under RCU on Linux"),
    "PidMap.kernel": ((), "whether there is one namespace of pids only: the emulator's own"),
    "PidNamespace.pid_allocated": (
        ("zap_pid_ns_processes reads",),
        "looked at between set_current_state() and schedule(), as on Linux",
    ),
    "SharedPages.segment": (
        ("last_detach", "sys_shmdt reads", "put_shared reads"),
        "the last that has it attached removes it in one step; Linux: rwsem and the object's lock",
    ),
    "UnixSock.wmem_alloc": ((), COUNT),
    "UnixSock.err": ((), "an error reported once: taken by an atomic exchange on Linux"),
    "UnixSock.dead": (
        ("_consume_skb reads",),
        "a flag, looked at without the lock (sock_wfree), as on Linux",
    ),
    "UnixSock.receive_queue": (("_anything reads", "unix_poll reads"), LOOK),
    "UnixSock.shutdown": (
        (
            "_anything reads",
            "unix_poll reads",
            "_has_space reads",
            "_sock_alloc_send reads",
            "unix_stream_sendmsg reads",
        ),
        LOOK,
    ),
    "UnixSock.peer": (("unix_stream_sendmsg reads", "unix_dgram_sendmsg reads"), LOOK),
    "EventfdInode.count": (("eventfd_poll reads", "_readable reads", "_has_room reads"), LOOK),
    "Pipe.max_usage": (("_writable reads", "pipe_poll reads"), LOOK),
    "MmStruct.local": ((), TABLES),
    "SharedPages.committed": ((), COUNT),
    "TaskStruct.usage": ((), COUNT),
    "SignalStruct.stime_ns": (
        ("thread_group_cputime reads", "_exit_signal", "wait_task_zombie"),
        SUMS,
    ),
    "SignalStruct.utime_ns": (
        ("thread_group_cputime reads", "_exit_signal", "wait_task_zombie"),
        SUMS,
    ),
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
            "_tick_dep reads",
            "task_state_letter reads",
            "_consider_child reads",
            *_ON_A_CPU,
        ),
        "a look without tasklist_lock, on Linux too; who dies later wakes or ignores the signal; "
        "on_a_cpu(): the emulator's own, a CPU makes nothing of what it is told of the dead",
    ),
    "TaskStruct.flags": (
        (
            "_core_dumped",
            "copy_process",
            "begin_new_exec",
            "sys_execve",
            "get_signal",
            "_wants_signal reads",
            "_stat_line reads",
            "find_alive_thread reads",
        ),
        "only its task changes it; a copy may be of before, and what others see, as on Linux",
    ),
    "TaskStruct.jobctl": (
        (
            "recalc_sigpending_tsk reads",
            "ptrace_unfreeze_traced",
            "ptrace_attach",
            "wait_ptrace_stop",
        ),
        "looked at without siglock first, as on Linux, and again under it",
    ),
    "TaskStruct.msg_ns": ((), OURS),
    "TaskStruct.pi_lock": (("pi_lock",), "the emulator makes locks at their first use"),
    "TaskStruct.ptrace": (
        ("do_exit", "ptrace_event_enabled", "syscall", "sys_execve reads"),
        ORDERS,
    ),
    "TaskStruct.signal": (
        ("check_kill_permission", "free_task", "processes_of reads"),
        "read under RCU on Linux; of who is in a group of cgroups, under css_set_lock",
    ),
    "TaskStruct.pending": (
        ("fatal_signal_pending reads", "recalc_sigpending_tsk reads"),
        "looked at without siglock on Linux, too, by who is about to sleep, or comes from it",
    ),
    "TaskStruct.sigpending": (
        ("wake_up_new_task", "fatal_signal_pending"),
        "looked at again when the task comes to user mode, or goes round its loop",
    ),
    "TaskStruct.state": (
        (
            "set_task_state",
            "commit",
            "put",
            "_sleep reads",
            "_wants_signal reads",
            "task_state_letter reads",
            *_ON_A_CPU,
            "signal_wake_up_state reads",
            "_take_leadership reads",
        ),
        "shown; the check of the table of moves; a look whether it has stopped (jobctl on Linux); "
        "set_current_state(), and its store when it is seen; __schedule() of its own task; "
        "a loop that waits until the leader is dead: wait_task_inactive(); on_a_cpu(): as of "
        "exit_state",
    ),
    "TaskStruct.tracing": (
        ("_state_of", "ptrace_unlink", "tracing_of"),
        "lives as long as the link; a tracer that goes away clears it under tasklist_lock",
    ),
    "TaskStruct.attrs": (
        (
            "schedule_out reads",
            "do_task_dead reads",
            "of reads",
            "note_load reads",
            "urgency reads",
            "dup_task_struct reads",
            "__init__ reads",
            "_attrs_by_pid reads",
            "sys_sched_getattr reads",
            "sys_sched_setattr reads",
            "sched_setscheduler reads",
            "sys_sched_rr_get_interval reads",
            "sched_fork",
            "sys_sched_getaffinity reads",
        ),
        "read under the runqueue's lock, which a change takes, too (the scheduler: one step), or "
        "without one (sched_getaffinity(): pi_lock, held as long as the step); only its task, or "
        "its maker, changes the rest",
    ),
    "FutexQ.queued": (
        ("futex_wait",),
        "looked at after the sleep, as futex_unqueue() does before its lock",
    ),
    "IpcIds.entries": (("_find", "last_detach"), _SEGMENT),
    "IpcIds.keys": (("last_detach",), _SEGMENT),
    "IpcIds.used": (("last_detach",), _SEGMENT),
    "KernIpcPerm.deleted": (("last_detach",), _SEGMENT),
    "KernIpcPerm.key": (("last_detach",), _SEGMENT),
    "KernIpcPerm.mode": (("ipcperms reads",), RCU),
    "MmStruct.forked": ((), OURS),
    "MmStruct.stacks": ((), COSTS),
    "MmStruct.warm_at": ((), COSTS),
    "MmStruct.locks": ((), GUEST),
    "MmStruct.pt": ((), TABLES),
    "PageTable.filled": ((), TABLES),
    "PageTable.fresh": ((), TABLES),
    "PageTable.nr_zero": ((), TABLES),
    "PageTable.users": ((), TABLES),
    "Pid.task": (
        (
            "kill_pid_info",
            "find_task_by_vpid",
            "find_task_by_pid_ns",
            "pidfd_poll reads",
            "pid_has_task reads",
        ),
        RCU,
    ),
    "PidMap.hash": (
        ("find_vpid", "find_task_by_vpid", "find_task_by_pid_ns", "zap_pid_ns_processes reads"),
        RCU,
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
    "PosixCputimers.timers_active": (
        ("run_posix_cpu_timers reads",),
        "a look without siglock, READ_ONCE() on Linux, and again under it",
    ),
    "SignalStruct.args": (("proc_pid_cmdline_read reads",), SHOWN),
    "SignalStruct.pgrp": (("sys_getpgid reads",), RCU),
    "SignalStruct.session": (("sys_getsid reads",), RCU),
    "SemQueue.status": (("_sleep_until_done reads",), LOOK),
    "SemUndo.semid": (("find_alloc_undo reads", "exit_sem reads"), RCU),
    "SemUndoList.list_proc": (
        (),
        "one step looks at it, and adds or removes: all that Linux holds the list's lock for",
    ),
    "SharedPages.keep": (
        ("put_shared",),
        "the last detach is one step; Linux: shm_close() under the locks of ids and segment",
    ),
    "Pid.wait_pidfd": ((), "a wait queue is made at its first use; a part of struct pid on Linux"),
    "TaskStruct.group_leader": (("task_tgid_vnr reads",), RCU),
    "TaskStruct.thread_pid": (("task_tgid_vnr reads",), RCU),
    "TaskStruct.pid": (
        ("do_task_dead reads", "kick reads"),
        "a leader's number is exchanged only when it was seen to be dead: wait_task_inactive(); by "
        "which number a CPU knows the task that it is to look at: the emulator's own",
    ),
    "SemUndoList.refcnt": ((), COUNT),
    "SharedPages.frames": (
        (),
        "the page cache: a fault takes or finds a page in one step; Linux: xa_lock, page lock",
    ),
    "SharedPages.users": ((), COUNT),
    "SignalStruct.group_exec_task": (
        ("do_group_exit", "wait_for_exec reads", "_wait_for_exec reads"),
        "looked at without siglock first, as on Linux",
    ),
    "SignalStruct.threads": (
        (
            "begin_new_exec reads",
            "complete_signal reads",
            "do_group_exit",
            "exit_signals",
            "sys_clock_gettime reads",
            "check_unsafe_exec reads",
            "getrusage reads",
            "cpu_clock_sample_group reads",
            "thread_group_cputime reads",
            "pidfd_poll reads",
        ),
        "thread_group_empty() without a lock, and threads gone through under RCU, as on Linux",
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
        ("wait_for_vfork_done reads", "mm_release reads"),
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
    "KthreadList.requests": (("kthreadd reads",), LOOK),
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


# Who may touch a field without a lock, and who may only read it; ALL: everybody.
Excused = tuple[frozenset[str], frozenset[str]]
ALL: Final[frozenset[str]] = frozenset(("all",))


@cache
def excused_of(of: str, field: str) -> Excused | None:
    """Return the functions that may touch a field without a lock, as ``REASONS`` has them."""
    found = [REASONS[name] for name in (f"{of}.{field}", f"{of}.*") if name in REASONS]
    if not found:
        return None
    if any(not functions for functions, _why in found):
        return ALL, ALL
    names = [name for functions, _why in found for name in functions]
    return (
        frozenset(name for name in names if not name.endswith(" reads")),
        frozenset(name.removesuffix(" reads") for name in names if name.endswith(" reads")),
    )


def excused(of: str, field: str, where: str, write: bool) -> bool:
    """Tell whether the function ``where`` may touch a field without a lock."""
    rule = excused_of(of, field)
    if rule is None:
        return False
    return rule[0] is ALL or where in rule[0] or (not write and where in rule[1])
