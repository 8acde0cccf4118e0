"""Messages between logical processes: closed sets of plain tuples.

Requests go from a CPU to the kernel, effects from the kernel to a CPU, and two kinds of messages
from CPU to CPU (``ARRIVE``, a task's half on the move; ``EFF_SIBLING``, in a core). A message is a
tuple: one allocation in one process, no translation for msgpack between processes.

Layout::

    request  (time_ns, cpu, seq, code, pid, utime_ns, stime_ns, nivcsw, run_delay_ns, *arguments)
    effect   (time_ns, code, pid, *arguments)

``(time_ns, cpu, seq)`` orders requests totally and ``(cpu, seq)`` names one for ever: a repeated
request is recognised by it and answered from the reply cache. ``utime_ns``, ``stime_ns`` and
``nivcsw`` are the task's CPU times and involuntary context switches so far, ``run_delay_ns`` how
long it has waited for a CPU, so the kernel's half is up to date whenever it looks.

Every message has one constructor below (``req_…``, ``eff_…``, ``arrive``): who sends one calls it,
so that mypy knows what is in it. Who gets one refuses what is in no table (``errors.unknown``).

Between two LPs messages never overtake each other. An effect about a task is no earlier than the
last one about it. One for a task that moved away is passed on; one before its task arrives waits.
"""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kernel.cpu.task import CpuTask
    from kernel.uapi.failure import Error
    from kernel.uapi.policy import SchedPolicy
    from kernel.user import Op, UserContext

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
R_RUN_DELAY: Final = 8
R_ARGS: Final = 9

REQ_SYSCALL: Final = 1
REQ_CONTINUE: Final = 2
REQ_USER_WORK: Final = 3
REQ_RESUME: Final = 4
REQ_PULL_FAILED: Final = 5
REQ_MIGRATED: Final = 6
REQ_FATAL: Final = 7
REQ_PUSHED: Final = 8
REQ_BALANCED: Final = 9
REQ_AVERAGES: Final = 10
REQ_NOISE: Final = 11
REQ_TELL: Final = 12
REQ_WENT_ON: Final = 13
REQ_SAID: Final = 14

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
        ("dest_cpu", "moved", "pinned", "active"),
        "posted: that many went to that CPU; which may not: PINNED_; or the running one will",
    ),
    REQ_AVERAGES: ("averages", ("averages",), "posted: as kernel.sched.pelt.report has them"),
    REQ_TELL: ("tell", ("rank", "key"), "posted: the task's class has something to say of it"),
    REQ_NOISE: ("noise", ("irq", "softirq", "steal"), "posted: ns that were taken from it so far"),
    REQ_WENT_ON: ("went_on", ("child", "first_ns", "on"), "posted: after the fork of that child"),
    REQ_SAID: ("said", ("rank", "key", "data"), "posted: a class has something to say to its half"),
    REQ_FATAL: ("fatal", ("message",), "posted: the guest program broke the run"),
}

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
EFF_TOLD: Final = 26
EFF_SIBLING: Final = 24
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
    EFF_RESCHED: ("resched", (), "the path goes on, unless the CPU runs another task first"),
    # everything else may come at any time
    EFF_FORK: (
        "fork",
        ("child", "tgid", "comm", "nice", "dest_cpu", "resident", "ctx", "flags"),
        "pid has a child: make its CPU half from the parent's and put it on dest_cpu",
    ),
    EFF_SPAWN: (
        "spawn",
        ("tgid", "comm", "nice", "image", "argv", "env", "start", "remote"),
        "a new task with a fresh program starts here; remote: another CPU says so",
    ),
    EFF_KTHREAD: ("kthread", ("tgid", "comm", "nice", "remote"), "a new kernel thread starts here"),
    EFF_WAKE: (
        "wake",
        ("dest_cpu", "remote"),
        "the parked task is runnable on dest_cpu; remote: another CPU says so",
    ),
    EFF_SIGNAL: ("signal", ("remote",), "set its TIF_SIGPENDING; one that runs enters the kernel"),
    EFF_PULL: ("pull", ("dest_cpu",), "give a queued task to that CPU (pid is 0)"),
    EFF_BALANCE: (
        "balance",
        ("dest", "idle", "kind", "amount", "failed", "active", "tries"),
        "too busy: give that CPU as much (kernel.smp.balance; pid is 0)",
    ),
    EFF_SIBLING: ("sibling", ("cpu", "busy"), "a CPU of the same core began or ended to idle"),
    EFF_RENAME: ("rename", ("new_pid",), "exec by a non-leader: pid is now new_pid"),
    EFF_RENICE: ("renice", ("nice",), "the task's nice value changed"),
    EFF_TRACED: ("traced", ("slow_door",), "a tracer sees its calls: bring every one here, or not"),
    EFF_TUNE: ("tune", ("what", "value"), "the CPU's half of the task is to change: TUNE_"),
    EFF_TOLD: ("told", ("rank", "key", "data"), "to a class, from its half, or from another CPU"),
    EFF_MOVED_ACK: ("moved_ack", (), "the kernel knows where the task is: forget it"),
    ARRIVE: ("arrive", ("task", "reason"), "a task's CPU half comes from another CPU"),
}

