"""The calls of a guest program that CPython does not offer, for running it natively.

On the emulated machine these names are the compiler's own (``workloads.language.tables``) and this
file is not read. Natively each does the nearest real thing on the host's kernel:

- ``compute`` spins on the thread's CPU clock, so time it waits for a CPU does not count;
- ``touch`` reads or rewrites one byte of each page, so every page has its fault;
- ``vfork`` is ``os.fork``: CPython code cannot run on its parent's stack, so what a vfork child
  changes in memory is not seen by the parent here, and the parent does not wait;
- ``clone`` is the system call without a new stack, which is a fork with the given flags.
"""

import _thread
import ctypes
import mmap
import operator
import os
import struct
import time
from collections.abc import Callable
from typing import Any, NoReturn

from kernel.uapi.ptrace import *  # noqa: F403
from workloads import native_form
from workloads.guest_ipc import *  # noqa: F403
from workloads.native_ptrace import addressof as addressof
from workloads.native_ptrace import ptrace as ptrace

CLONE_VM = 0x100
CLONE_FS = 0x200
CLONE_FILES = 0x400
CLONE_SIGHAND = 0x800
CLONE_PIDFD = 0x1000
CLONE_PTRACE = 0x2000
CLONE_VFORK = 0x4000
CLONE_PARENT = 0x8000
CLONE_THREAD = 0x10000
CLONE_NEWNS = 0x20000
CLONE_SYSVSEM = 0x40000
CLONE_SETTLS = 0x80000
CLONE_PARENT_SETTID = 0x100000
CLONE_CHILD_CLEARTID = 0x200000
CLONE_DETACHED = 0x400000
CLONE_UNTRACED = 0x800000
CLONE_CHILD_SETTID = 0x1000000
CLONE_NEWCGROUP = 0x2000000
CLONE_NEWUTS = 0x4000000
CLONE_NEWIPC = 0x8000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CLONE_IO = 0x80000000
CLONE_NEWTIME = 0x80
CLONE_CLEAR_SIGHAND = 1 << 32
CLONE_INTO_CGROUP = 1 << 33
SCHED_FLAG_RESET_ON_FORK = 1
SCHED_FLAG_RECLAIM = 2
SCHED_FLAG_DL_OVERRUN = 4
SCHED_FLAG_KEEP_POLICY = 8
SCHED_FLAG_KEEP_PARAMS = 16
SCHED_FLAG_UTIL_CLAMP_MIN = 32
SCHED_FLAG_UTIL_CLAMP_MAX = 64

PR_SET_PDEATHSIG = 1
PR_GET_PDEATHSIG = 2
PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4
PR_GET_KEEPCAPS = 7
PR_SET_KEEPCAPS = 8
PR_SET_NAME = 15
PR_GET_NAME = 16
PR_SET_TIMERSLACK = 29
PR_GET_TIMERSLACK = 30
PR_SET_CHILD_SUBREAPER = 36
PR_GET_CHILD_SUBREAPER = 37
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39

MCL_CURRENT = 1
MCL_FUTURE = 2
MCL_ONFAULT = 4

_SYS_CLONE = {"x86_64": 56, "aarch64": 220}
_SYS_UNSHARE = {"x86_64": 272, "aarch64": 97}
_SYS_SETNS = {"x86_64": 308, "aarch64": 268}
_SYS_CLONE3 = 435
_PTHREAD_FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM
_SYS_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
_SYS_SCHED_GETATTR = {"x86_64": 315, "aarch64": 275}
_SYS_EXIT = {"x86_64": 60, "aarch64": 93}

# once for all processes: a CDLL defines a class, and a class is garbage that is collected late
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC_WITH_GIL = ctypes.PyDLL(None, use_errno=True)
_SYSCALL = _LIBC.syscall  # looked up here, and not by each process below
_SYSCALL.restype = ctypes.c_long
_MACHINE = os.uname().machine


def say(text: str) -> None:
    """Write ``text`` and a newline to descriptor 1 in one write(2)."""
    if not isinstance(text, str):
        raise TypeError(f"say() argument must be str, not {type(text).__name__}")
    os.write(1, (text + "\n").encode())


def compute(ns: int) -> None:
    """Use ``ns`` nanoseconds of CPU time in the calling thread."""
    clock = time.CLOCK_THREAD_CPUTIME_ID
    end = time.clock_gettime_ns(clock) + ns
    while time.clock_gettime_ns(clock) < end:
        pass


