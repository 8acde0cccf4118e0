"""Entry and exit: a task's way from user mode into a system call and back.

A call stands in one of these states (``Call.at``); an arrow back is taken as often as it must be::

    ENTER ──▶ CALL ──▶ SIGNALS ──▶ RESTART ──▶ REPLY
     │ ▲                  │          │          ▲
     │ └──────────────────┼──────────┘          │
     └────────────────────┴─────────────────────┘

- ENTER: a tracer may look at the call, change it, or have handlers run before it begins.
- CALL: the handler runs. It returns a value, is refused (KernelError, GuestFault), was interrupted
  (RestartSyscall), or made an access that faults (FaultSignal).
- SIGNALS: a tracer may change the result; a fault's signal is sent; pending signals are dealt with.
- RESTART: an interrupted call begins again, and another has its result.
- REPLY: the result goes to where the task's user context lives; with it the handlers that are to
  run first, and how they interrupt the program.
- DEAD: the task has died on the way (TaskDead), and never returns to user mode.

``MOVES`` has every legal move; any other is a bug of the emulator, and refused with what is known
of the call. Each state has a function, which says where the call goes from there. CALL alone is
part of ``syscall`` itself: as a path of its own it would be one more generator for every call.

A task that was preempted in user mode comes through ``user_work``.

Source: kernel/entry/common.c (syscall_enter_from_user_mode, exit_to_user_mode_loop),
arch/x86/kernel/signal.c (handle_signal, arch_do_signal_or_restart).
"""

from typing import TYPE_CHECKING, Any, Final

from kernel import messages as m
from kernel.drive.forms import is_path
from kernel.drive.livelock import note_fault
from kernel.errors import (
    FaultSignal,
    GuestFault,
    InvariantError,
    KernelError,
    RestartNoIntr,
    RestartSyscall,
    TaskDead,
)
from kernel.points import Path
from kernel.process.exec import ExecResult
from kernel.ptrace.stops import (
    leave_syscall,
    syscall_exit_work,
    syscall_trace_enter,
    user_single_step_report,
)
from kernel.signal.deliver import get_signal
from kernel.signal.pending import signal_pending
from kernel.signal.send import force_sig_fault
from kernel.smp import averages
from kernel.smp.load import load_dec, load_inc
from kernel.smp.schedule import do_task_dead
from kernel.smp.throttled import throttled_hierarchy
from kernel.smp.ttwu import select_task_rq_exec
from kernel.smp.weigh import set_task_cpu
from kernel.task import TaskStruct, mm_of
from kernel.time.posix_cpu_timers import run_posix_cpu_timers
from kernel.uapi.errno_ import EINTR
from kernel.uapi.failure import REFUSED, Error
from kernel.uapi.signals import OP_EINTR, OP_FAULTED, OP_NOT_BEGUN
from kernel.uapi.syscalls import NAMES

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.syscalls import Handler
    from kernel.user import Op

ENTER: Final = 0
CALL: Final = 1
SIGNALS: Final = 2
RESTART: Final = 3
REPLY: Final = 4
DEAD: Final = 5

STATES: Final[tuple[str, ...]] = ("ENTER", "CALL", "SIGNALS", "RESTART", "REPLY", "DEAD")

MOVES: Final = frozenset(
    (
        (ENTER, CALL),
        (ENTER, REPLY),  # handlers run, and it has not begun
        (CALL, SIGNALS),
        (SIGNALS, RESTART),
        (SIGNALS, REPLY),  # handlers run, and it does not begin again
        (RESTART, ENTER),
        (RESTART, REPLY),
        (ENTER, DEAD),
        (CALL, DEAD),
        (SIGNALS, DEAD),
    )
)
# the same by number: _LEGAL[from << 3 | to]
_LEGAL: Final = tuple((n >> 3, n & 7) in MOVES for n in range(len(STATES) << 3))


class Call:
    """One system call on its way: where it stands, and what came of it so far."""

    __slots__ = ("at", "effective", "error", "how", "op", "restart", "si_code", "signal", "value")

    def __init__(self, op: "Op") -> None:
        self.at = ENTER
        self.op = op  # as the program asked for it
        self.effective = op  # what a tracer has made of it
        self.value: Any = None
        self.error: Error | None = None
        self.restart: type[RestartSyscall] | None = None  # it was interrupted: how it goes on
        self.how = 0  # OP_…: what the program's handlers have interrupted
        self.signal = 0  # of the fault that ended it
        self.si_code = 0


def move(task: TaskStruct, call: Call, to: int) -> None:
    """Let ``call``, which is ``task``'s, go on to the state ``to``.

    Raises:
        InvariantError: there is no way from where it stands; the message is the story.
    """
    if not _LEGAL[call.at << 3 | to]:
        raise InvariantError(_refusal(task, call, to))
    call.at = to


