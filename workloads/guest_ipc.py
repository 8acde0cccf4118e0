"""System V IPC, futexes and atomic words for guest programs that run natively.

``workloads.guest`` exports all of it. The calls go to the C library through ctypes, which knows
nothing of PEP 475: a call that a signal interrupts is not begun again. Its Python handler runs,
and then the call raises InterruptedError.

A word is 32 bits, little-endian, at an offset of a mapping (``mmap.mmap`` or ``shmat``) that is a
multiple of 4; values are unsigned, and what is stored is taken modulo 2**32. The read-modify-write
operations need instructions that no C library exports, so they are made of machine code here, for
x86-64; elsewhere they raise NotImplementedError.
"""

import ctypes
import mmap
import os
import struct
import sys
from collections.abc import Sequence
from typing import Any

from workloads import native_form

__all__ = [
    "GETNCNT",
    "GETPID",
    "GETVAL",
    "GETZCNT",
    "IPC_CREAT",
    "IPC_EXCL",
    "IPC_NOWAIT",
    "IPC_PRIVATE",
    "IPC_RMID",
    "IPC_SET",
    "IPC_STAT",
    "MSG_COPY",
    "MSG_EXCEPT",
    "MSG_NOERROR",
    "SEM_UNDO",
    "SETVAL",
    "READ_ONCE",
    "WRITE_ONCE",
    "atomic_add",
    "cmpxchg",
    "futex_wait",
    "futex_wake",
    "load_acquire",
    "msgctl",
    "msgget",
    "msgrcv",
    "msgsnd",
    "semctl",
    "semget",
    "semop",
    "shmat",
    "shmctl",
    "shmdt",
    "shmget",
    "smp_mb",
    "smp_rmb",
    "smp_wmb",
    "store_release",
    "xchg",
]

IPC_PRIVATE = 0
IPC_CREAT = 0o1000
IPC_EXCL = 0o2000
IPC_NOWAIT = 0o4000
IPC_RMID = 0
IPC_SET = 1
IPC_STAT = 2
GETPID = 11
GETVAL = 12
GETNCNT = 14
GETZCNT = 15
SETVAL = 16
SEM_UNDO = 0x1000
MSG_NOERROR = 0o10000
MSG_EXCEPT = 0o20000
MSG_COPY = 0o40000

_SYS_FUTEX = {"x86_64": 202, "aarch64": 98}
_FUTEX_WAIT = 0
_FUTEX_WAKE = 1
_WORD = 4

_libc = ctypes.CDLL(None, use_errno=True)
_libc.shmat.restype = ctypes.c_void_p
_libc.msgrcv.restype = ctypes.c_ssize_t
_libc.syscall.restype = ctypes.c_long


def _c_int(value: int) -> ctypes.c_int:
    """Return an argument of type int; what does not fit is refused as CPython does."""
    if not -(1 << 31) <= value < 1 << 31:
        raise OverflowError("Python int too large to convert to C int")
    return ctypes.c_int(value)


def _result(value: int) -> int:
    if value == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return value


# ---- semaphores --------------------------------------------------------------------------------


def semget(key: int, nsems: int, flags: int) -> int:
    """Return the id of the set of semaphores with ``key``; see semget(2)."""
    return _result(_libc.semget(_c_int(key), _c_int(nsems), _c_int(flags)))


def semop(id: int, operations: Sequence[tuple[int, int, int]]) -> None:
    """Do all of ``operations``, each ``(index, change, flags)``, at once; see semop(2).

    The three are cut to 16 bits, as C does.
    """
    data = b"".join(
        struct.pack("HHH", index & 0xFFFF, change & 0xFFFF, flags & 0xFFFF)
        for index, change, flags in operations
    )
    _result(_libc.semop(_c_int(id), data, ctypes.c_size_t(len(operations))))


class _SemidDs(ctypes.Structure):
    _fields_ = (
        ("key", ctypes.c_int),
        ("ids", ctypes.c_uint * 4),
        ("mode", ctypes.c_uint),
        ("seq", ctypes.c_ushort),
        ("rest", ctypes.c_ulong * 20),
    )