# what EFF_TUNE changes
TUNE_COMM: Final = 0  # its name: str
TUNE_CPUTIMER: Final = 1  # whether it needs every tick: bool
TUNE_AFFINITY: Final = 2  # CPUs it may use, the one to go to if it must first; None: all
TUNE_POLICY: Final = 3  # (policy, priority, nice, reset_on_fork, the class's own)
TUNE_PUSH: Final = 4  # a real-time task that waits is to go to that CPU
TUNE_GROUP: Final = 5  # numbers of its groups, from the top down

# what the imbalance of EFF_BALANCE counts: enum migration_type of kernel/sched/sched.h
MIGRATE_LOAD: Final = 0
MIGRATE_UTIL: Final = 1
MIGRATE_TASK: Final = 2
MIGRATE_MISFIT: Final = 3
MIGRATE_H_LOAD: Final = 4  # load of which groups have their part

# of the tasks that a pass looked at: none, all, or some may not go there
PINNED_ALL: Final = 1
PINNED_SOME: Final = 2

# why a task arrives
BY_FORK: Final = 0
BY_WAKE: Final = 1
BY_PULL: Final = 2
BY_EXEC: Final = 3
BY_PUSH: Final = 4
BY_REMOTE_WAKE: Final = 5  # by another CPU than the one it arrives at

# A time later than any run: the greatest that compiled code keeps in a register. To compare with
# a greater one is a call of Python's, and every CPU does that at every step.
NEVER: Final = (1 << 62) - 1
END: Final = NEVER - 1  # a horizon: the run is over, only what has been sent still arrives


# -- requests ----------------------------------------------------------------------------------
# All begin with the time, the CPU and the number of the request. Those of a task that waits for the
# answer go on with its pid, its CPU times and how often it lost its CPU; those that are posted
# leave the times out.


def req_syscall(
    at_ns: int, cpu: int, seq: int, pid: int, utime_ns: int, stime_ns: int, nivcsw: int,
    run_delay_ns: int, op: "Op", ctx: "UserContext | None",
) -> Request:  # fmt: skip
    """The current task makes the system call ``op``; ``ctx`` goes to live with the kernel."""
    return at_ns, cpu, seq, REQ_SYSCALL, pid, utime_ns, stime_ns, nivcsw, run_delay_ns, op, ctx


def req_continue(
    at_ns: int, cpu: int, seq: int, pid: int, utime_ns: int, stime_ns: int, nivcsw: int,
    run_delay_ns: int,
) -> Request:  # fmt: skip
    """A task runs again, and goes on in its system call."""
    return at_ns, cpu, seq, REQ_CONTINUE, pid, utime_ns, stime_ns, nivcsw, run_delay_ns


