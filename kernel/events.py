"""Trace events: Linux's tracepoints, by number, with their fields.

Every LP appends plain tuples ``(time_ns, event, *fields)`` to its own stream, in the order in
which they happened there; streams carry no host time and no object identity, so equal runs give
equal bytes. Field names are those of the tracepoint's ``format`` file on a live kernel.

A record of KernelState also names the CPU on whose behalf it ran (-1: none), in front of the
fields: ``(time_ns, event, cpu, *fields)``. A Cpu's stream says which CPU it is.

Source: include/trace/events/{sched,task,signal,kmem,exceptions,lock}.h.
Deviation: fields of ours: exit_code of sched_process_exit (the wait status of the process once it
is fixed, else of the task; no tracepoint of Linux has it), pid and kind of page_fault_user, pid of
signal_deliver, sys_enter and sys_exit, whose args and ret are
text. group_dead of sched_process_exit came after 6.12.
Deviation: the events task_change, task_args and cache_refill are ours.
Deviation: page_fault_user has no ip, mark_victim no memory sizes.
"""

from typing import Final

SCHED_SWITCH: Final = 1
SCHED_WAKEUP: Final = 2
SCHED_WAKEUP_NEW: Final = 3
SCHED_MIGRATE_TASK: Final = 4
SCHED_PROCESS_FORK: Final = 5
SCHED_PROCESS_EXEC: Final = 6
SCHED_PROCESS_EXIT: Final = 7
SCHED_PROCESS_WAIT: Final = 8
SCHED_PROCESS_FREE: Final = 9
TASK_NEWTASK: Final = 10
TASK_RENAME: Final = 11
SIGNAL_GENERATE: Final = 12
SIGNAL_DELIVER: Final = 13
PAGE_FAULT_USER: Final = 14
SYS_ENTER: Final = 15
SYS_EXIT: Final = 16
OOM_MARK_VICTIM: Final = 17
TASK_CHANGE: Final = 18
TASK_ARGS: Final = 19
CACHE_REFILL: Final = 20
SCHED_WAKING: Final = 21

EVENTS: Final[dict[int, tuple[str, tuple[str, ...]]]] = {
    SCHED_SWITCH: (
        "sched_switch",
        ("prev_comm", "prev_pid", "prev_prio", "prev_state", "next_comm", "next_pid", "next_prio"),
    ),
    SCHED_WAKEUP: ("sched_wakeup", ("comm", "pid", "prio", "target_cpu")),
    # of a machine that records it (trace.waking): target_cpu is where the task slept; the record's
    # CPU is the waker's
    SCHED_WAKING: ("sched_waking", ("comm", "pid", "prio", "target_cpu")),
    SCHED_WAKEUP_NEW: ("sched_wakeup_new", ("comm", "pid", "prio", "target_cpu")),
    SCHED_MIGRATE_TASK: ("sched_migrate_task", ("comm", "pid", "prio", "orig_cpu", "dest_cpu")),
    SCHED_PROCESS_FORK: (
        "sched_process_fork",
        ("parent_comm", "parent_pid", "child_comm", "child_pid"),
    ),
    SCHED_PROCESS_EXEC: ("sched_process_exec", ("filename", "pid", "old_pid")),
    SCHED_PROCESS_EXIT: (
        "sched_process_exit",
        ("comm", "pid", "prio", "group_dead", "exit_code"),
    ),
    SCHED_PROCESS_WAIT: ("sched_process_wait", ("comm", "pid", "prio")),
    SCHED_PROCESS_FREE: ("sched_process_free", ("comm", "pid", "prio")),
    TASK_NEWTASK: ("task_newtask", ("pid", "comm", "clone_flags", "oom_score_adj")),
    TASK_RENAME: ("task_rename", ("pid", "oldcomm", "newcomm", "oom_score_adj")),
    SIGNAL_GENERATE: (
        "signal_generate",
        ("sig", "errno", "code", "comm", "pid", "group", "result"),
    ),
    SIGNAL_DELIVER: ("signal_deliver", ("sig", "errno", "code", "sa_handler", "sa_flags", "pid")),
    # kind: "zero", "anon", "cow_copy", "cow_reuse", "file", "shared"
    PAGE_FAULT_USER: ("page_fault_user", ("pid", "address", "error_code", "kind")),
    # of a machine that records them (kernel.trace.systrace); args and ret as text
    SYS_ENTER: ("sys_enter", ("pid", "id", "args")),
    SYS_EXIT: ("sys_exit", ("pid", "id", "ret")),
    OOM_MARK_VICTIM: ("mark_victim", ("pid", "comm")),
    # what no tracepoint of Linux tells and a process table needs: field is "ppid" (a new parent,
    # by its thread id), "pgid", "sid" (a session and group of its own), "nice", "policy" (SCHED_*),
    # "cpu" (of a thread bound at boot), "cpus" (a mask that was set, in hexadecimal) or "throttled"
    # (1: it is runnable, and its group may not run on its CPU; 0: it may again)
    TASK_CHANGE: ("task_change", ("pid", "field", "value")),
    # the command line of a new program, where it is more than its name: what names the program
    # (of a script with its interpreter), and the other arguments; each at most 256 characters
    TASK_ARGS: ("task_args", ("pid", "program", "args")),
    # a task begins to run where its cache is cold, and where it ran last: what that will take
    CACHE_REFILL: ("cache_refill", ("pid", "orig_cpu", "refill_ns")),
}
