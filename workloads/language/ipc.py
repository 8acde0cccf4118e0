"""System V IPC, futexes and words of shared memory, as ``workloads.guest`` offers them.

Natively these go through ctypes, which knows nothing of PEP 475: an interrupted call fails with
InterruptedError after the handler has run (``library.RETRY`` knows which ones).

Source: workloads/guest_ipc.py, the native form.
"""

from typing import Any

from kernel.uapi import atomic, ipc
from kernel.uapi import syscalls as nr
from workloads.language.bounded import tname
from workloads.language.values import MAPPINGS, ShmHandle

Values = list[Any]

_SEMCTL = (
    ipc.IPC_RMID,
    ipc.IPC_SET,
    ipc.IPC_STAT,
    ipc.GETPID,
    ipc.GETVAL,
    ipc.GETNCNT,
    ipc.GETZCNT,
    ipc.SETVAL,
)


def _int(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError(f"unsupported operand type(s) for &: '{tname(value)}' and 'int'")
    return int(value)


def _short(value: int) -> int:
    """Return a C short: cut to 16 bits, with a sign."""
    return ((value & 0xFFFF) ^ 0x8000) - 0x8000


# ---- semaphores, messages ----------------------------------------------------------------------


def guest_semop(G: Values, id: int, operations: Any) -> Any:
    """Begin ``guest.semop``."""
    if type(operations) not in (list, tuple):
        raise TypeError(f"semop() needs a list of operations, not {tname(operations)}")
    sops = []
    for operation in operations:
        if type(operation) not in (list, tuple):
            raise TypeError(f"cannot unpack non-iterable {tname(operation)} object")
        index, change, flags = operation
        sops.append((_int(index) & 0xFFFF, _short(_int(change)), _int(flags) & 0xFFFF))
    return (nr.NR_SEMOP, id, tuple(sops))


def guest_semctl(G: Values, id: int, index: int, command: int, value: int) -> Any:
    """Begin ``guest.semctl``."""
    if command not in _SEMCTL:
        raise ValueError(f"semctl() command {command} is not in the guest language")
    return (nr.NR_SEMCTL, id, index, command, value)


def guest_msgctl(G: Values, id: int, command: int) -> Any:
    """Begin ``guest.msgctl``."""
    if command not in (ipc.IPC_RMID, ipc.IPC_STAT):
        raise ValueError(f"msgctl() command {command} is not in the guest language")
    return (nr.NR_MSGCTL, id, command)


def msgctl_result(value: Any) -> Any:
    """Return the result of ``guest.msgctl``."""
    return 0 if isinstance(value, int) else {"qnum": value[0]}


# ---- shared memory -----------------------------------------------------------------------------


def shm_handle(value: Any) -> ShmHandle:
    """Return the handle of an attached segment."""
    return ShmHandle(value[0], value[1])


def guest_shmdt(G: Values, handle: Any) -> Any:
    """Begin ``guest.shmdt``."""
    if type(handle) is not ShmHandle:
        raise AttributeError(f"'{tname(handle)}' object has no attribute 'address'")
    return (nr.NR_SHMDT, handle.address)


def guest_shmctl(G: Values, id: int, command: int) -> Any:
    """Begin ``guest.shmctl``."""
    if command not in (ipc.IPC_RMID, ipc.IPC_STAT):
        raise ValueError(f"shmctl() command {command} is not in the guest language")
    return (nr.NR_SHMCTL, id, command)


def shmctl_result(value: Any) -> Any:
    """Return the result of ``guest.shmctl``."""
    return 0 if isinstance(value, int) else {"size": value[0], "nattch": value[1]}


# ---- words of shared memory --------------------------------------------------------------------


def _word(m: Any, offset: int) -> int:
    """Return the address of the word at ``offset`` of a mapping."""
    if type(m) not in MAPPINGS:
        raise TypeError(f"object of type '{tname(m)}' is no mapping")
    if m.address == 0:
        raise ValueError("mmap closed or invalid")
    if offset % 4:
        raise ValueError("the offset of a word is a multiple of 4")
    if not 0 <= offset <= m.length - 4:
        raise IndexError("mmap index out of range")
    return int(m.address + offset)


def guest_futex_wait(G: Values, m: Any, offset: int, expected: int, timeout_ns: Any) -> Any:
    """Begin ``guest.futex_wait``."""
    if timeout_ns is not None:
        timeout_ns = _int(timeout_ns)
    val = expected & 0xFFFFFFFF
    return (nr.NR_FUTEX, _word(m, offset), ipc.FUTEX_WAIT, val, timeout_ns)


def guest_futex_wake(G: Values, m: Any, offset: int, count: int) -> Any:
    """Begin ``guest.futex_wake``."""
    count = ((count & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000
    return (nr.NR_FUTEX, _word(m, offset), ipc.FUTEX_WAKE, count, None)


def _access(op: int, m: Any, offset: int, value: int = 0, expected: int = 0) -> Any:
    return (nr.NR_ATOMIC, op, _word(m, offset), value & 0xFFFFFFFF, expected & 0xFFFFFFFF)


def guest_read_once(G: Values, m: Any, offset: int) -> Any:
    """Begin ``guest.READ_ONCE``."""
    return _access(atomic.ATOMIC_READ_ONCE, m, offset)


def guest_write_once(G: Values, m: Any, offset: int, value: int) -> Any:
    """Begin ``guest.WRITE_ONCE``."""
    return _access(atomic.ATOMIC_WRITE_ONCE, m, offset, value)


def guest_load_acquire(G: Values, m: Any, offset: int) -> Any:
    """Begin ``guest.load_acquire``."""
    return _access(atomic.ATOMIC_LOAD_ACQUIRE, m, offset)


def guest_store_release(G: Values, m: Any, offset: int, value: int) -> Any:
    """Begin ``guest.store_release``."""
    return _access(atomic.ATOMIC_STORE_RELEASE, m, offset, value)


def guest_xchg(G: Values, m: Any, offset: int, value: int) -> Any:
    """Begin ``guest.xchg``."""
    return _access(atomic.ATOMIC_XCHG, m, offset, value)


def guest_cmpxchg(G: Values, m: Any, offset: int, old: int, new: int) -> Any:
    """Begin ``guest.cmpxchg``."""
    return _access(atomic.ATOMIC_CMPXCHG, m, offset, new, old)


def guest_atomic_add(G: Values, m: Any, offset: int, n: int) -> Any:
    """Begin ``guest.atomic_add``."""
    return _access(atomic.ATOMIC_ADD, m, offset, n)


def guest_smp_mb(G: Values) -> Any:
    """Begin ``guest.smp_mb``."""
    return (nr.NR_SMP_BARRIER, atomic.MB_FULL)


def guest_smp_rmb(G: Values) -> Any:
    """Begin ``guest.smp_rmb``."""
    return (nr.NR_SMP_BARRIER, atomic.MB_READ)


def guest_smp_wmb(G: Values) -> Any:
    """Begin ``guest.smp_wmb``."""
    return (nr.NR_SMP_BARRIER, atomic.MB_WRITE)
