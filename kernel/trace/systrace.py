"""A record of every system call: the handlers of the table, each with two trace events around it.

``MachineSpec.trace_syscalls`` puts this table in the place of the plain one when the machine
boots, so a machine that does not record its calls pays nothing. ``sys_enter`` has the arguments as
text, ``sys_exit`` what came of the call as text, as strace prints it: the result, ``-1 ENOENT``,
``? ERESTARTSYS`` (a signal came; the call may begin again). exit() and a call whose task dies in
it have no ``sys_exit``. Calls that a CPU answers by itself (``getpid()`` of a task with a context
of its own, pure CPU time) never reach the kernel and are not in the record.

Source: kernel/entry/common.c:syscall_trace_enter(), include/trace/events/syscalls.h.
"""

from collections.abc import Callable, Generator
from errno import errorcode
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from kernel.errors import FaultSignal, GuestFault, KernelError, RestartSyscall
from kernel.events import SYS_ENTER, SYS_EXIT
from kernel.trace.strace_names import arguments, result, signal
from kernel.uapi.failure import REFUSED
from kernel.uapi.syscalls import NR_NI_SYSCALL

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.points import Path

Handler = Callable[..., Any]

_RESTARTS: Final = {
    "RestartSyscall": "? ERESTARTSYS",
    "RestartNoHand": "? ERESTARTNOHAND",
    "RestartNoIntr": "? ERESTARTNOINTR",
}


def traced(handlers: list[Handler]) -> list[Handler]:
    """Return a table like ``handlers`` whose calls are recorded."""
    last = len(handlers) - 1  # that of NR_NI_SYSCALL
    return [
        partial(_call, number if number < last else NR_NI_SYSCALL, handler)
        for number, handler in enumerate(handlers)
    ]


def _call(number: int, handler: Handler, k: "Kernel", *args: Any) -> Any:
    k.emit(SYS_ENTER, (k.current.pid, number, arguments(number, args)))
    pid = k.current.pid
    try:
        value = handler(k, *args)
    except (KernelError, GuestFault, RestartSyscall, FaultSignal) as failed:
        k.emit(SYS_EXIT, (pid, number, _failure(failed)))
        raise
    if isinstance(value, Generator):
        return _path(k, number, args, value)
    k.emit(SYS_EXIT, (pid, number, result(number, args, value)))
    return value


def _path(k: "Kernel", number: int, args: tuple[Any, ...], path: "Path[Any]") -> "Path[Any]":
    try:
        value = yield from path
    except (KernelError, GuestFault, RestartSyscall, FaultSignal) as failed:
        k.emit(SYS_EXIT, (k.current.pid, number, _failure(failed)))
        raise
    k.emit(SYS_EXIT, (k.current.pid, number, result(number, args, value)))
    return value


def _failure(failed: BaseException) -> str:
    """Return what strace would print for a call that ended in this exception."""
    if isinstance(failed, KernelError):
        return f"-1 {errorcode.get(failed.errno, failed.errno)}"
    if isinstance(failed, GuestFault):
        return "? not emulated" if failed.error[0] == REFUSED else "? not locked"
    if isinstance(failed, FaultSignal):
        return f"? {signal(failed.signal)}"
    return _RESTARTS.get(type(failed).__name__, "? ERESTARTSYS")
