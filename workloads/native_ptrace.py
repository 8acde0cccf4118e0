"""ptrace for guest programs that run natively: integers in, one integer out.

The same interface as the emulator's, over ptrace(2) of the C library. The header of
``kernel.ptrace.requests`` has what each request takes and gives.

``addressof`` tells the address of a mapping, for PEEKDATA in a process that
inherited it. The calling *thread* is the tracer.
"""

import ctypes
import mmap
import os

from kernel.uapi import ptrace as uapi

_PEEK = (uapi.PTRACE_PEEKTEXT, uapi.PTRACE_PEEKDATA, uapi.PTRACE_PEEKUSER)
_SIGSET_BYTES = 8
_SIGINFO_BYTES = 128
_SYSCALL_INFO_BYTES = 128
# where the fields of a siginfo stand on x86-64: si_signo, si_code, si_pid, si_uid, si_status
_SIGINFO_PLACES = (0, 8, 16, 20, 24)


def _call(request: int, pid: int, addr: object, data: object) -> int:
    call = ctypes.CDLL(None, use_errno=True).ptrace
    call.restype = ctypes.c_long
    ctypes.set_errno(0)
    result = int(call(ctypes.c_long(request), ctypes.c_int(pid), addr, data))
    number = ctypes.get_errno()
    if number and result == -1:
        raise OSError(number, os.strerror(number))
    return result


def ptrace(request: int, pid: int, addr: int = 0, data: int = 0) -> int:
    """Make one ptrace request; see the module header.

    Raises:
        OSError: as ptrace(2).
    """
    void = ctypes.c_void_p
    if request == uapi.PTRACE_GETEVENTMSG:
        message = ctypes.c_ulong()
        _call(request, pid, void(addr), ctypes.byref(message))
        return message.value
    if request in (uapi.PTRACE_GETSIGINFO, uapi.PTRACE_SETSIGINFO):
        place = _SIGINFO_PLACES[addr]
        info = ctypes.create_string_buffer(_SIGINFO_BYTES)
        _call(uapi.PTRACE_GETSIGINFO, pid, void(0), info)
        field = ctypes.c_int.from_buffer(info, place)
        if request == uapi.PTRACE_GETSIGINFO:
            return field.value
        field.value = data
        return _call(request, pid, void(0), info)
    if request in (uapi.PTRACE_GETSIGMASK, uapi.PTRACE_SETSIGMASK):
        mask = ctypes.c_uint64(data)
        _call(request, pid, void(_SIGSET_BYTES), ctypes.byref(mask))
        return mask.value if request == uapi.PTRACE_GETSIGMASK else 0
    if request == uapi.PTRACE_GET_SYSCALL_INFO:
        answer = ctypes.create_string_buffer(_SYSCALL_INFO_BYTES)
        _call(request, pid, void(_SYSCALL_INFO_BYTES), answer)
        return answer.raw[0]
    result = _call(request, pid, void(addr), void(data & 0xFFFFFFFFFFFFFFFF))
    return result if request in _PEEK else 0


def addressof(m: mmap.mmap) -> int:
    """Return the address of a mapping."""
    cell = ctypes.c_char.from_buffer(m)
    return ctypes.addressof(cell)
