"""Library frames: what CPython's own run time does between a guest function and the kernel.

Written by hand as blocks of the same form as compiled ones, so forking, packing and unwinding
need no special case. Library code has a negative index and leaves no traceback entries.
"""

import os
from typing import Any, Final

from kernel.uapi.errno_ import EINTR
from kernel.uapi.failure import failed
from kernel.uapi.signals import (
    OP_EINTR,
    OP_FAULTED,
    SIG_DFL,
    SIG_UNBLOCK,
    SIGABRT,
    SIGINT,
    sigmask,
)
from kernel.uapi.syscalls import (
    NR_EVENTFD_READ,
    NR_EVENTFD_WRITE,
    NR_EXECVE,
    NR_EXIT_GROUP,
    NR_FUTEX,
    NR_GETCWD,
    NR_GETPID,
    NR_GETTID,
    NR_HLT,
    NR_KILL,
    NR_LOAD,
    NR_LOCK_ACQUIRE,
    NR_LOCK_RELEASE,
    NR_MMAP,
    NR_MSGRCV,
    NR_MSGSND,
    NR_NANOSLEEP,
    NR_PAUSE,
    NR_POLL,
    NR_RT_SIGACTION,
    NR_RT_SIGPROCMASK,
    NR_RT_SIGTIMEDWAIT,
    NR_SELECT,
    NR_SEMOP,
    NR_TGKILL,
    NR_WRITE,
)
from workloads.language import tracebacks
from workloads.language.binding import bind
from workloads.language.exception_values import make_exception
from workloads.language.frames import CALL, RERAISE, RETURN, Block, Code, Frame
from workloads.language.thread_record import ALIVE_LOCK, is_joined_at_exit
from workloads.language.values import (
    CALLABLE,
    DEFAULT_INT_HANDLER,
    STACK_FRAME,
    UNBOUND,
    MmapHandle,
)

LIBRARY: Final[list[Code]] = []
#: Indices of codes from here on down belong to ``guest_libraries``.
GUEST_LIBRARY_CODES: Final = -10_000

Values = list[Any]


def library(
    name: str,
    *blocks: tuple[Block, int],
    interruptible: bool = True,
    looks_first: bool = False,
) -> Code:
    """Register library code: ``(block, handler)`` pairs."""
    code = Code(-len(LIBRARY) - 1, name)
    code.blocks = [block for block, _ in blocks]
    code.handlers = [handler for _, handler in blocks]
    code.slots = [-1] * len(blocks)
    code.sites = [None] * len(blocks)
    code.interruptible = interruptible
    code.looks_first = looks_first
    LIBRARY.append(code)
    return code


# ---- signal handlers ----------------------------------------------------------------------------
# Source: CPython Modules/signalmodule.c:_PyErr_CheckSignalsTstate().


def _handlers_next(F: Frame, L: Values, G: Values, V: Any) -> Any:
    process = G[0]
    if not L[0]:
        process.attention = False
    waiting = process.tripped >> L[0] << L[0]
    while waiting:
        bit = waiting & -waiting
        waiting ^= bit
        process.tripped ^= bit
        L[0] = signal = bit.bit_length()
        handler = process.handlers.get(signal)
        if handler is None and signal == SIGINT:
            handler = DEFAULT_INT_HANDLER
        if type(handler) not in CALLABLE:
            continue  # set to SIG_DFL or SIG_IGN since then
        F.pc = 1
        return handle(G, handler, signal)
    return (RETURN, None)


def _handlers_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return 0


def _handlers_failed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    G[0].attention = True  # the rest is handled at the next chance
    return (RERAISE, V)


#: [number of the last signal handled]: calls the handlers of the signals noted, lowest first
HANDLERS: Final = library(
    "handlers", (_handlers_next, 2), (_handlers_done, 2), (_handlers_failed, -1)
)


def handle(G: Values, handler: Any, signal: int) -> Any:
    """Return the op that calls a signal handler."""
    return bind(G, handler, (signal, STACK_FRAME), ())


def _check(F: Frame, L: Values, G: Values, V: Any) -> Any:
    process = G[0]
    if process.attention and process.current == process.main:
        F.pc = 1
        return (CALL, HANDLERS, [0])
    return (RETURN, L[0])