def touch(m: mmap.mmap, first_page: int, pages: int, write: bool = True) -> None:
    """Access ``pages`` pages of ``m`` from ``first_page``: one byte each, kept as it is.

    Raises:
        IndexError: a page lies outside the mapping.
        ValueError: the mapping is closed.
    """
    size = len(m)
    if first_page < 0 or pages < 0 or (first_page + pages) * 4096 > -(-size // 4096) * 4096:
        raise IndexError("mmap index out of range")
    for offset in range(first_page * 4096, (first_page + pages) * 4096, 4096):
        value = m[offset]
        if write:
            m[offset] = value


def _mlock(name: str, m: mmap.mmap, first_page: int, pages: int) -> None:
    size = len(m)
    if first_page < 0 or pages < 0 or (first_page + pages) * 4096 > -(-size // 4096) * 4096:
        raise IndexError("mmap index out of range")
    address = ctypes.addressof(ctypes.c_char.from_buffer(m)) + first_page * 4096
    _libc(name, ctypes.c_void_p(address), ctypes.c_size_t(pages * 4096))


def _libc(name: str, *args: object) -> int:
    """Call a function of the C library that returns -1 and sets errno when it fails."""
    result = int(getattr(_LIBC, name)(*args))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def mlock(m: mmap.mmap, first_page: int, pages: int) -> None:
    """Lock ``pages`` pages of ``m`` in memory, as mlock(2).

    Raises:
        OSError: as mlock(2).
        IndexError: a page lies outside the mapping.
    """
    _mlock("mlock", m, first_page, pages)


def munlock(m: mmap.mmap, first_page: int, pages: int) -> None:
    """Unlock ``pages`` pages of ``m``, as munlock(2). Raises as ``mlock``."""
    _mlock("munlock", m, first_page, pages)


def mlockall(flags: int) -> None:
    """Lock the whole address space, as mlockall(2); ``flags``: MCL_*."""
    _libc("mlockall", flags)


def munlockall() -> None:
    """Unlock the whole address space, as munlockall(2)."""
    _libc("munlockall")


def gettid() -> int:
    """Return the calling thread's id."""
    return _thread.get_native_id()


def exit_thread(code: int) -> NoReturn:
    """End the calling thread alone with exit(2), be it the leader; nothing is cleaned up.

    The process goes on with its other threads. Its status is that of the last thread to end.

    Raises:
        NotImplementedError: the number of exit(2) on this machine is not known.
    """
    number = _number(_SYS_EXIT, "exit_thread")
    # CDLL lets go of the GIL for the call, so the others can run on
    _SYSCALL(ctypes.c_long(number), ctypes.c_long(code))
    raise AssertionError("exit(2) returned")


def clone(flags: int) -> int:
    """Fork with the flags of clone(2); the low byte is the exit signal.

    Returns:
        The child's pid in the parent, 0 in the child.

    Raises:
        OSError: as clone(2).
        NotImplementedError: CLONE_VM without a stack of its own cannot run Python code.
    """
    if flags & CLONE_VM:
        raise native_form.missing("clone() with CLONE_VM has no native form: use threads or vfork")
    if flags & CLONE_SETTLS:
        raise native_form.missing("clone(CLONE_SETTLS) needs a TLS block")
    return _fork_by(_number(_SYS_CLONE, "clone"), flags, 0, 0, 0, 0)


def _number(table: dict[str, int], name: str) -> int:
    """Return the number of a system call on this machine."""
    if _MACHINE not in table:
        raise native_form.missing(f"{name}() has no native form on {_MACHINE}")
    return table[_MACHINE]


def _fork_by(number: int, *args: int) -> int:
    """Make a system call that forks; return its result in both processes."""
    # the interpreter must know of the fork: its locks are taken before and renewed after
    # (PyDLL: with the GIL held throughout, which the child inherits)
    pythonapi = ctypes.pythonapi
    call = _LIBC_WITH_GIL.syscall
    call.restype = ctypes.c_long
    pythonapi.PyOS_BeforeFork()
    pid = int(call(ctypes.c_long(number), *[ctypes.c_ulong(arg) for arg in args]))
    errno = ctypes.get_errno()
    if pid == 0:
        pythonapi.PyOS_AfterFork_Child()
        return 0
    pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(errno, os.strerror(errno))
    return pid


class _CloneArgs(ctypes.Structure):
    """``struct clone_args``."""

    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("pidfd", ctypes.c_uint64),
        ("child_tid", ctypes.c_uint64),
        ("parent_tid", ctypes.c_uint64),
        ("exit_signal", ctypes.c_uint64),
        ("stack", ctypes.c_uint64),
        ("stack_size", ctypes.c_uint64),
        ("tls", ctypes.c_uint64),
        ("set_tid", ctypes.c_uint64),
        ("set_tid_size", ctypes.c_uint64),
        ("cgroup", ctypes.c_uint64),
    )


def clone3(
    flags: int,
    *,
    exit_signal: int = 17,
    set_tid: tuple[int, ...] | None = None,
    pidfd: bool = False,
    parent_tid: tuple[mmap.mmap, int] | None = None,
    child_tid: tuple[mmap.mmap, int] | None = None,
    cgroup: int | None = None,
) -> Any:
    """Fork as clone3(2) does.

    Args:
        flags: CLONE_*; the low byte must be 0 (but for CLONE_NEWTIME).
        exit_signal: sent to the parent when the child ends; 0 for none.
        set_tid: the child's pid in its pid namespace, then in those above.
        pidfd: also return a pidfd of the child (adds CLONE_PIDFD).
        parent_tid, child_tid: ``(mapping, offset)`` of a 32-bit word in which the kernel stores the
            child's pid: in the parent's memory before the child runs, in the child's memory (adds
            CLONE_PARENT_SETTID, CLONE_CHILD_SETTID).
        cgroup: descriptor of the directory of the group that the child begins in (adds
            CLONE_INTO_CGROUP).

    Returns:
        The child's pid in the parent, 0 in the child; with ``pidfd`` ``(pid, fd)`` and ``(0, -1)``.

    Raises:
        OSError: as clone3(2).
        NotImplementedError: CLONE_VM without a stack of its own cannot run Python code.
    """
    if pidfd:
        flags |= CLONE_PIDFD
    if parent_tid is not None:
        flags |= CLONE_PARENT_SETTID
    if child_tid is not None:
        flags |= CLONE_CHILD_SETTID
    if cgroup is not None:
        flags |= CLONE_INTO_CGROUP
    if flags & (CLONE_VM | CLONE_SETTLS):
        raise native_form.missing("clone3() with CLONE_VM has no native form: use threads or vfork")
    fd = ctypes.c_int(-1)
    numbers = (ctypes.c_int * len(set_tid or ()))(*(set_tid or ()))
    args = _CloneArgs(flags=flags, exit_signal=exit_signal, cgroup=cgroup or 0)
    if pidfd:
        args.pidfd = ctypes.addressof(fd)
    if set_tid:
        args.set_tid = ctypes.addressof(numbers)
        args.set_tid_size = len(set_tid)
    words = []
    for name, place in (("parent_tid", parent_tid), ("child_tid", child_tid)):
        if place is not None:
            words.append(ctypes.c_int.from_buffer(*place))
            setattr(args, name, ctypes.addressof(words[-1]))
    pid = _fork_by(_SYS_CLONE3, ctypes.addressof(args), ctypes.sizeof(args))
    words.clear()  # the mapping can be closed again
    return (pid, fd.value) if pidfd else pid


def clone_thread(flags: int, fn: Callable[..., object], *args: object) -> int:
    """Start a thread that runs ``fn(*args)`` with the flags of clone(2); return its tid.

    The interpreter does not wait for it at the end of the program.

    Args:
        flags: natively what pthread_create passes (CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND,
            CLONE_THREAD, CLONE_SYSVSEM, with or without those that name a word of memory). On the
            emulated machine any that hold CLONE_VM.

    Raises:
        ValueError: without CLONE_VM.
        NotImplementedError: other flags, natively.
    """
    if not flags & CLONE_VM:
        raise ValueError("clone_thread() needs CLONE_VM: write clone()")
    words = CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID
    if flags & ~words != _PTHREAD_FLAGS:
        raise native_form.missing("clone_thread() has a native form for pthread's flags only")
    tids: list[int] = []
    started = _thread.allocate_lock()
    started.acquire()

    def run() -> None:
        tids.append(_thread.get_native_id())
        started.release()
        fn(*args)

    _thread.start_new_thread(run, ())
    started.acquire()
    return tids[0]


def unshare(flags: int) -> None:
    """Stop sharing what ``flags`` name: unshare(2).

    Raises:
        OSError: as unshare(2).
    """
    _call(_number(_SYS_UNSHARE, "unshare"), flags)


def setns(fd: int, nstype: int = 0) -> None:
    """Join the namespace that ``fd``, an open file of /proc/PID/ns, stands for: setns(2).

    Raises:
        OSError: as setns(2).
    """
    _call(_number(_SYS_SETNS, "setns"), fd, nstype)


def _call(number: int, *args: int) -> int:
    """Make a system call."""
    result = int(_SYSCALL(ctypes.c_long(number), *[ctypes.c_long(arg) for arg in args]))
    if result < 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))
    return result