def req_user_work(
    at_ns: int, cpu: int, seq: int, pid: int, utime_ns: int, stime_ns: int, nivcsw: int,
    run_delay_ns: int, op: "Op | None",
) -> Request:  # fmt: skip
    """A signal is pending in user mode; ``op``: what a resident task is about to call."""
    return at_ns, cpu, seq, REQ_USER_WORK, pid, utime_ns, stime_ns, nivcsw, run_delay_ns, op


def req_resume(
    at_ns: int, cpu: int, seq: int, pid: int, utime_ns: int, stime_ns: int, nivcsw: int,
    run_delay_ns: int, value: object,
) -> Request:  # fmt: skip
    """Run the next block of a context that lives in the kernel; ``value`` is its call's result."""
    return at_ns, cpu, seq, REQ_RESUME, pid, utime_ns, stime_ns, nivcsw, run_delay_ns, value


def req_pull_failed(at_ns: int, cpu: int, seq: int, dest_cpu: int) -> Request:
    """There is no task to give to ``dest_cpu``."""
    return at_ns, cpu, seq, REQ_PULL_FAILED, 0, 0, 0, 0, 0, dest_cpu


def req_migrated(at_ns: int, cpu: int, seq: int, pid: int, dest_cpu: int) -> Request:
    """The task was given to ``dest_cpu``, which had asked for one."""
    return at_ns, cpu, seq, REQ_MIGRATED, pid, 0, 0, 0, 0, dest_cpu


def req_pushed(at_ns: int, cpu: int, seq: int, pid: int, dest_cpu: int) -> Request:
    """The task left for ``dest_cpu`` of this CPU's own accord."""
    return at_ns, cpu, seq, REQ_PUSHED, pid, 0, 0, 0, 0, dest_cpu


def req_balanced(
    at_ns: int, cpu: int, seq: int, dest_cpu: int, moved: int, pinned: int, active: bool
) -> Request:
    """``moved`` tasks went to ``dest_cpu``; PINNED_ may not, or the running one will."""
    return at_ns, cpu, seq, REQ_BALANCED, 0, 0, 0, 0, 0, dest_cpu, moved, pinned, active


def req_averages(at_ns: int, cpu: int, seq: int, pid: int, averages: tuple[int, ...]) -> Request:
    """PELT's averages of the current task and of the CPU: ``kernel.sched.pelt.report``."""
    return at_ns, cpu, seq, REQ_AVERAGES, pid, 0, 0, 0, 0, averages


def req_tell(at_ns: int, cpu: int, seq: int, pid: int, rank: int, key: int) -> Request:
    """The class of the task, of that rank, has something to tell its half in the kernel."""
    return at_ns, cpu, seq, REQ_TELL, pid, 0, 0, 0, 0, rank, key


def req_said(at_ns: int, cpu: int, seq: int, rank: int, key: int, data: tuple[int, ...]) -> Request:
    """The class of that rank has something to say to its half in the kernel, about no task."""
    return at_ns, cpu, seq, REQ_SAID, 0, 0, 0, 0, 0, rank, key, data


def req_noise(at_ns: int, cpu: int, seq: int, irq: int, softirq: int, steal: int) -> Request:
    """So many ns were taken from the CPU since boot."""
    return at_ns, cpu, seq, REQ_NOISE, 0, 0, 0, 0, 0, irq, softirq, steal


def req_went_on(
    at_ns: int, cpu: int, seq: int, pid: int, child: int, first_ns: int, on: int
) -> Request:
    """After the fork of ``child``, it or its parent went on at ``first_ns`` on the CPU ``on``."""
    return at_ns, cpu, seq, REQ_WENT_ON, pid, 0, 0, 0, 0, child, first_ns, on


def req_fatal(at_ns: int, cpu: int, seq: int, pid: int, message: str) -> Request:
    """The guest program broke the run."""
    return at_ns, cpu, seq, REQ_FATAL, pid, 0, 0, 0, 0, message


