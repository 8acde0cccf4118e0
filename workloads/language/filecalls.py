"""Files above the system calls: what CPython's os, fcntl, select and socket do in between.

A socket and a poll object are handles: plain data of the program, copied by fork. A socket object
that nobody refers to any more is not closed; CPython would.

Source: CPython Modules/posixmodule.c, Modules/selectmodule.c, Modules/socketmodule.c,
Modules/fcntlmodule.c, Lib/socket.py.
Deviation: a socket object closes its descriptor only when told to; no timeouts of sockets
(settimeout): a descriptor is blocking or not, see os.set_blocking; fcntl takes an int only.
"""

import math
from typing import Any, Final

from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EBADF, EINVAL, ENOENT
from kernel.uapi.fcntl import (
    F_GETFD,
    F_GETFL,
    F_SETFD,
    F_SETFL,
    FD_CLOEXEC,
    O_CLOEXEC,
    O_DIRECTORY,
    O_NONBLOCK,
    O_RDONLY,
    S_IFIFO,
)
from kernel.uapi.poll import FD_SETSIZE, POLLIN, POLLOUT, POLLPRI
from kernel.uapi.socket import AF_UNIX, SOCK_CLOEXEC
from workloads.language.bounded import tname
from workloads.language.constants import STRERROR
from workloads.language.errors import FatalRunError
from workloads.language.frames import CALL, RERAISE, RETURN, VALUE, Frame
from workloads.language.library import library
from workloads.language.values import PollHandle, SocketHandle

Values = list[Any]

_FOREVER: Final = -1


def _nothing(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, None)


def _file_descriptor(value: Any) -> int:
    """Return the descriptor that an int or a handle stands for.

    Source: CPython Objects/fileobject.c:PyObject_AsFileDescriptor().
    """
    if type(value) is SocketHandle:
        value = value.fd
    elif not isinstance(value, int):
        raise TypeError("argument must be an int, or have a fileno() method.")
    fd = int(value)
    if not -(1 << 31) <= fd < 1 << 31:
        raise OverflowError("Python int too large to convert to C int")
    if fd < 0:
        raise ValueError(f"file descriptor cannot be a negative integer ({fd})")
    return fd