def _refusal(task: TaskStruct, call: Call, to: int) -> str:
    """Return the story of a move that the table does not have."""
    number = call.effective[0]
    known = [STATES[there] for at, there in sorted(MOVES) if at == call.at]
    restart = (
        "not interrupted" if call.restart is None else f"interrupted ({call.restart.__name__})"
    )
    return (
        f"{task!r}: its call {NAMES.get(number, number)} goes from {STATES[call.at]} to "
        f"{STATES[to]}; from there it goes to {' or '.join(known) or 'nowhere'}; "
        f"op {call.op!r}, value {call.value!r}, error {call.error!r}, {restart}, "
        f"handlers interrupt with {call.how}, fault signal {call.signal}, "
        f"signals {'' if signal_pending(task) else 'not '}pending, "
        f"{'' if task.ptrace else 'not '}traced"
    )


def syscall(k: "Kernel", handlers: "list[Handler]", task: TaskStruct, op: "Op") -> Path[None]:
    """One system call of the current task, from entry to the reply; see the module header.

    Args:
        handlers: ``kernel.syscalls.table``.
        op: the number and the arguments.

    Source: arch/x86/entry/common.c:do_syscall_64().
    """
    call = Call(op)
    to = ENTER
    try:
        while to != REPLY:
            try:
                if to == CALL:
                    value = _begin(k, handlers, call.effective)
                    if not isinstance(value, int) and is_path(value):
                        value = yield from value
                    call.value = value
                    to = SIGNALS
                elif to == SIGNALS:
                    to = RESTART
                    if task.ptrace or call.signal or signal_pending(task):
                        to = yield from _signals(k, task, call)
                elif to == RESTART:
                    to = REPLY if call.restart is None else _restart(call)
                else:
                    to = CALL
                    if task.ptrace:
                        to = yield from _enter(k, task, call)
            except (KernelError, GuestFault, RestartSyscall, FaultSignal) as failed:
                value = None  # it may be the path itself, which has ended early
                to = _failed(k, call, failed)
            move(task, call, to)
    except TaskDead:
        move(task, call, DEAD)
        do_task_dead(k, task)
        return
    _leave(k, task, call)


def _enter(k: "Kernel", task: TaskStruct, call: Call) -> Path[int]:
    """ENTER of a traced task: it may stop here, and its tracer change the call."""
    stepped = yield from user_single_step_report(k, task)
    if stepped:
        yield from get_signal(k)
        if task.tripped:
            call.how = OP_NOT_BEGUN
            return REPLY
    if task.ptrace:
        call.effective = yield from syscall_trace_enter(k, task, call.op)
    return CALL


def _begin(k: "Kernel", handlers: "list[Handler]", op: "Op") -> Any:
    """CALL: return what the handler does, or the path in which it does it."""
    number: int = op[0]
    handler = handlers[number]
    count = len(op)
    if count == 1:
        return handler(k)
    if count == 2:
        return handler(k, op[1])
    if count == 3:
        return handler(k, op[1], op[2])
    if count == 4:
        return handler(k, op[1], op[2], op[3])
    if count == 5:
        return handler(k, op[1], op[2], op[3], op[4])
    if count == 6:
        return handler(k, op[1], op[2], op[3], op[4], op[5])
    if count == 7:
        return handler(k, op[1], op[2], op[3], op[4], op[5], op[6])
    return handler(k, *op[1:])  # sched_setattr


def _signals(k: "Kernel", task: TaskStruct, call: Call) -> Path[int]:
    """SIGNALS, if there are any or a tracer is to look; what comes of it for an interrupted call.

    Source: arch/x86/kernel/signal.c:handle_signal().
    """
    if task.ptrace:
        yield from _trace_exit(k, task, call)
    if call.signal:
        yield from _send_fault(k, task, call)
    if signal_pending(task):
        action = yield from get_signal(k)
        restart = call.restart
        if action and restart is not None and (call.how or restart.ends(action)):
            call.how = call.how or OP_EINTR
            return REPLY
    return RESTART


def _restart(call: Call) -> int:
    """RESTART of an interrupted call: back to the beginning.

    Source: arch/x86/kernel/signal.c:arch_do_signal_or_restart().
    """
    call.restart = None
    call.how = 0
    return ENTER


def _failed(k: "Kernel", call: Call, failed: Exception) -> int:
    """The handler has ended with an exception: note what that means for the call."""
    call.value = None
    if isinstance(failed, KernelError):
        call.error = (failed.errno, failed.filename, failed.filename2)
        if failed.errno == EINTR:
            call.how = OP_EINTR
    elif isinstance(failed, GuestFault):
        call.error = failed.error
        if failed.error[0] == REFUSED:
            k.note_not_emulated(str(failed.error[1]))
    elif isinstance(failed, FaultSignal):
        # the access is tried again if a handler lets the task live
        call.restart = RestartNoIntr
        call.signal, call.si_code = failed.signal, failed.code
    elif isinstance(failed, RestartSyscall):
        call.restart = type(failed)
        k.stats.restarts += 1
    return SIGNALS