def vfork() -> int:
    """Return ``os.fork()``: see the module header."""
    return os.fork()


def prctl(option: int, arg: int | str = 0) -> int | str:
    """Call prctl(2). What it would store through a pointer is returned instead.

    Args:
        option: PR_SET_* or PR_GET_*.
        arg: an int; for PR_SET_NAME a str.

    Raises:
        OSError: as prctl(2).
    """
    call = _LIBC.prctl
    name = ctypes.create_string_buffer(16)
    number = ctypes.c_int(0)
    value: object = arg
    if option == PR_SET_NAME and isinstance(arg, str):
        value = ctypes.c_char_p(os.fsencode(arg))
        if "\0" in arg:
            raise ValueError("embedded null character")
    elif option == PR_GET_NAME:
        value = name
    elif option in (PR_GET_PDEATHSIG, PR_GET_CHILD_SUBREAPER):
        value = ctypes.byref(number)
    else:
        value = ctypes.c_ulong(operator.index(arg))  # type: ignore[arg-type]
    zero = ctypes.c_ulong(0)
    result = int(call(ctypes.c_int(option), value, zero, zero, zero))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    if option == PR_GET_NAME:
        return os.fsdecode(name.value)
    return number.value if option in (PR_GET_PDEATHSIG, PR_GET_CHILD_SUBREAPER) else result