def semctl(id: int, index: int, command: int, value: int = 0) -> int:
    """Ask about or change one semaphore, or the set; see semctl(2).

    Args:
        command: GETVAL, SETVAL (to ``value``), GETPID, GETNCNT, GETZCNT, IPC_RMID; IPC_STAT only
            tells whether the set may be read; IPC_SET gives it to the caller's effective ids with
            the mode ``value``.
    """
    argument: Any = ctypes.c_long(value)
    if command in (IPC_STAT, IPC_SET):
        data = _SemidDs()
        data.ids[0] = os.geteuid()
        data.ids[1] = os.getegid()
        data.mode = value & 0o777
        argument = ctypes.byref(data)
    elif command not in (IPC_RMID, GETPID, GETVAL, GETNCNT, GETZCNT, SETVAL):
        raise ValueError(f"semctl() command {command} is not in the guest language")
    return _result(_libc.semctl(_c_int(id), _c_int(index), _c_int(command), argument))


# ---- messages ----------------------------------------------------------------------------------


def msgget(key: int, flags: int) -> int:
    """Return the id of the message queue with ``key``; see msgget(2)."""
    return _result(_libc.msgget(_c_int(key), _c_int(flags)))


def msgsnd(id: int, mtype: int, data: bytes, flags: int = 0) -> None:
    """Send one message, waiting while the queue is full; see msgsnd(2)."""
    buffer = struct.pack("q", mtype) + data
    _result(_libc.msgsnd(_c_int(id), buffer, ctypes.c_size_t(len(data)), _c_int(flags)))


def msgrcv(id: int, size: int, mtype: int = 0, flags: int = 0) -> tuple[int, bytes]:
    """Take one message of at most ``size`` bytes, waiting for it; see msgrcv(2).

    Returns:
        ``(type, data)``.
    """
    buffer = ctypes.create_string_buffer(8 + min(max(size, 0), 1 << 20))
    length = _result(
        _libc.msgrcv(
            _c_int(id), buffer, ctypes.c_ssize_t(size), ctypes.c_long(mtype), _c_int(flags)
        )
    )
    return struct.unpack("q", buffer.raw[:8])[0], buffer.raw[8 : 8 + length]


class _MsqidDs(ctypes.Structure):
    _fields_ = (
        ("key", ctypes.c_int),
        ("ids", ctypes.c_uint * 4),
        ("mode", ctypes.c_uint),
        ("seq", ctypes.c_ushort),
        ("pad", ctypes.c_ulong * 2),
        ("stime", ctypes.c_long),
        ("rtime", ctypes.c_long),
        ("ctime", ctypes.c_long),
        ("cbytes", ctypes.c_ulong),
        ("qnum", ctypes.c_ulong),
        ("rest", ctypes.c_ulong * 10),
    )


def msgctl(id: int, command: int) -> Any:
    """Remove a queue (IPC_RMID: 0) or describe it (IPC_STAT: ``{"qnum": n}``); see msgctl(2)."""
    if command not in (IPC_RMID, IPC_STAT):
        raise ValueError(f"msgctl() command {command} is not in the guest language")
    data = _MsqidDs()
    _result(_libc.msgctl(_c_int(id), _c_int(command), ctypes.byref(data)))
    return {"qnum": int(data.qnum)} if command == IPC_STAT else 0


# ---- shared memory -----------------------------------------------------------------------------