def _checked(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, L[0])


#: [value]: calls handlers if there are any to call, then returns the value
CHECK: Final = library("check signals", (_check, -1), (_checked, -1))

#: Where a call with a timeout has it: the op's length without the end of an interrupted one.
_WITH_TIMEOUT: Final = {
    NR_NANOSLEEP: 2,
    NR_LOCK_ACQUIRE: 4,
    NR_RT_SIGTIMEDWAIT: 3,
    NR_POLL: 3,
    NR_SELECT: 5,
}

#: Calls that CPython does not begin again after a handler: they fail with EINTR.
_NOT_BEGUN_AGAIN: Final = frozenset((NR_EVENTFD_READ, NR_EVENTFD_WRITE))

#: Calls made through ctypes natively: PEP 475 is not for them.
_NOT_RETRIED: Final = frozenset({NR_SEMOP, NR_MSGSND, NR_MSGRCV, NR_FUTEX})


def _retry(F: Frame, L: Values, G: Values, V: Any) -> Any:
    op, how, until_ns = L
    process = G[0]
    if process.attention and how != OP_FAULTED and process.current == process.main:
        return (CALL, HANDLERS, [0])
    if how == OP_EINTR:
        if op[0] == NR_PAUSE:
            return (RETURN, None)
        if op[0] in _NOT_BEGUN_AGAIN:
            return (RERAISE, make_exception(failed(EINTR)))
        if op[0] in _NOT_RETRIED:
            return (RERAISE, make_exception(failed(EINTR)))
        if until_ns:
            op = (*op[: _WITH_TIMEOUT[op[0]]], until_ns)
    F.pc = 1
    return op


def _with_signals(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if G[0].attention:
        F.pc += 1
        return (CALL, CHECK, [V])
    return (RETURN, V)


def give_back(F: Frame, L: Values, G: Values, V: Any) -> Any:
    """Return what came back: a block of library code."""
    return (RETURN, V)


#: The last two blocks of library code that calls signal handlers before it gives back its result.
WITH_SIGNALS: Final = ((_with_signals, -1), (give_back, -1))

#: [op, how it was interrupted, when it was to end]: calls handlers, then begins the op again
RETRY: Final = library("retry", (_retry, -1), *WITH_SIGNALS, interruptible=False)


def _wakeup(F: Frame, L: Values, G: Values, V: Any) -> Any:
    signals = L[0]
    if signals and G[0].wakeup_fd >= 0:
        L[0] = signals[1:]
        return (NR_WRITE, G[0].wakeup_fd, bytes((signals[0],)))
    return 2


def _wakeup_failed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return 0  # CPython says on stderr that it was not written


def _wakeup_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, L[1]) if L[2] is None else (RERAISE, make_exception(L[2]))


#: [signals, value, error]: what handlers in C write, before the call they came in returns
WAKEUP: Final = library(
    "wakeup", (_wakeup, 1), (_wakeup_failed, -1), (_wakeup_done, -1), interruptible=False
)


# ---- the main thread: [exit code, next thread to join] -----------------------------------------


def _main_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    L[0] = 0
    if not G[0].program.anything_open(G):
        return 2
    F.pc = 2
    return (CALL, G[0].program.flush_code, [2])


def _main_failed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    # Source: CPython Python/pythonrun.c:pyrun_file() flushes before it looks at the exception
    if not G[0].program.anything_open(G):
        return _main_told(F, L, G, V)
    L[0] = V
    F.pc = 15
    return (CALL, G[0].program.flush_code, [2])


def _main_flushed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return _main_told(F, L, G, L[0])


def _main_told(F: Frame, L: Values, G: Values, V: Any) -> Any:
    L[0], lines = exit_of(V, G)
    if isinstance(V, KeyboardInterrupt):
        L[0] = _BY_SIGINT
    F.pc = 2
    op = G[0].program.runtime.report(G, lines) if lines else None
    return 2 if op is None else op


def _main_join(F: Frame, L: Values, G: Values, V: Any) -> Any:
    process = G[0]
    while L[1] < len(process.threads):
        record = process.threads[L[1]]
        L[1] += 1
        if is_joined_at_exit(record):
            F.pc = 10
            return (NR_LOCK_ACQUIRE, record[ALIVE_LOCK], True, -1)
    return 12


