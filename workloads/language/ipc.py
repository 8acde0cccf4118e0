"""System V IPC, futexes and words of shared memory, as ``workloads.guest`` offers them.

Natively these go through ctypes, which knows nothing of PEP 475: an interrupted call fails with
InterruptedError after the handler has run (``library.RETRY`` knows which ones).

Source: workloads/guest_ipc.py, the native form.
"""

from typing import Any

from kernel.uapi import ipc
from kernel.uapi import syscalls as nr
from workloads.language.bounded import tname
from workloads.language.values import ShmHandle

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
    if command not in _SEMCTL:
        raise ValueError(f"semctl() command {command} is not in the guest language")
    return (nr.NR_SEMCTL, id, index, command, value)


def guest_msgctl(G: Values, id: int, command: int) -> Any:
    if command not in (ipc.IPC_RMID, ipc.IPC_STAT):
        raise ValueError(f"msgctl() command {command} is not in the guest language")
    return (nr.NR_MSGCTL, id, command)


def msgctl_result(value: Any) -> Any:
    return 0 if isinstance(value, int) else {"qnum": value[0]}


# ---- shared memory -----------------------------------------------------------------------------


def shm_handle(value: Any) -> ShmHandle:
    return ShmHandle(value[0], value[1])


def guest_shmdt(G: Values, handle: Any) -> Any:
    if type(handle) is not ShmHandle:
        raise AttributeError(f"'{tname(handle)}' object has no attribute 'address'")
    return (nr.NR_SHMDT, handle.address)


def guest_shmctl(G: Values, id: int, command: int) -> Any:
    if command not in (ipc.IPC_RMID, ipc.IPC_STAT):
        raise ValueError(f"shmctl() command {command} is not in the guest language")
    return (nr.NR_SHMCTL, id, command)


def shmctl_result(value: Any) -> Any:
    return 0 if isinstance(value, int) else {"size": value[0], "nattch": value[1]}