def acct(path: str | None) -> None:
    """Append a BSD accounting record to ``path`` for every process that ends; None: no longer.

    Raises:
        OSError: as acct(2).
    """
    call = _LIBC.acct
    if call(None if path is None else ctypes.c_char_p(os.fsencode(path))) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), path)


def set_child_subreaper(on: bool = True) -> None:
    """Make the calling process inherit the orphans among its descendants, or no longer."""
    prctl(PR_SET_CHILD_SUBREAPER, int(bool(on)))


def sched_setattr(
    pid: int,
    policy: int,
    *,
    nice: int = 0,
    priority: int = 0,
    runtime_ns: int = 0,
    deadline_ns: int = 0,
    period_ns: int = 0,
    flags: int = 0,
    size: int = 56,
) -> None:
    """Call sched_setattr(2).

    Args:
        runtime_ns: of a deadline task; of a fair one its slice.
        size: of the structure; what it has beyond the fields above is 0.

    Raises:
        OSError: as sched_setattr(2).
        NotImplementedError: its number on this machine is not known.
    """
    number = ctypes.c_long(_number(_SYS_SCHED_SETATTR, "sched_setattr"))
    attr = struct.pack(
        "IIQiIQQQ4096x", size & 0xFFFFFFFF, policy & 0xFFFFFFFF, flags, nice, priority, runtime_ns,
        deadline_ns, period_ns,
    )  # fmt: skip
    if _SYSCALL(number, ctypes.c_int(pid), ctypes.c_char_p(attr), ctypes.c_uint(0)) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def sched_getattr(pid: int, size: int = 56) -> tuple[int, ...]:
    """Call sched_getattr(2).

    Args:
        pid: 0 is the caller.
        size: of the room for the answer.

    Returns:
        (policy, flags, nice, priority, runtime_ns, deadline_ns, period_ns).

    Raises:
        OSError: as sched_getattr(2).
        NotImplementedError: its number on this machine is not known.
    """
    number = ctypes.c_long(_number(_SYS_SCHED_GETATTR, "sched_getattr"))
    room = ctypes.create_string_buffer(8192)
    if _SYSCALL(number, ctypes.c_int(pid), room, ctypes.c_uint(size), ctypes.c_uint(0)) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return struct.unpack_from("=IQiIQQQ", room, 4)
