"""Messages between logical processes: closed sets of plain tuples.

Requests go from a CPU to the kernel, effects from the kernel to a CPU, and one kind of message
from CPU to CPU (``ARRIVE``, a task's CPU-resident half on the move). A message is a tuple so that
it costs one allocation in one process and needs no translation for msgpack between processes.

Layout::

    request  (time_ns, cpu, seq, code, pid, utime_ns, stime_ns, nivcsw, *arguments)
    effect   (time_ns, code, pid, *arguments)

``(time_ns, cpu, seq)`` orders requests totally and ``(cpu, seq)`` names one for ever: a repeated
request is recognised by it and answered from the reply cache. ``utime_ns``, ``stime_ns`` and
``nivcsw`` are the task's CPU times and involuntary context switches so far, so the kernel's half
is up to date whenever it looks.

Between two LPs messages never overtake each other. An effect about a task carries a time no earlier
than the last one about it. A CPU that gets an effect for a task that moved away passes it on; one
that comes before its task has arrived waits for it.
"""

from typing import Any, Final

Request = tuple[Any, ...]
Effect = tuple[Any, ...]

# indices into a request
R_TIME: Final = 0
R_CPU: Final = 1
R_SEQ: Final = 2
R_CODE: Final = 3
R_PID: Final = 4
R_UTIME: Final = 5
R_STIME: Final = 6
R_NIVCSW: Final = 7
R_ARGS: Final = 8

REQ_SYSCALL: Final = 1
REQ_CONTINUE: Final = 2
REQ_USER_WORK: Final = 3
REQ_RESUME: Final = 4
REQ_PULL_FAILED: Final = 5
REQ_MIGRATED: Final = 6
REQ_FATAL: Final = 7
REQ_PUSHED: Final = 8
REQ_BALANCED: Final = 9

REQUESTS: Final[dict[int, tuple[str, tuple[str, ...], str]]] = {
    REQ_SYSCALL: ("syscall", ("op", "ctx"), "the current task makes a system call"),
    REQ_CONTINUE: ("continue", (), "a woken task runs again and goes on in its system call"),
    REQ_USER_WORK: (
        "user_work",
        ("op",),
        "a signal is pending in user mode; op: what a resident task is about to call, or None",
    ),
    REQ_RESUME: ("resume", ("value",), "run the next block of a context that lives in the kernel"),
    REQ_PULL_FAILED: ("pull_failed", ("dest_cpu",), "posted: nothing to give to that CPU"),
    REQ_MIGRATED: ("migrated", ("dest_cpu",), "posted: the task was given to that CPU"),
    REQ_PUSHED: ("pushed", ("dest_cpu",), "posted: the task left for a CPU where it may run"),
    REQ_BALANCED: (
        "balanced",
        ("dest_cpu", "moved", "all_pinned", "active"),
        "posted: that many went to that CPU; none may; or the running one will",
    ),
    REQ_FATAL: ("fatal", ("message",), "posted: the guest program broke the run"),
}
POSTED: Final = (REQ_PULL_FAILED, REQ_MIGRATED, REQ_FATAL, REQ_PUSHED, REQ_BALANCED)

EFF_RETURN: Final = 1
EFF_ERROR: Final = 2
EFF_NEXT: Final = 3
EFF_TAKE: Final = 4
EFF_EXEC: Final = 5
EFF_SLEEP: Final = 6
EFF_DEAD: Final = 7
EFF_USER: Final = 8
EFF_FORK: Final = 9
EFF_SPAWN: Final = 10
EFF_WAKE: Final = 11
EFF_SIGNAL: Final = 12
EFF_PULL: Final = 13
EFF_RENICE: Final = 14
EFF_MOVED_ACK: Final = 15
EFF_HANDLE: Final = 17
EFF_RENAME: Final = 18
EFF_TRACED: Final = 19
EFF_TUNE: Final = 20
EFF_KTHREAD: Final = 21
EFF_RESCHED: Final = 22
EFF_BALANCE: Final = 23
ARRIVE: Final = 16