class SharedMemory:
    """An attached segment, indexed like an mmap. After ``shmdt`` an access is a real one: SIGSEGV.

    Attributes:
        address: where it is attached.
    """

    def __init__(self, address: int, length: int) -> None:
        self.address = address
        self.length = length

    def __len__(self) -> int:
        return self.length

    def _span(self, key: int | slice) -> tuple[int, int]:
        if isinstance(key, slice):
            start, stop, step = key.indices(self.length)
            if step != 1:
                raise ValueError("a slice of shared memory has step 1")
            return start, max(stop - start, 0)
        index = key + self.length if key < 0 else key
        if not 0 <= index < self.length:
            raise IndexError("mmap index out of range")
        return index, 1

    def __getitem__(self, key: int | slice) -> Any:
        start, length = self._span(key)
        data = ctypes.string_at(self.address + start, length) if length else b""
        return data if isinstance(key, slice) else data[0]

    def __setitem__(self, key: int | slice, value: Any) -> None:
        start, length = self._span(key)
        if isinstance(key, slice):
            data = bytes(value)
            if len(data) != length:
                raise IndexError("mmap slice assignment is wrong size")
        else:
            if not 0 <= value <= 255:
                raise ValueError("mmap item value must be in range(0, 256)")
            data = bytes((value,))
        ctypes.memmove(self.address + start, data, length)


def shmget(key: int, size: int, flags: int) -> int:
    """Return the id of the segment with ``key``; see shmget(2)."""
    return _result(_libc.shmget(_c_int(key), ctypes.c_size_t(size), _c_int(flags)))


class _ShmidDs(ctypes.Structure):
    _fields_ = (
        ("key", ctypes.c_int),
        ("ids", ctypes.c_uint * 4),
        ("mode", ctypes.c_uint),
        ("seq", ctypes.c_ushort),
        ("pad", ctypes.c_ulong * 2),
        ("size", ctypes.c_size_t),
        ("times", ctypes.c_long * 3),
        ("pids", ctypes.c_int * 2),
        ("nattch", ctypes.c_ulong),
        ("rest", ctypes.c_ulong * 10),
    )


def shmat(id: int) -> SharedMemory:
    """Attach a segment for reading and writing; see shmat(2)."""
    address = _libc.shmat(_c_int(id), None, 0)
    if address is None or address == ctypes.c_void_p(-1).value:
        _result(-1)
    data = _ShmidDs()
    _result(_libc.shmctl(_c_int(id), IPC_STAT, ctypes.byref(data)))
    return SharedMemory(int(address or 0), int(data.size))


def shmdt(handle: SharedMemory) -> None:
    """Detach a segment; see shmdt(2)."""
    _result(_libc.shmdt(ctypes.c_void_p(handle.address)))


def shmctl(id: int, command: int) -> Any:
    """Remove a segment (IPC_RMID: 0) or describe it (IPC_STAT: a dict); see shmctl(2)."""
    if command not in (IPC_RMID, IPC_STAT):
        raise ValueError(f"shmctl() command {command} is not in the guest language")
    data = _ShmidDs()
    _result(_libc.shmctl(_c_int(id), _c_int(command), ctypes.byref(data)))
    if command == IPC_STAT:
        return {"size": int(data.size), "nattch": int(data.nattch)}
    return 0


# ---- words of shared memory --------------------------------------------------------------------

Mapping = mmap.mmap | SharedMemory


def _word(m: Mapping, offset: int) -> Any:
    """Return the word at ``offset`` as a ctypes object that lies in the mapping itself."""
    if offset % _WORD:
        raise ValueError("the offset of a word is a multiple of 4")
    if not 0 <= offset <= len(m) - _WORD:
        raise IndexError("mmap index out of range")
    if isinstance(m, SharedMemory):
        return ctypes.c_uint32.from_address(m.address + offset)
    return ctypes.c_uint32.from_buffer(m, offset)


def _needs_x86(name: str) -> None:
    if os.uname().machine != "x86_64" or sys.byteorder != "little":
        raise native_form.missing(f"{name}() has no native form on {os.uname().machine}")