# -- answers -----------------------------------------------------------------------------------
# All begin with the time (``Kernel.stamp``) and the task's pid.


def eff_return(at_ns: int, pid: int, value: object) -> Effect:
    """The system call returned ``value``."""
    return at_ns, EFF_RETURN, pid, value


def eff_error(at_ns: int, pid: int, error: "Error") -> Effect:
    """The system call failed."""
    return at_ns, EFF_ERROR, pid, error


def eff_next(at_ns: int, pid: int, op: "Op", steps: int) -> Effect:
    """The context in the kernel ran ``steps`` blocks, up to ``op``."""
    return at_ns, EFF_NEXT, pid, op, steps


def eff_take(
    at_ns: int, pid: int, ctx: "UserContext", value: object, error: "Error | None"
) -> Effect:
    """The context comes back to the CPU, with how its call ended."""
    return at_ns, EFF_TAKE, pid, ctx, value, error


def eff_exec(
    at_ns: int,
    pid: int,
    image: str,
    argv: tuple[str, ...],
    env: tuple[tuple[str, str], ...],
    comm: str,
    dest_cpu: int,
    start: int,
) -> Effect:
    """A new program replaces the context; it starts on ``dest_cpu``."""
    return at_ns, EFF_EXEC, pid, image, argv, env, comm, dest_cpu, start


def eff_sleep(at_ns: int, pid: int, state: int) -> Effect:
    """The task sleeps in its system call."""
    return at_ns, EFF_SLEEP, pid, state


def eff_dead(at_ns: int, pid: int) -> Effect:
    """The task never runs again."""
    return at_ns, EFF_DEAD, pid


def eff_user(at_ns: int, pid: int) -> Effect:
    """There was nothing to do: back to user mode."""
    return at_ns, EFF_USER, pid


def eff_handle(
    at_ns: int,
    pid: int,
    signals: tuple[int, ...],
    how: int,
    until_ns: int,
    value: object,
    error: "Error | None",
) -> Effect:
    """Handlers have run; ``how`` they interrupted the program is an OP_, or 0."""
    return at_ns, EFF_HANDLE, pid, signals, how, until_ns, value, error


def eff_resched(at_ns: int, pid: int) -> Effect:
    """The CPU may run another task first; then the path goes on."""
    return at_ns, EFF_RESCHED, pid


# -- other effects -----------------------------------------------------------------------------


def eff_fork(
    at_ns: int,
    pid: int,
    child: int,
    tgid: int,
    comm: str,
    nice: int,
    dest_cpu: int,
    resident: bool,
    ctx: "UserContext | None",
    flags: int,
) -> Effect:
    """``pid`` has a child: make its half from the parent's, and put it on ``dest_cpu``.

    ``flags``: FORK_VFORK, FORK_VM of ``kernel.sched.sched_class``.
    """
    return at_ns, EFF_FORK, pid, child, tgid, comm, nice, dest_cpu, resident, ctx, flags


def eff_spawn(
    at_ns: int,
    pid: int,
    tgid: int,
    comm: str,
    nice: int,
    image: str,
    argv: tuple[str, ...],
    env: tuple[tuple[str, str], ...],
    start: int,
    remote: bool,
) -> Effect:
    """A new task starts here with a fresh program; ``remote``: another CPU made it."""
    return at_ns, EFF_SPAWN, pid, tgid, comm, nice, image, argv, env, start, remote


def eff_kthread(at_ns: int, pid: int, tgid: int, comm: str, nice: int, remote: bool) -> Effect:
    """A new kernel thread starts here; ``remote``: another CPU made it."""
    return at_ns, EFF_KTHREAD, pid, tgid, comm, nice, remote


def eff_wake(at_ns: int, pid: int, dest_cpu: int, remote: bool) -> Effect:
    """The parked task is runnable on ``dest_cpu``; ``remote``: another CPU woke it."""
    return at_ns, EFF_WAKE, pid, dest_cpu, remote


