"""What guards each field of the watched structures, and which locks guard nothing that could break.

``GUARDS`` names the class of the lock (as in lockstat) under which others' uses of a field are kept
apart. Three entries are no locks: OWN, ONCE and ORDER. Where a field may be used without its lock
all the same, ``cluster.race.fields`` says by which functions and why; one of them that takes the
lock counts as all others while it has it.

``ONE_WRITER`` marks fields that one task at a time writes, whatever locks there are and whatever
``REASONS`` allow: ``cluster.race.watch`` holds every write of theirs to that, as KCSAN does for
ASSERT_EXCLUSIVE_WRITER(). Readers may come at any time.

``PUBLISHED`` are pointers that order who follows them after who has set them.

``LAST_USES`` are what several tasks use and the last of them frees: it comes after all they did.

``IDLE_LOCKS`` are locks of paths, by their point, that can be dropped without effect here: each
with the reason. All others are found when they are dropped.
"""

from typing import Final

OWN: Final = "only its own task uses it while it lives"
ONCE: Final = "set before anybody else can see it"
ORDER: Final = "stores, loads and barriers in an order: set_current_state() and try_to_wake_up()"

_SIG: Final = "siglock"
_TASKS: Final = "tasklist_lock"
_PI: Final = "pi_lock"
_PIDMAP: Final = "pidmap_lock"
_PIPE: Final = "pipe_mutex"
_QUEUE: Final = "wait_queue"
_BUCKET: Final = "futex_hash_bucket"
_STATE: Final = "unix_state_lock"
_MMAP: Final = "mmap_lock"


def _all(of: str, guard: str, fields: str) -> dict[str, str]:
    return {f"{of}.{field}": guard for field in fields.split()}


# "Structure.field", or "Structure.*" for its other fields -> class of the lock, or how its name
# ends; or OWN, ONCE, ORDER
GUARDS: Final[dict[str, str]] = {
    **_all(
        "TaskStruct",
        _TASKS,
        "children exit_state group_leader parent parent_exec_id ptrace real_parent self_exec_id "
        "tasks_next tasks_prev thread_pid pid exit_signal pdeath_signal start_time_ns "
        "cgroup",
    ),
    **_all(
        "TaskStruct",
        _SIG,
        "blocked exit_code jobctl pending real_blocked sighand sigpending tripped flags",
    ),
    **_all("TaskStruct", _PI, "attrs cpu nice"),
    "TaskStruct.state": ORDER,
    **_all("TaskStruct", "alloc_lock", "comm vfork_done"),
    "SignalStruct.rlim": "alloc_lock",
    **_all(
        "TaskStruct",
        OWN,
        "clear_child_tid cred files fs kthread mm nsproxy restart_ns slot soft_ns stack sysvsem "
        "timer usage wakes",
    ),
    **_all("TaskStruct", ONCE, "signal tgid"),
    **_all(
        "SignalStruct",
        _SIG,
        "cmaxrss cmin_flt cnivcsw cnvcsw cstime_ns cutime_ns cputimers curr_target flags "
        "group_exec_task group_exit_code group_stop_count itimer maxrss min_flt multiprocess "
        "nivcsw notify_count nr_threads nvcsw quick_threads shared_pending stime_ns utime_ns",
    ),
    **_all(
        "SignalStruct",
        _TASKS,
        "autogroup has_child_subreaper is_child_subreaper leader pgrp session threads",
    ),
    **_all("SignalStruct", OWN, "args env oom_score_adj oom_score_adj_min oom_victim cred_guard"),
    "SighandStruct.action": _SIG,
    **_all("TaskList", _TASKS, "head nr_processes nr_threads total_forks"),
    **_all("TaskList", ONCE, "max_threads profile rlimits users"),
    **_all("Pid", _TASKS, "leader pgrp session task wait_pidfd"),
    **_all("Pid", ONCE, "nr numbers stashed"),
    **_all("PidMap", _PIDMAP, "hash last taken used"),
    "PidMap.pid_max": ONCE,
    **_all("PidNamespace", _PIDMAP, "adding pid_allocated"),
    **_all("PidNamespace", _TASKS, "child_reaper"),
    **_all("PidNamespace", ONCE, "level parent pids bacct"),
    "UserStruct.uid": ONCE,
    "MmStruct.*": _MMAP,
    "SharedPages.*": "shm_perm",
    "FsStruct.*": OWN,
    "Completion.*": _QUEUE,
    "WaitQueueHead.*": _QUEUE,
    "WaitOpts.*": OWN,
    "Kthread.*": OWN,
    "KthreadCreateInfo.*": ONCE,
    "KthreadList.requests": "kthread_create_lock",
    "KthreadList.lock": ONCE,
    "PtraceState.*": _SIG,
    "PtraceState.ptraced": _TASKS,
    "MultiprocessSignals.signals": _SIG,
    "RealTimer.*": _SIG,
    "PosixCputimers.*": _SIG,
    "CpuItimer.*": _SIG,
    "FutexHashBucket.chain": _BUCKET,
    "FutexQ.*": _BUCKET,
    "Pipe.*": _PIPE,
    **_all("Pipe", ONCE, "rd_wait wr_wait"),
    **_all("UnixSock", _STATE, "dead peer receive_queue shutdown"),
    **_all("UnixSock", ONCE, "iolock lock rd_wait sndbuf type wr_wait"),
    "MsgQueue.*": "msg_perm",
    "MsgQueue.perm": ONCE,
    "MsgReceiver.*": "msg_perm",
    "SemArray.*": "sem_perm",
    **_all("SemArray", ONCE, "perm sems"),
    "Sem.*": "sem_perm",
    "SemQueue.*": "sem_perm",
    "SemUndo.*": "sem_perm",
    "SemUndoList.list_proc": "sem_perm",
    "ShmidKernel.*": "shm_perm",
    "KernIpcPerm.*": "ids.rwsem",
    **_all("KernIpcPerm", "_perm", "deleted mode"),
    "KernIpcPerm.lock": ONCE,
    "IpcIds.*": "ids.rwsem",
    **_all("IpcIds", ONCE, "name rwsem"),
    "EventfdInode.count": "eventfd_lock",
    **_all("EventfdInode", ONCE, "lock semaphore wqh"),
}

