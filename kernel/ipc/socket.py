"""The socket calls: socketpair, send, recv, shutdown; and a socket as a file.

Source: net/socket.c, net/unix/af_unix.c (unix_create, unix_socketpair).
Deviation: AF_UNIX pairs only: no socket(), bind(), connect().
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.fs.file import fd_install, fget, get_unused_fd
from kernel.fs.file_table import File, alloc_file, check_file_max
from kernel.fs.inode import FileOperations
from kernel.fs.read_write import with_file
from kernel.ipc.unix import (
    SocketInode,
    UnixSock,
    sock_of,
    sock_recv,
    sock_send,
    unix_poll,
    unix_release,
    unix_shutdown,
)
from kernel.points import Path
from kernel.task import files_of
from kernel.uapi.errno_ import (
    EAFNOSUPPORT,
    EINVAL,
    ENOTSOCK,
    EOPNOTSUPP,
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
)
from kernel.uapi.fcntl import MAX_RW_COUNT, O_NONBLOCK, O_RDWR
from kernel.uapi.socket import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    MSG_OOB,
    SHUT_RDWR,
    SOCK_CLOEXEC,
    SOCK_DGRAM,
    SOCK_NONBLOCK,
    SOCK_RAW,
    SOCK_STREAM,
    SOCK_TYPE_MASK,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_SOCK_MAX: Final = 11


def _sock_read_iter(k: "Kernel", file: File, count: int) -> Path[bytes]:
    """read() of a socket; of 0 bytes it does nothing. Source: net/socket.c:sock_read_iter()."""
    if not count:
        return b""
    data = yield from sock_recv(k, file, count, 0)
    return data


def _sock_write_iter(k: "Kernel", file: File, data: bytes) -> Path[int]:
    """Source: net/socket.c:sock_write_iter()."""
    return sock_send(k, file, data, 0)


_socket_file_ops: Final = FileOperations(
    read=_sock_read_iter, write=_sock_write_iter, release=unix_release, poll=unix_poll
)


def sys_socketpair(k: "Kernel", family: int, type: int, protocol: int) -> tuple[int, int]:
    """Make two sockets that are each other's peers; return their descriptors.

    Args:
        type: SOCK_STREAM or SOCK_DGRAM (SOCK_RAW is the latter), with SOCK_CLOEXEC, SOCK_NONBLOCK.
        protocol: 0 or AF_UNIX.

    Raises:
        KernelError: EINVAL, other flags or no type at all; EMFILE; EAFNOSUPPORT; EOPNOTSUPP, the
            family has no pairs; EPROTONOSUPPORT; ESOCKTNOSUPPORT.

    Source: net/socket.c:__sys_socketpair(), __sock_create(); net/unix/af_unix.c:unix_create().
    """
    k.now_ns += k.costs.pipe_op
    if type & ~(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK):
        raise KernelError(EINVAL)
    files = files_of(k.current)
    first = get_unused_fd(k, files)
    second = get_unused_fd(k, files, first + 1)
    kind = type & SOCK_TYPE_MASK
    if kind >= _SOCK_MAX:
        raise KernelError(EINVAL)
    if family in (AF_INET, AF_INET6):
        raise KernelError(EOPNOTSUPP)
    if family != AF_UNIX:
        raise KernelError(EAFNOSUPPORT)
    if protocol not in (0, AF_UNIX):
        raise KernelError(EPROTONOSUPPORT)
    if kind == SOCK_RAW:
        kind = SOCK_DGRAM
    if kind not in (SOCK_STREAM, SOCK_DGRAM):
        raise KernelError(ESOCKTNOSUPPORT)
    check_file_max(k, 2)
    pair = (UnixSock(k, kind), UnixSock(k, kind))
    pair[0].peer, pair[1].peer = pair[1], pair[0]
    cred = k.current.cred
    for fd, sk in zip((first, second), pair):
        k.vfs.last_ino += 1
        inode = SocketInode(k.vfs.last_ino, cred.euid, cred.egid, k.vfs.epoch_ns + k.now_ns, sk)
        inode.i_fop = _socket_file_ops
        k.vfs.socks[inode.ino] = sk
        file = alloc_file(k, inode, O_RDWR | (O_NONBLOCK if type & SOCK_NONBLOCK else 0))
        fd_install(files, fd, file, cloexec=bool(type & SOCK_CLOEXEC))
    return first, second


def _sockfd_lookup(k: "Kernel", fd: int) -> File:
    """Return the open socket ``fd``.

    Raises:
        KernelError: EBADF; ENOTSOCK.

    Source: net/socket.c:sockfd_lookup_light().
    """
    file = fget(files_of(k.current), fd)
    if not isinstance(file.inode, SocketInode):
        raise KernelError(ENOTSOCK)
    return file


def sys_sendto(k: "Kernel", fd: int, data: bytes, flags: int) -> Path[int]:
    """Send ``data`` through a socket; return how many bytes were taken.

    Raises:
        KernelError: EBADF, ENOTSOCK; EOPNOTSUPP, MSG_OOB; as ``unix.unix_stream_sendmsg`` and
            ``unix.unix_dgram_sendmsg``.

    Source: net/socket.c:__sys_sendto().
    """
    file = _sockfd_lookup(k, fd)
    if flags & MSG_OOB:
        raise KernelError(EOPNOTSUPP)
    if files_of(k.current).count > 1:
        return with_file(k, file, _send, (data, flags))
    return sock_send(k, file, data, flags)


def _send(k: "Kernel", file: File, message: tuple[bytes, int]) -> Path[int]:
    return sock_send(k, file, message[0], message[1])


def sys_recvfrom(k: "Kernel", fd: int, size: int, flags: int) -> Path[bytes]:
    """Receive up to ``size`` bytes from a socket.

    Raises:
        KernelError: EBADF, ENOTSOCK; EOPNOTSUPP, MSG_OOB; as ``unix.unix_recvmsg``.

    Source: net/socket.c:__sys_recvfrom().
    """
    file = _sockfd_lookup(k, fd)
    if flags & MSG_OOB:
        raise KernelError(EOPNOTSUPP)
    size = min(size, MAX_RW_COUNT)
    if files_of(k.current).count > 1:
        return with_file(k, file, _receive, (size, flags))
    return sock_recv(k, file, size, flags)


def _receive(k: "Kernel", file: File, wanted: tuple[int, int]) -> Path[bytes]:
    return sock_recv(k, file, wanted[0], wanted[1])


def sys_shutdown(k: "Kernel", fd: int, how: int) -> Path[None]:
    """Shut a socket down: SHUT_RD, SHUT_WR or SHUT_RDWR.

    Raises:
        KernelError: EBADF, ENOTSOCK; EINVAL, another value.

    Source: net/socket.c:__sys_shutdown(), net/unix/af_unix.c:unix_shutdown().
    """
    k.now_ns += k.costs.file_op
    file = _sockfd_lookup(k, fd)
    if not 0 <= how <= SHUT_RDWR:
        raise KernelError(EINVAL)
    if files_of(k.current).count > 1:
        return with_file(k, file, _shutdown, how + 1)
    return _shutdown(k, file, how + 1)


def _shutdown(k: "Kernel", file: File, mode: int) -> Path[None]:
    return unix_shutdown(k, sock_of(file), mode)