def futex_wait(m: Mapping, offset: int, expected: int, timeout_ns: int | None = None) -> None:
    """Sleep on the word at ``offset`` if it still is ``expected``; see futex(2), FUTEX_WAIT.

    Raises:
        BlockingIOError: the word has another value.
        TimeoutError: nobody woke the caller in time.
        InterruptedError: a signal came.
    """
    timeout = None
    if timeout_ns is not None:
        timeout = struct.pack("qq", timeout_ns // 10**9, timeout_ns % 10**9)
    word = _word(m, offset)
    _result(_futex(word, _FUTEX_WAIT, expected, timeout))


def futex_wake(m: Mapping, offset: int, count: int) -> int:
    """Wake at most ``count`` of those who sleep on the word; return how many were woken."""
    return _result(_futex(_word(m, offset), _FUTEX_WAKE, count, None))


def _futex(word: Any, operation: int, value: int, timeout: bytes | None) -> int:
    machine = os.uname().machine
    if machine not in _SYS_FUTEX:
        raise native_form.missing(f"futexes have no native form on {machine}")
    result: int = _libc.syscall(
        ctypes.c_long(_SYS_FUTEX[machine]),
        ctypes.byref(word),
        ctypes.c_long(operation),
        ctypes.c_uint32(value & 0xFFFFFFFF),
        timeout,
    )
    return result


def READ_ONCE(m: Mapping, offset: int) -> int:
    """Return the word at ``offset``."""
    return int(_word(m, offset).value)


def WRITE_ONCE(m: Mapping, offset: int, value: int) -> None:
    """Store into the word at ``offset``."""
    _word(m, offset).value = value & 0xFFFFFFFF


def load_acquire(m: Mapping, offset: int) -> int:
    """Return the word; no later access comes before this one (an x86-64 load is that strong)."""
    _needs_x86("load_acquire")
    return int(_word(m, offset).value)


def store_release(m: Mapping, offset: int, value: int) -> None:
    """Store into the word; no earlier access comes after (an x86-64 store is that strong)."""
    _needs_x86("store_release")
    _word(m, offset).value = value & 0xFFFFFFFF


_CODE = {
    # rdi: the word; esi, edx: operands; the result is in eax
    "xchg": bytes.fromhex("89f0 8707 c3"),  # mov eax, esi; xchg [rdi], eax; ret
    "cmpxchg": bytes.fromhex("89f0 f00fb117 c3"),  # mov eax, esi; lock cmpxchg [rdi], edx; ret
    "atomic_add": bytes.fromhex("89f0 f00fc107 c3"),  # mov eax, esi; lock xadd [rdi], eax; ret
    "smp_mb": bytes.fromhex("0faef0 c3"),  # mfence; ret
    "smp_rmb": bytes.fromhex("0faee8 c3"),  # lfence; ret
    "smp_wmb": bytes.fromhex("0faef8 c3"),  # sfence; ret
}
_instructions: dict[str, tuple[mmap.mmap, Any]] = {}


def _instruction(name: str) -> Any:
    """Return the machine code ``name`` as a C function, made at first use."""
    made = _instructions.get(name)
    if made is None:
        _needs_x86(name)
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(_CODE[name])
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        kind = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32)
        made = _instructions[name] = (page, kind(address))
    return made[1]


def _modify(name: str, m: Mapping, offset: int, first: int, second: int = 0) -> int:
    word = _word(m, offset)
    code = _instruction(name)
    return int(code(ctypes.addressof(word), first & 0xFFFFFFFF, second & 0xFFFFFFFF))


def xchg(m: Mapping, offset: int, value: int) -> int:
    """Store ``value`` and return what was there, in one step; a full barrier."""
    return _modify("xchg", m, offset, value)


def cmpxchg(m: Mapping, offset: int, old: int, new: int) -> int:
    """Store ``new`` if the word is ``old``; return what was there. A full barrier."""
    return _modify("cmpxchg", m, offset, old, new)


def atomic_add(m: Mapping, offset: int, n: int) -> int:
    """Add ``n`` and return what was there before, in one step; a full barrier."""
    return _modify("atomic_add", m, offset, n)


def smp_mb() -> None:
    """Order all earlier accesses before all later ones."""
    _instruction("smp_mb")(None, 0, 0)


def smp_rmb() -> None:
    """Order earlier loads before later loads."""
    _instruction("smp_rmb")(None, 0, 0)


def smp_wmb() -> None:
    """Order earlier stores before later stores."""
    _instruction("smp_wmb")(None, 0, 0)