def eff_signal(at_ns: int, pid: int, remote: bool) -> Effect:
    """The task has TIF_SIGPENDING; ``remote``: set by another CPU."""
    return at_ns, EFF_SIGNAL, pid, remote


def eff_pull(at_ns: int, dest_cpu: int) -> Effect:
    """Give a queued task to ``dest_cpu``."""
    return at_ns, EFF_PULL, 0, dest_cpu


def eff_balance(
    at_ns: int, dest: int, idle: int, kind: int, amount: int, failed: int, active: bool, tries: int
) -> Effect:
    """Too busy: give ``dest`` that much (MIGRATE_), hot tasks too if ``failed`` > ``tries``."""
    return at_ns, EFF_BALANCE, 0, dest, idle, kind, amount, failed, active, tries


def eff_told(at_ns: int, rank: int, key: int, data: tuple[int, ...]) -> Effect:
    """A scheduling class is told something by its half in the kernel or on another CPU."""
    return at_ns, EFF_TOLD, 0, rank, key, data


def eff_sibling(at_ns: int, cpu: int, busy: bool) -> Effect:
    """``cpu``, of the same core, runs something from now on, or idles."""
    return at_ns, EFF_SIBLING, 0, cpu, busy


def eff_rename(at_ns: int, pid: int, new_pid: int) -> Effect:
    """``pid``, no leader, has done an exec: it is ``new_pid`` now."""
    return at_ns, EFF_RENAME, pid, new_pid


def eff_renice(at_ns: int, pid: int, nice: int) -> Effect:
    """The task's nice value changed."""
    return at_ns, EFF_RENICE, pid, nice


def eff_traced(at_ns: int, pid: int, slow_door: bool) -> Effect:
    """Every call of the task is to come to the kernel, or not any more."""
    return at_ns, EFF_TRACED, pid, slow_door


def eff_moved_ack(at_ns: int, pid: int) -> Effect:
    """The kernel knows where the task is."""
    return at_ns, EFF_MOVED_ACK, pid


def eff_tune_comm(at_ns: int, pid: int, comm: str) -> Effect:
    """The task has another name."""
    return at_ns, EFF_TUNE, pid, TUNE_COMM, comm


def eff_tune_cputimer(at_ns: int, pid: int, needed: bool) -> Effect:
    """The task needs every tick, or not any more."""
    return at_ns, EFF_TUNE, pid, TUNE_CPUTIMER, needed


def eff_tune_affinity(at_ns: int, pid: int, allowed: tuple[int, ...] | None) -> Effect:
    """The CPUs the task may use, the one to go to if it must first; None: all."""
    return at_ns, EFF_TUNE, pid, TUNE_AFFINITY, allowed


def eff_tune_policy(
    at_ns: int,
    pid: int,
    policy: "SchedPolicy",
    priority: int,
    nice: int,
    reset_on_fork: bool,
    own: tuple[int, ...],
) -> Effect:
    """The task has another policy, or other parameters; ``own``: those of its class alone."""
    return at_ns, EFF_TUNE, pid, TUNE_POLICY, (policy, priority, nice, reset_on_fork, own)


def eff_tune_push(at_ns: int, pid: int, dest_cpu: int) -> Effect:
    """The task, or an equal of it that waits, is to go to ``dest_cpu``."""
    return at_ns, EFF_TUNE, pid, TUNE_PUSH, dest_cpu


def eff_tune_group(at_ns: int, pid: int, path: tuple[int, ...]) -> Effect:
    """The task belongs to another group: ``kernel.sched.task_group``."""
    return at_ns, EFF_TUNE, pid, TUNE_GROUP, path


def arrive(at_ns: int, pid: int, task: "CpuTask", reason: int) -> Effect:
    """A task's CPU half comes from another CPU; ``reason`` is a BY_."""
    return at_ns, ARRIVE, pid, task, reason