EFFECTS: Final[dict[int, tuple[str, tuple[str, ...], str]]] = {
    # replies: end the wait of the CPU's current task
    EFF_RETURN: ("return", ("value",), "the system call returned"),
    EFF_ERROR: ("error", ("error",), "it failed; error as in kernel.uapi.failure"),
    EFF_NEXT: ("next", ("op", "steps"), "the context in the kernel ran on to its next op"),
    EFF_TAKE: ("take", ("ctx", "value", "error"), "the context comes back to the CPU; go on"),
    EFF_EXEC: (
        "exec",
        ("image", "argv", "env", "comm", "dest_cpu", "start"),
        "a new program replaces the context",
    ),
    EFF_SLEEP: ("sleep", ("state",), "the task sleeps in its system call"),
    EFF_DEAD: ("dead", (), "the task never runs again"),
    EFF_USER: ("user", (), "nothing to do: back to user mode where it was"),
    EFF_HANDLE: (
        "handle",
        ("signals", "how", "until_ns", "value", "error"),
        "C-level handlers have run; how: 0 the call returned, else OP_ (kernel.uapi.signals)",
    ),
    EFF_RESCHED: (
        "resched",
        (),
        "the path goes on at once, unless the CPU runs another task first",
    ),
    # everything else may come at any time
    EFF_FORK: (
        "fork",
        ("child", "tgid", "comm", "nice", "dest_cpu", "resident", "ctx", "vfork"),
        "pid has a child: make its CPU half from the parent's and put it on dest_cpu",
    ),
    EFF_SPAWN: (
        "spawn",
        ("tgid", "comm", "nice", "image", "argv", "env", "start"),
        "a new task with a fresh program starts here",
    ),
    EFF_KTHREAD: ("kthread", ("tgid", "comm", "nice"), "a new kernel thread starts here"),
    EFF_WAKE: ("wake", ("dest_cpu",), "the parked task is runnable on dest_cpu"),
    EFF_SIGNAL: ("signal", (), "set its TIF_SIGPENDING; if it runs, make it enter the kernel"),
    EFF_PULL: ("pull", ("dest_cpu",), "give a queued task to that CPU (pid is 0)"),
    EFF_BALANCE: (
        "balance",
        ("dest_cpu", "dest_idle", "kind", "imbalance", "nr_balance_failed", "active"),
        "too busy: give that CPU as much (kernel.smp.balance; pid is 0)",
    ),
    EFF_RENAME: ("rename", ("new_pid",), "exec by a non-leader: pid is now new_pid"),
    EFF_RENICE: ("renice", ("nice",), "the task's nice value changed"),
    EFF_TRACED: ("traced", ("slow_door",), "a tracer sees its calls: bring every one here, or not"),
    EFF_TUNE: ("tune", ("what", "value"), "the CPU's half of the task is to change: TUNE_"),
    EFF_MOVED_ACK: ("moved_ack", (), "the kernel knows where the task is: forget it"),
    ARRIVE: ("arrive", ("task", "reason"), "a task's CPU half comes from another CPU"),
}
REPLIES: Final = frozenset(
    (
        EFF_RETURN,
        EFF_ERROR,
        EFF_NEXT,
        EFF_TAKE,
        EFF_EXEC,
        EFF_SLEEP,
        EFF_DEAD,
        EFF_USER,
        EFF_HANDLE,
        EFF_RESCHED,
    )
)

# what EFF_TUNE changes
TUNE_COMM: Final = 0  # its name: str
TUNE_CPUTIMER: Final = 1  # whether it needs every tick: bool
TUNE_AFFINITY: Final = 2  # CPUs it may use, the one to go to if it must first; None: all
TUNE_POLICY: Final = 3  # (policy, rt_priority, nice, reset_on_fork)
TUNE_PUSH: Final = 4  # a real-time task that waits is to go to that CPU

# what the imbalance of EFF_BALANCE counts: enum migration_type of kernel/sched/sched.h
MIGRATE_LOAD: Final = 0
MIGRATE_TASK: Final = 2

# why a task arrives
BY_FORK: Final = 0
BY_WAKE: Final = 1
BY_PULL: Final = 2
BY_EXEC: Final = 3
BY_PUSH: Final = 4

NEVER: Final = 1 << 62  # a time later than any run


def describe(message: tuple[Any, ...], *, request: bool) -> str:
    """Return a one-line text of a message for logs and stories.

    Raises:
        KeyError: the code is not one of the closed set.
    """
    if request:
        name, names, _ = REQUESTS[message[R_CODE]]
        head = f"{message[0]} cpu{message[1]}#{message[2]} pid {message[R_PID]} {name}"
        values = message[R_ARGS:]
    else:
        name, names, _ = EFFECTS[message[1]]
        head = f"{message[0]} pid {message[2]} {name}"
        values = message[3:]
    return head + "".join(f" {n}={v!r}" for n, v in zip(names, values))