def _main_joined(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 3
    return (NR_LOCK_RELEASE, G[0].threads[L[1] - 1][ALIVE_LOCK])


def _main_left(F: Frame, L: Values, G: Values, V: Any) -> Any:
    # an exception of a signal handler: the threads that are left are not waited for
    # Source: CPython Python/pylifecycle.c:wait_for_thread_shutdown()
    text = tracebacks.format_exception(V, G[0].path, G[0].program.lines)
    F.pc = 12
    op = G[0].program.runtime.report(G, [f"Exception ignored in: {_THREADING}\n", *text])
    return 12 if op is None else op


def _main_leave(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if G[0].program.anything_open(G):
        F.pc = 13
        return (CALL, G[0].program.end_code, [L[0], 1])
    return 14


def _main_end(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if L[0] != _BY_SIGINT:
        L[0] = V
    return 14


def _main_exit(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if L[0] == _BY_SIGINT:
        F.pc = 6
        return (NR_RT_SIGACTION, SIGINT, SIG_DFL)
    return (NR_EXIT_GROUP, L[0])


def _main_go_on(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return 2


def _main_where(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 5
    return (NR_GETCWD,)


def _main_start(F: Frame, L: Values, G: Values, V: Any) -> Any:
    # Source: CPython Python/fileutils.c:_Py_abspath(), for the script
    process = G[0]
    process.path = G[1] = V.rstrip("/") + "/" + process.path.removeprefix("./")
    return _main_begin(F, L, G, V)


def _main_begin(F: Frame, L: Values, G: Values, V: Any) -> Any:
    # reached by itself when the folder has no name any more; the path then stays relative
    # Source: CPython Python/initconfig.c:config_run_filename_abspath()
    process = G[0]
    F.pc = 0
    code = process.program.codes[0]
    return (CALL, code, [UNBOUND] * code.locals_count)


def _main_whom(F: Frame, L: Values, G: Values, V: Any) -> Any:
    # Source: CPython Modules/main.c:exit_sigint()
    F.pc = 7
    return (NR_GETPID,)


def _main_kill(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 8
    return (NR_KILL, V, SIGINT)


def _main_survived(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (NR_EXIT_GROUP, SIGINT + 128)


_THREADING: Final = "<module 'threading' from '/usr/lib/python3.11/threading.py'>"
_BY_SIGINT: Final = -2  # in place of an exit code: an uncaught KeyboardInterrupt

MAIN: Final = library(
    "<main>",
    (_main_done, 1),
    (_main_failed, 3),
    (_main_join, 3),
    (_main_go_on, 3),
    (_main_where, 9),
    (_main_start, 1),
    (_main_whom, 8),
    (_main_kill, 8),
    (_main_survived, 8),
    (_main_begin, 1),
    (_main_joined, 11),
    (_main_left, 12),
    (_main_leave, 12),
    (_main_end, 14),
    (_main_exit, 8),
    (_main_flushed, 3),
)
MAIN_START: Final = 4  # the block of MAIN that starts a program under a relative path


def exit_of(exception: BaseException, G: Values) -> tuple[int, list[str]]:
    """Return the exit status and what goes to stderr when ``exception`` ends the main thread."""
    if isinstance(exception, SystemExit):
        code = exception.code
        if code is None:
            return 0, []
        if isinstance(code, int):
            # what does not fit into a C long becomes -1: Python/pythonrun.c:_Py_HandleSystemExit()
            return code & 0xFF if -(1 << 63) <= code < 1 << 63 else 0xFF, []
        return 1, [G[0].program.runtime.bounded.text(code), "\n"]
    lines = tracebacks.format_exception(exception, G[0].path, G[0].program.lines)
    return 1, lines


# ---- one call whose result needs something the call was given: [argument] ----------------------


def _mmap_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (NR_MMAP, L[0], L[1])


def _mmap_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, MmapHandle(V, L[0]))


MMAP: Final = library("mmap", (_mmap_call, -1), (_mmap_done, -1))


def _load_byte(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (NR_LOAD, L[0], L[1], 1)


def _loaded_byte(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, V[0])


#: [address, offset]: an index into a mapping gives an int
LOAD_BYTE: Final = library("load", (_load_byte, -1), (_loaded_byte, -1))


# ---- raise, pthread_kill: [signal, thread, pid]. A signal to one thread ------------------------


def _raise_pid(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1 if L[1] is None else 3
    return (NR_GETPID,)


def _raise_tid(F: Frame, L: Values, G: Values, V: Any) -> Any:
    L[2] = V
    F.pc = 2
    return (NR_GETTID,)


def _raise_own(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 4
    return (NR_TGKILL, L[2], V, L[0])


def _raise_other(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 4
    return (NR_TGKILL, V, L[1], L[0])


def _raised(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, None)


#: thread None: the calling one
RAISE: Final = library(
    "raise", (_raise_pid, -1), (_raise_tid, -1), (_raise_own, -1), (_raise_other, -1), (_raised, -1)
)


# ---- abort: [pid, tid]. It is all C: the program's handler for SIGABRT never runs ----------------
# Source: glibc 2.36 stdlib/abort.c, sysdeps/x86/abort-instr.h, nptl/pthread_kill.c.


def _abort_unblock(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (NR_RT_SIGPROCMASK, SIG_UNBLOCK, sigmask(SIGABRT))


def _abort_tid(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc += 1
    return (NR_GETTID,)


def _abort_pid(F: Frame, L: Values, G: Values, V: Any) -> Any:
    L[1] = V
    F.pc += 1
    return (NR_GETPID,)


def _abort_raise(F: Frame, L: Values, G: Values, V: Any) -> Any:
    L[0] = V
    F.pc += 1
    return (NR_TGKILL, V, L[1], SIGABRT)


def _abort_default(F: Frame, L: Values, G: Values, V: Any) -> Any:
    # a handler, in C, has returned: not even that keeps abort() from ending the process
    F.pc += 1
    return (NR_RT_SIGACTION, SIGABRT, SIG_DFL)


def _abort_halt(F: Frame, L: Values, G: Values, V: Any) -> Any:
    # SIGABRT does not kill here: the process is the init of a pid namespace, or a tracer took it
    F.pc += 1
    return (NR_HLT,)


def _abort_exit(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (NR_EXIT_GROUP, 127)


_RAISE_ABRT: Final = ((_abort_tid, -1), (_abort_pid, -1), (_abort_raise, -1))

ABORT: Final = library(
    "abort",
    (_abort_unblock, -1),
    *_RAISE_ABRT,
    (_abort_default, -1),
    *_RAISE_ABRT,
    (_abort_halt, -1),
    (_abort_exit, -1),
    interruptible=False,
)


# ---- execvp, posix_spawnp: [paths, next, op tail, first error that is not "not there"] ---------


def _os_py_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return L[1]


def _os_py_failed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    tracebacks.add_frozen(V, "os", *L[0])
    return (RERAISE, V)


#: [frames of os.py as (function, line), inner first; the op that is made below them]
OS_PY: Final = library("os.py", (_os_py_call, 2), (give_back, 2), (_os_py_failed, -1))


def _search_next(F: Frame, L: Values, G: Values, V: Any) -> Any:
    i = L[1]
    L[1] = i + 1
    F.pc = 1
    return (L[4], L[0][i], *L[2])


def _search_found(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, V)


def _search_failed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if not isinstance(V, OSError):
        tracebacks.add_frozen(V, "os", ("_execvpe", 607))
        return (RERAISE, V)
    if type(V.filename) is str and L[4] == NR_EXECVE:
        V.filename = os.fsencode(V.filename)  # os.py searches with bytes
    if not isinstance(V, FileNotFoundError | NotADirectoryError) and L[3] is None:
        L[3] = V
    if L[1] < len(L[0]):
        return 0
    error, line = (V, 616) if L[3] is None else (L[3], 615)
    tracebacks.add_frozen(error, "os", ("_execvpe", 607), ("_execvpe", line))
    return (RERAISE, error)


SEARCH: Final = library("exec search", (_search_next, 2), (_search_found, 2), (_search_failed, -1))
