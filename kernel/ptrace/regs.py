"""What a tracer sees of a tracee's system call: numbers and registers of x86-64.

A guest program stops at an op, which is a call of CPython's library as much as of the kernel. The
tracer is shown the system call that CPython and the C library make of it on x86-64: ``os.stat`` is
newfstatat, ``os.fork`` is clone. What makes none there (memory accesses, locks that are free, the
clocks of the vDSO) is not reported.

Source: arch/x86/entry/syscalls/syscall_64.tbl, CPython Modules/posixmodule.c, strace of both.
Deviation: an argument that is a pointer reads 0. os.nice() shows as one setpriority, a call for
joining a thread not at all. SIGSTOP of a task whose tracer came while it was inside a call shows
the call's number only if the call was interrupted for it.
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.errors import KernelError, RestartNoHand, RestartNoIntr, RestartSyscall
from kernel.uapi import syscalls as nr
from kernel.uapi.clock import VDSO_CLOCKS
from kernel.uapi.errno_ import EIO, ENOSYS
from kernel.uapi.ptrace import ORIG_RAX, R8, R9, R10, RAX, RDI, RDX, RSI

if TYPE_CHECKING:
    from kernel.uapi.failure import Error

NO_SYSCALL: Final = -1
_WORD: Final = 8
_USER_BYTES: Final = 928  # sizeof(struct user)
_REGISTERS: Final = 27
NI_SYSCALL: Final = (nr.NR_NI_SYSCALL,)  # the op that stands for a call that is not carried out

_AT_FDCWD: Final = 0xFFFFFF9C  # an int in a register
_F_DUPFD_CLOEXEC: Final = 1030
_FORK_FLAGS: Final = 0x1200011  # CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD
_DUP3: Final = 292
_ARGUMENTS: Final[tuple[int, ...]] = (RDI, RSI, RDX, R10, R8, R9)

# op -> (the number seen, registers of fixed value)
_SEEN: Final[dict[int, tuple[int, dict[int, int]]]] = {
    nr.NR_OPEN: (257, {RDI: _AT_FDCWD}),
    nr.NR_STAT: (262, {RDI: _AT_FDCWD}),
    nr.NR_DUP: (nr.NR_FCNTL, {RSI: _F_DUPFD_CLOEXEC}),
    nr.NR_FORK: (nr.NR_CLONE, {RDI: _FORK_FLAGS}),
    nr.NR_NANOSLEEP: (230, {RDI: 1, RSI: 1}),
    nr.NR_THREAD_START: (435, {}),
    nr.NR_POSIX_SPAWN: (435, {}),
    nr.NR_NICE: (nr.NR_SETPRIORITY, {}),
    nr.NR_SIGWAIT: (nr.NR_RT_SIGTIMEDWAIT, {}),
}
# where arguments go that do not go where the system call has them
_PLACES: Final[dict[int, tuple[int, ...]]] = {
    nr.NR_READ: (RDI, RDX),
    nr.NR_OPEN: (RSI, RDX, R10),
    nr.NR_STAT: (RSI,),
    nr.NR_MMAP: (RSI, R10),
    nr.NR_WAIT4: (RDI, RDX),
    nr.NR_WAITID: (RDI, RSI, R10),
    nr.NR_PIPE2: (RSI,),
    nr.NR_NANOSLEEP: (),
    nr.NR_THREAD_START: (),
    nr.NR_POSIX_SPAWN: (),
    nr.NR_NICE: (),
    nr.NR_RT_SIGTIMEDWAIT: (),
    nr.NR_SIGWAIT: (),
    nr.NR_WRITE: (RDI, RSI),
}
_WIDE: Final = frozenset((nr.NR_LSEEK, nr.NR_MMAP, nr.NR_PTRACE))  # whose ints are C longs
# ops whose result is something else than the number the system call returns
_GIVES_ZERO: Final = frozenset(
    (
        nr.NR_RT_SIGACTION,
        nr.NR_RT_SIGPROCMASK,
        nr.NR_RT_SIGPENDING,
        nr.NR_CLOCK_GETTIME,
        nr.NR_CLOCK_GETRES,
        nr.NR_NICE,
    )
)


def seen_nr(op: tuple[Any, ...]) -> int:
    """Return the number of the system call that a tracer sees in place of ``op``; -1 for none."""
    number: int = op[0]
    seen = _SEEN.get(number)
    if seen is not None:
        return seen[0]
    if number >= nr.NR_COMPUTE or number < 0:
        return NO_SYSCALL
    if number in (nr.NR_CLOCK_GETTIME, nr.NR_CLOCK_GETRES) and op[1] in VDSO_CLOCKS:
        return NO_SYSCALL  # the vDSO answers
    if number == nr.NR_DUP2 and not op[3]:
        return _DUP3
    return number


def regs_on_entry(op: tuple[Any, ...]) -> dict[int, int]:
    """Return the registers at the entry of the system call that ``op`` stands for."""
    number: int = op[0]
    regs = {ORIG_RAX: seen_nr(op), RAX: -ENOSYS}
    wide = number in _WIDE
    for place, value in zip(_PLACES.get(number, _ARGUMENTS), op[1:]):
        if type(value) is int or type(value) is bool:
            regs[place] = value if wide or value >= 0 else value & 0xFFFFFFFF
    if number == nr.NR_WRITE:
        regs[RDX] = len(op[2])
    seen = _SEEN.get(number)
    if seen is not None:
        regs.update(seen[1])
    return regs


def rax_of(
    op: tuple[Any, ...], value: Any, error: "Error | None", restart: type[Exception] | None
) -> int:
    """Return what the system call leaves in rax.

    Args:
        op: the call.
        value, error: how it ended, as the guest is told.
        restart: the exception class if a signal interrupted it, else None.
    """
    if restart is not None:
        return _rax_of_restart(restart)
    if error is not None:
        return -error[0] if error[0] > 0 else 0
    number = op[0]
    if number in _GIVES_ZERO or value is None or isinstance(value, bool):
        return 0
    if isinstance(value, int):
        return 20 - value if number == nr.NR_GETPRIORITY else value
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, str):
        return len(value) + 1
    if isinstance(value, tuple) and number in (nr.NR_WAIT4, nr.NR_RT_SIGTIMEDWAIT):
        return int(value[0])
    return 0


def _rax_of_restart(restart: type[Exception]) -> int:
    """Return the number the kernel itself uses for a call that is to be made again.

    Source: include/linux/errno.h.
    """
    if issubclass(restart, RestartNoHand):
        return -514
    if issubclass(restart, RestartNoIntr):
        return -513
    return -512 if issubclass(restart, RestartSyscall) else 0


def op_of_regs(
    op: tuple[Any, ...], before: dict[int, int], regs: dict[int, int]
) -> tuple[Any, ...]:
    """Return what to carry out after a tracer has changed registers at a call's entry.

    Another number: a call without arguments, or nothing at all (result -ENOSYS, or what rax says).
    Other registers: integer arguments of the same call.
    """
    if regs[ORIG_RAX] != before[ORIG_RAX]:
        wanted = regs[ORIG_RAX]
        row = nr.TABLE.get(wanted)
        if row is not None and not row[1] and wanted < nr.NR_COMPUTE:
            return (wanted,)
        return (*NI_SYSCALL, regs[RAX])
    args = list(op[1:])
    for place, value in enumerate(args):
        places = _PLACES.get(op[0], _ARGUMENTS)
        register = places[place] if place < len(places) else -1
        if type(value) is int and regs.get(register) != before.get(register):
            args[place] = regs[register] if op[0] in _WIDE else _c_int(regs[register])
    return (op[0], *args)


def _c_int(value: int) -> int:
    """Return a register's low half as the C int a system call takes."""
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def peek_user(regs: dict[int, int] | None, addr: int) -> int:
    """Return the word at ``addr`` of ``struct user``.

    Source: arch/x86/kernel/ptrace.c:arch_ptrace().
    """
    if addr % _WORD or not 0 <= addr < _USER_BYTES:
        raise KernelError(EIO)
    register = addr // _WORD
    if regs is None:
        return -1 if register == ORIG_RAX else 0
    return regs.get(register, 0)


def poke_user(regs: dict[int, int] | None, addr: int, data: int) -> None:
    """Set a register of a tracee that is in a system call.

    Deviation: only orig_rax, rax and the argument registers, and only in a call; else EIO.
    """
    if addr % _WORD or not 0 <= addr < _REGISTERS * _WORD:
        raise KernelError(EIO)
    register = addr // _WORD
    if regs is None or register not in (
        ORIG_RAX, RAX, RDI, RSI, RDX, R10, R8, R9,
    ):  # fmt: skip
        raise KernelError(EIO)
    data &= (1 << 64) - 1
    regs[register] = data - (1 << 64) if data >> 63 else data