# "Structure.field" -> why two writes of it can never come at the same time
ONE_WRITER: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            "TaskStruct.clear_child_tid",
            "TaskStruct.cred",
            "TaskStruct.files",
            "TaskStruct.flags",
            "TaskStruct.fs",
            "TaskStruct.mm",
            "TaskStruct.nsproxy",
            "TaskStruct.restart_ns",
            "TaskStruct.self_exec_id",
            "TaskStruct.sysvsem",
            "TaskStruct.vfork_done",
        ),
        "its own task writes it; before that who makes it, and after it is dead who frees it",
    ),
    "MmStruct.exe_file": "exec sets it before anybody else has the address space",
    "SignalStruct.maxrss": "the last thread of the group writes it",
}

# Pointers, and tables of them, that Linux sets with rcu_assign_pointer() or puts into lists and
# trees of RCU, and that are followed without their lock, by rcu_dereference(): by whom is said in
# REASONS. What was done before they were set comes before what is done by who has followed them.
PUBLISHED: Final[frozenset[str]] = frozenset(
    (
        "IpcIds.entries",
        "Pid.task",
        "PidMap.hash",
        "SignalStruct.pgrp",
        "SignalStruct.session",
        "SignalStruct.threads",
        "TaskStruct.real_parent",
        "TaskStruct.sighand",
        "TaskStruct.thread_pid",
    )
)

# "Structure.field" -> field of a task by which it uses the structure, and the function that frees
# it when its last user has gone: atomic_dec_and_test() orders that after what the others have done
_FREES_FS: Final = ("fs", "put_fs_struct")
LAST_USES: Final[dict[str, tuple[str, str]]] = {
    "MmStruct.vmas": ("mm", "exit_mmap"),
    "FilesStruct.open_fds": ("files", "_drop_table"),
    **dict.fromkeys(
        ("FsStruct.cwd", "FsStruct.root", "FsStruct.slot", "FsStruct.umask"), _FREES_FS
    ),
}


def guard_of(of: str, field: str) -> str:
    """Return the class of the lock that guards a field; OWN, ONCE, ORDER; or an empty string."""
    return GUARDS.get(f"{of}.{field}") or GUARDS.get(f"{of}.*") or ""


# point that takes a lock -> why it can be dropped without effect
IDLE_LOCKS: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("unix_recvmsg.iolock", "unix_recvmsg.iolock_again"),
        "keeps readers of a socket apart while Linux copies without the state lock; here all that "
        "a reader does to the queue is one step under the state lock",
    ),
    "kthread_bind_mask.pi_lock": "the thread has not run, and nobody else has been told of it",
    "complete_all.lock": "a kernel thread that ends tells whoever stops it, and nobody does",
}