def _trace_exit(k: "Kernel", task: TaskStruct, call: Call) -> Path[None]:
    """The stop at the end of the call: a tracer sees the result and may change it."""
    call.value, call.error, changed = yield from syscall_exit_work(
        k, task, call.op, call.value, call.error, call.restart
    )
    if changed:
        call.how = 0


def _send_fault(k: "Kernel", task: TaskStruct, call: Call) -> Path[None]:
    """The call's access has faulted: send the signal for it.

    Source: arch/x86/mm/fault.c:bad_area_nosemaphore().
    """
    note_fault(k, task, call.op, call.signal)
    yield from force_sig_fault(k, call.signal, call.si_code)
    call.signal = 0
    call.how = OP_FAULTED


def user_work(k: "Kernel", task: TaskStruct, op: "Op | None") -> Path[None]:
    """Signals noticed on the way back to user mode, outside any system call.

    Args:
        task: the current one.
        op: what it is about to call, if its context lives here; else None.

    Source: kernel/entry/common.c:exit_to_user_mode_loop().
    """
    try:
        if task.signal.cputimers is not None:
            yield from run_posix_cpu_timers(k)
        if signal_pending(task):
            yield from get_signal(k)
    except TaskDead:
        do_task_dead(k, task)
        return
    if task.ptrace:
        leave_syscall(task)
    signals, task.tripped = task.tripped, ()
    ctx = task.ctx
    if not signals:
        k.answer(m.eff_user(k.stamp(task), task.pid))
    elif ctx is None:
        k.answer(m.eff_handle(k.stamp(task), task.pid, signals, OP_NOT_BEGUN, 0, None, None))
    else:
        ctx.trip(signals)
        if op is None:
            k.answer(m.eff_user(k.stamp(task), task.pid))
        else:
            ctx.interrupt(op, OP_NOT_BEGUN, 0)
            resume(k, task, None, None)


def _leave(k: "Kernel", task: TaskStruct, call: Call) -> None:
    """REPLY: tell the task's user context, wherever it lives, what came of the call."""
    task.in_syscall = -1
    if task.ptrace:
        leave_syscall(task)
    if task.tripped or call.how:
        _reply_handled(k, task, call)
    else:
        _reply(k, task, call.value, call.error)


def _reply_handled(k: "Kernel", task: TaskStruct, call: Call) -> None:
    """Send the result of a system call after handlers have run, or say that there is none."""
    signals, task.tripped = task.tripped, ()
    until_ns, task.restart_ns = task.restart_ns, 0
    value, error, how = call.value, call.error, call.how
    ctx = task.ctx
    if isinstance(value, ExecResult):
        _reply(k, task, value, error)  # the handlers belonged to the old program
    elif ctx is None:
        k.answer(m.eff_handle(k.stamp(task), task.pid, signals, how, until_ns, value, error))
    else:
        if signals:
            ctx.trip(signals)
        if how:
            ctx.interrupt(call.op, how, until_ns)
            value = error = None
        resume(k, task, value, error)


def _reply(k: "Kernel", task: TaskStruct, value: object, error: Error | None) -> None:
    """Send the result of a system call to where the task's user context lives."""
    if isinstance(value, ExecResult):
        _reply_exec(k, task, value)
    elif task.ctx is not None:
        resume(k, task, value, error)
    elif error is not None:
        k.answer(m.eff_error(k.stamp(task), task.pid, error))
    else:
        k.answer(m.eff_return(k.stamp(task), task.pid, value))


def _reply_exec(k: "Kernel", task: TaskStruct, result: ExecResult) -> None:
    """Let the new program start, here or on an idle CPU: now there is no cache to lose.

    Source: kernel/sched/core.c:sched_exec().
    """
    task.ctx = None
    dest = select_task_rq_exec(k)
    holder = task.cpu
    if dest != k.cpu:
        if k.averages is not None:
            averages.moved(k, task, k.cpu, dest)
        if not throttled_hierarchy(k, task, k.cpu):
            load_dec(k, k.cpu)
        if not throttled_hierarchy(k, task, dest):
            load_inc(k, dest)
        set_task_cpu(k, task, dest)
        k.stats.migrations += 1
    k.answer_to(
        holder,
        m.eff_exec(
            k.stamp(task),
            task.pid,
            result.image,
            result.argv,
            result.env,
            task.comm,
            dest,
            result.start,
        ),
    )


def resume(k: "Kernel", task: TaskStruct, value: object, error: Error | None) -> None:
    """Run the next block of a context that lives here, or hand it back to the CPU.

    It goes back as soon as no other task shares its memory.
    """
    ctx = task.ctx
    if ctx is None:
        raise AssertionError(f"{task!r} has no context in the kernel")
    if mm_of(task).users == 1 and task.signal.nr_threads == 1:
        task.ctx = None
        k.answer(m.eff_take(k.stamp(task), task.pid, ctx, value, error))
        return
    op = ctx.resume(value, error)
    k.answer(m.eff_next(k.stamp(task), task.pid, op, ctx.steps))