def _integer(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError(f"'{tname(value)}' object cannot be interpreted as an integer")
    return int(value)


def _unsigned(value: Any) -> int:
    """Source: CPython Objects/longobject.c:_PyLong_UnsignedShort_Converter() and others."""
    if not isinstance(value, int):
        raise TypeError("an integer is required")
    if value < 0:
        raise ValueError("value must be positive")
    return int(value)


# ---- os: attributes of descriptors, directories --------------------------------------------------


def os_set_inheritable(G: Values, fd: int, inheritable: Any) -> Any:
    """Begin ``os.set_inheritable``."""
    return (nr.NR_FCNTL, fd, F_SETFD, 0 if inheritable else FD_CLOEXEC)


def is_inheritable(value: int) -> bool:
    """Return whether descriptor flags say that exec keeps it."""
    return not value & FD_CLOEXEC


def os_get_inheritable(G: Values, fd: int) -> Any:
    """Begin ``os.get_inheritable``."""
    return (nr.NR_FCNTL, fd, F_GETFD, 0)


def is_blocking(value: int) -> bool:
    """Return whether file status flags say that calls may wait."""
    return not value & O_NONBLOCK


def os_get_blocking(G: Values, fd: int) -> Any:
    """Begin ``os.get_blocking``."""
    return (nr.NR_FCNTL, fd, F_GETFL, 0)


def descriptor_flags(F: Frame, L: Values, G: Values, V: Any) -> Any:
    """Ask for the status flags of the descriptor ``L[0]``; the next step gets them."""
    F.pc = 1
    return (nr.NR_FCNTL, L[0], F_GETFL, 0)


def _blocking_set(F: Frame, L: Values, G: Values, V: Any) -> Any:
    flags = V & ~O_NONBLOCK if L[1] else V | O_NONBLOCK
    if flags == V:
        return (RETURN, None)
    F.pc = 2
    return (nr.NR_FCNTL, L[0], F_SETFL, flags)


#: [fd, blocking]
_SET_BLOCKING: Final = library(
    "set_blocking", (descriptor_flags, -1), (_blocking_set, -1), (_nothing, -1)
)


def os_set_blocking(G: Values, fd: int, blocking: Any) -> Any:
    """Begin ``os.set_blocking``."""
    return (CALL, _SET_BLOCKING, [fd, bool(blocking)])


def _mkfifo_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (nr.NR_MKNOD, L[0], L[1])


def _mkfifo_failed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if isinstance(V, OSError) and V.errno is not None:
        V = OSError(V.errno, V.strerror)  # os.mkfifo() alone does not say which file
    return (RERAISE, V)


#: [path, mode]
_MKFIFO: Final = library("mkfifo", (_mkfifo_call, -1), (_nothing, 2), (_mkfifo_failed, -1))


def os_mkfifo(G: Values, path: str, mode: int) -> Any:
    """Begin ``os.mkfifo``."""
    return (CALL, _MKFIFO, [path, S_IFIFO | mode & 0o7777])


def _list_open(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (nr.NR_OPEN, L[0], O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC, 0)


def _list_opened(F: Frame, L: Values, G: Values, V: Any) -> Any:
    L[1] = V
    return 2


def _list_read(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 3
    return (nr.NR_GETDENTS64, L[1])


def _list_more(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if V:
        L[2].extend(V)
        return 2
    F.pc = 4
    return (nr.NR_CLOSE, L[1])


def _list_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, L[2])


def _list_failed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if not isinstance(V, FileNotFoundError):
        return (RERAISE, V)
    F.pc = 4  # a removed directory: to readdir() of the C library that is the end
    return (nr.NR_CLOSE, L[1])


#: [path, descriptor, names]
_LISTDIR: Final = library(
    "listdir",
    (_list_open, -1),
    (_list_opened, -1),
    (_list_read, 5),
    (_list_more, 5),
    (_list_done, -1),
    (_list_failed, -1),
)


def os_listdir(G: Values, path: Any) -> Any:
    """Begin ``os.listdir`` of a path."""
    if path is None:
        path = "."
    if type(path) is not str:
        raise FatalRunError("os.listdir() takes a str in the guest language")
    if "\0" in path:
        raise ValueError("embedded null byte")
    return (CALL, _LISTDIR, [path, -1, []])


def _exists_stat(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (nr.NR_FSTAT if type(L[0]) is int else nr.NR_STAT, L[0])


def _exists_yes(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, True)


def _exists_no(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, False) if isinstance(V, OSError) else (RERAISE, V)


#: [path or descriptor]
_EXISTS: Final = library("exists", (_exists_stat, 2), (_exists_yes, 2), (_exists_no, -1))


def path_exists(G: Values, path: Any) -> Any:
    """Begin ``os.path.exists``."""
    if isinstance(path, int):
        return (CALL, _EXISTS, [int(path)])
    if type(path) is bytes:
        path = path.decode(errors="surrogateescape")
    if type(path) is not str:
        raise TypeError(
            f"stat: path should be string, bytes, os.PathLike or integer, not {tname(path)}"
        )
    return (VALUE, False) if "\0" in path else (CALL, _EXISTS, [path])


# ---- fcntl --------------------------------------------------------------------------------------


def fcntl_fcntl(G: Values, fd: Any, cmd: int, arg: Any) -> Any:
    """Begin ``fcntl.fcntl`` with an int argument."""
    if type(arg) in (bytes, bytearray, str):
        raise FatalRunError("fcntl.fcntl() takes an int as third argument in the guest language")
    return (nr.NR_FCNTL, _file_descriptor(fd), cmd, _integer(arg) & 0xFFFF_FFFF)


# ---- select -------------------------------------------------------------------------------------


def _timeout_ns(value: Any, unit_ns: int, resolution_ns: int, what: str) -> int:
    """Return a timeout rounded up to what the system call takes; _FOREVER for None."""
    if value is None:
        return _FOREVER
    if not isinstance(value, int | float):
        raise TypeError(what)
    if value != value:
        raise ValueError("Invalid value NaN (not a number)")
    if abs(value) * unit_ns >= 2**63:
        raise OverflowError("timeout is too large")
    ns = value * unit_ns if isinstance(value, int) else math.ceil(value * unit_ns)
    return -(-ns // resolution_ns) * resolution_ns


def select_poll(G: Values) -> PollHandle:
    """Return ``select.poll()``: a handle that knows no descriptors yet."""
    return PollHandle({})


_POLL_METHODS: Final[dict[str, tuple[str, ...]]] = {
    "register": ("fd", "eventmask"),
    "modify": ("fd", "eventmask"),
    "unregister": ("fd",),
    "poll": ("timeout",),
}


def _event_mask(value: Any) -> int:
    mask = _unsigned(value)
    if mask > 0xFFFF:
        raise OverflowError("Python int too large for C unsigned short")
    return mask


def _poll_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (nr.NR_POLL, L[0], L[1])


def _poll_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, [(pair[0], mask) for pair, mask in zip(L[0], V) if mask])


#: [pairs (descriptor, events), timeout in ns]
_POLL: Final = library("poll", (_poll_call, -1), (_poll_done, -1))


def _poll_method(handle: PollHandle, name: str, args: dict[str, Any]) -> Any:
    fds = handle.fds
    if name == "poll":
        ns = _timeout_ns(
            args.get("timeout"), 1_000_000, 1_000_000, "timeout must be an integer or None"
        )
        if ns // 1_000_000 >= 1 << 31 or ns // 1_000_000 < -(1 << 31):
            raise OverflowError("timeout is too large")
        return (CALL, _POLL, [tuple(fds.items()), max(ns, _FOREVER)])
    if "fd" not in args:
        raise TypeError(f"{name} expected at least 1 argument, got 0")
    fd = _file_descriptor(args["fd"])
    if name == "unregister":
        del fds[fd]
    elif name == "modify":
        if "eventmask" not in args:
            raise TypeError("modify expected 2 arguments, got 1")
        if fd not in fds:
            raise OSError(ENOENT, STRERROR[ENOENT])
        fds[fd] = _event_mask(args["eventmask"])
    else:
        fds[fd] = _event_mask(args.get("eventmask", POLLIN | POLLPRI | POLLOUT))
    return (VALUE, None)


def _select_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (nr.NR_SELECT, L[0][0], L[0][1], L[0][2], L[2])


def _select_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (
        RETURN,
        tuple(
            [
                [item for fd, item in zip(fds, items) if fd in ready]
                for fds, items, ready in zip(L[0], L[1], V)
            ]
        ),
    )


#: [three tuples of descriptors, three tuples of what was given, timeout in ns]
_SELECT: Final = library("select", (_select_call, -1), (_select_done, -1))


def select_select(G: Values, rlist: Any, wlist: Any, xlist: Any, timeout: Any) -> Any:
    """Begin ``select.select``."""
    ns = _timeout_ns(timeout, 10**9, 1000, "timeout must be a float or None")
    if ns < 0 and timeout is not None:
        raise ValueError("timeout must be non-negative")
    given = []
    for items in (rlist, wlist, xlist):
        try:
            given.append(tuple(G[0].program.runtime.bounded.iterate(items)))
        except TypeError:
            raise TypeError("arguments 1-3 must be sequences") from None
    fds = []
    for items in given:
        row = tuple([_file_descriptor(item) for item in items])
        if any(fd >= FD_SETSIZE for fd in row):
            raise ValueError("filedescriptor out of range in select()")
        if len(row) > FD_SETSIZE:
            raise ValueError("too many file descriptors in select()")
        fds.append(row)
    return (CALL, _SELECT, [tuple(fds), tuple(given), ns])


# ---- socket -------------------------------------------------------------------------------------


def _pair_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (nr.NR_SOCKETPAIR, L[0], L[1], L[2])


def _pair_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, (SocketHandle(V[0]), SocketHandle(V[1])))


#: [family, type, protocol]
_SOCKETPAIR: Final = library("socketpair", (_pair_call, -1), (_pair_done, -1))


def socket_socketpair(G: Values, family: Any, type: int, proto: int) -> Any:
    """Begin ``socket.socketpair``."""
    number = AF_UNIX if family is None else _integer(family)
    return (CALL, _SOCKETPAIR, [number, type | SOCK_CLOEXEC, proto])


_SOCKET_METHODS: Final[dict[str, tuple[str, ...]]] = {
    "send": ("data", "flags"),
    "recv": ("bufsize", "flags"),
    "close": (),
    "fileno": (),
    "shutdown": ("how",),
    "setblocking": ("flag",),
    "sendall": ("data", "flags"),
}


def _all_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if not L[1]:
        return (RETURN, None)
    F.pc = 1
    return (nr.NR_SENDTO, L[0], L[1], L[2])


def _all_sent(F: Frame, L: Values, G: Values, V: Any) -> Any:
    L[1] = L[1][V:]
    return 0 if L[1] else (RETURN, None)


#: [descriptor, rest of the data, flags]
_SENDALL: Final = library("sendall", (_all_call, -1), (_all_sent, -1))


def _socket_method(handle: SocketHandle, name: str, args: dict[str, Any]) -> Any:
    fd = handle.fd
    if name == "fileno":
        return (VALUE, fd)
    if name == "close":
        handle.fd = -1
        return (VALUE, None) if fd < 0 else (nr.NR_CLOSE, fd)
    missing = [word for word in _SOCKET_METHODS[name][:1] if word not in args]
    if missing:
        raise TypeError(f"{name}() takes exactly one argument (0 given)")
    if fd < 0:
        raise OSError(EBADF, STRERROR[EBADF])
    if name == "shutdown":
        return (nr.NR_SHUTDOWN, fd, _integer(args["how"]))
    if name == "setblocking":
        return (CALL, _SET_BLOCKING, [fd, bool(args["flag"])])
    flags = _integer(args.get("flags", 0))
    if name == "recv":
        size = _integer(args["bufsize"])
        if size < 0:
            raise ValueError("negative buffersize in recv")
        return (VALUE, b"") if size == 0 else (nr.NR_RECVFROM, fd, size, flags)
    data = args["data"]
    if type(data) is bytearray:
        data = bytes(data)
    if type(data) is not bytes:
        raise TypeError(f"a bytes-like object is required, not '{tname(data)}'")
    if name == "send":
        return (nr.NR_SENDTO, fd, data, flags)
    return (CALL, _SENDALL, [fd, data, flags])


SIGNATURES: Final[dict[type, dict[str, tuple[str, ...]]]] = {
    PollHandle: _POLL_METHODS,
    SocketHandle: _SOCKET_METHODS,
}


def method(handle: Any, name: str, args: dict[str, Any]) -> Any:
    """Begin a method call of a socket or a poll object."""
    if type(handle) is PollHandle:
        return _poll_method(handle, name, args)
    return _socket_method(handle, name, args)


# ---- eventfd ------------------------------------------------------------------------------------


def os_eventfd(G: Values, initval: Any, flags: int) -> Any:
    """Begin ``os.eventfd``."""
    number = _unsigned(initval)
    if number >= 1 << 32:
        raise OverflowError("Python int too large for C unsigned int")
    return (nr.NR_EVENTFD2, number, flags)


def os_eventfd_write(G: Values, fd: int, value: Any) -> Any:
    """Begin ``os.eventfd_write``."""
    number = _unsigned(value)
    if number >= 1 << 64:
        raise OverflowError("int too big to convert")
    return (nr.NR_EVENTFD_WRITE, fd, number.to_bytes(8, "little"))


def eventfd_value(value: bytes) -> int:
    """Return the counter that was read; a file of another kind may have given fewer bytes."""
    if len(value) != 8:
        raise OSError(EINVAL, STRERROR[EINVAL])
    return int.from_bytes(value, "little")
