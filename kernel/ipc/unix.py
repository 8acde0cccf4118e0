"""Unix socket pairs: two sockets, each the other's peer, streams or datagrams.

What one end sends stands in the other's ``receive_queue`` in pieces (``kernel.ipc.skbuff``) and
takes the *sender's* buffer space until it is read. A blocked sender is woken only when three
quarters of its space are free again, and poll() calls a socket writable by the same rule.

A stream has no message boundaries. When one end of it closes, the other reads what is left, then
end of file; if the closing end had not read everything, the other finds ECONNRESET once; writing is
EPIPE with SIGPIPE. Ends of a datagram pair do not notice: the next send is refused
(ECONNREFUSED), then the socket is without a peer (ENOTCONN).

``lock`` (unix_state_lock) guards queue, peer, shutdown and error of a socket. ``iolock`` is a mutex
that keeps two readers of one socket apart.

Source: net/unix/af_unix.c, net/core/sock.c, net/core/datagram.c.
Deviation: no names, no listening and connecting, no credentials and descriptors in messages, no
SOCK_SEQPACKET, no MSG_OOB, no socket options and receive time limits.
"""

from collections import deque
from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError, RestartSyscall
from kernel.fs.file_table import File
from kernel.fs.inode import SOCKET, Inode
from kernel.fs.select import PollWqueues, poll_wait
from kernel.ipc.skbuff import (
    STREAM_CHUNK,
    WMEM_DEFAULT,
    SkBuff,
    dgram_truesize,
    stream_truesize,
)
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.process.pid import PIDTYPE_PID, task_tgid_vnr
from kernel.signal.pending import signal_pending
from kernel.signal.send import do_send_sig_info
from kernel.smp.wait import (
    WaitQueueHead,
    wait_event,
    wake_up,
    wake_up_all,
)
from kernel.uapi.errno_ import EAGAIN, ECONNREFUSED, ECONNRESET, EMSGSIZE, ENOTCONN, EPIPE
from kernel.uapi.fcntl import O_NONBLOCK, S_IFSOCK
from kernel.uapi.poll import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLRDHUP,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
)
from kernel.uapi.signals import SI_USER, SIGPIPE
from kernel.uapi.socket import MSG_DONTWAIT, MSG_NOSIGNAL, MSG_PEEK, MSG_WAITALL, SOCK_STREAM

if TYPE_CHECKING:
    from kernel.kernel import Kernel

RCV_SHUTDOWN: Final = 1
SEND_SHUTDOWN: Final = 2
SHUTDOWN_MASK: Final = 3

_READABLE: Final = POLLIN | POLLRDNORM
_WRITABLE: Final = POLLOUT | POLLWRNORM | POLLWRBAND


class UnixSock:
    """One end (``unix_sock``). ``type``: SOCK_STREAM or SOCK_DGRAM; ``dead``: closed."""

    __slots__ = (
        "dead",
        "err",
        "iolock",
        "lock",
        "peer",
        "rd_wait",
        "receive_queue",
        "shutdown",
        "sndbuf",
        "type",
        "wmem_alloc",
        "wr_wait",
    )

    def __init__(self, k: "Kernel", type: int) -> None:
        self.type = type
        self.iolock = k.new_lock("unix_iolock")
        self.lock = k.new_lock("unix_state_lock")
        self.peer: UnixSock | None = None
        self.receive_queue: deque[SkBuff] = deque()
        self.shutdown = 0
        self.err = 0  # sk_err: reported once
        self.dead = False
        self.sndbuf = WMEM_DEFAULT
        self.wmem_alloc = 0
        # Linux has one queue for both; the events are told apart there by the waiters' keys
        self.rd_wait = WaitQueueHead()
        self.wr_wait = WaitQueueHead()


class SocketInode(Inode):
    """The file behind a socket."""

    __slots__ = ("sock",)

    def __init__(self, ino: int, uid: int, gid: int, time_ns: int, sock: UnixSock) -> None:
        super().__init__(ino, SOCKET, S_IFSOCK | 0o777, uid, gid, time_ns)
        self.sock = sock


def _sock_error(sk: UnixSock) -> int:
    """Return the pending error and forget it. Source: include/net/sock.h:sock_error()."""
    err = sk.err
    if err:
        sk.err = 0
    return err


def _unix_writable(sk: UnixSock) -> bool:
    """Source: net/unix/af_unix.c:unix_writable(); the first reference counts as one byte."""
    return (sk.wmem_alloc + 1) * 4 <= sk.sndbuf


# -- space ----------------------------------------------------------------------------------------


def _consume_skb(k: "Kernel", skb: SkBuff) -> Path[None]:
    """Give a piece's space back to its sender, and wake those who wait for it.

    Source: net/core/sock.c:sock_wfree(), net/unix/af_unix.c:unix_write_space().
    """
    sk = skb.sk
    sk.wmem_alloc -= skb.truesize
    if not sk.dead and _unix_writable(sk) and sk.wr_wait.active():
        yield from wake_up_all(k, sk.wr_wait, key=_WRITABLE, sync=True)


def _has_space(sk: UnixSock) -> bool:
    return sk.wmem_alloc < sk.sndbuf or bool(sk.shutdown & SEND_SHUTDOWN) or sk.err != 0


def _sock_alloc_send(k: "Kernel", sk: UnixSock, nonblock: bool) -> Path[int]:
    """Wait for buffer space; return an errno, 0 if there is some, or -1 if a signal came first.

    Source: net/core/sock.c:sock_alloc_send_pskb(), sock_wait_for_wmem().
    """
    while True:
        err = _sock_error(sk)
        if err:
            return err
        if sk.shutdown & SEND_SHUTDOWN:
            return EPIPE
        if sk.wmem_alloc < sk.sndbuf:
            return 0
        if nonblock:
            return EAGAIN
        if signal_pending(k.current):
            return -1
        yield from wait_event(k, sk.wr_wait, _has_space, sk)


# -- sending --------------------------------------------------------------------------------------


def _deliver(k: "Kernel", sk: UnixSock, other: UnixSock, skb: SkBuff) -> Path[int]:
    """Put a piece on ``other``'s queue and wake its readers; return an errno instead.

    Source: net/unix/af_unix.c:unix_stream_sendmsg(), unix_dgram_sendmsg(), sock_def_readable().
    """
    sk.wmem_alloc += skb.truesize
    yield "unix_sendmsg.state_lock", ACQUIRE, other.lock
    errno = 0
    if other.dead:
        errno = EPIPE if sk.type == SOCK_STREAM else ECONNREFUSED
    elif other.shutdown & RCV_SHUTDOWN:
        errno = EPIPE
    else:
        other.receive_queue.append(skb)
    yield "unix_sendmsg.state_unlock", RELEASE, other.lock
    if errno:
        yield from _consume_skb(k, skb)
    elif other.rd_wait.active():
        if sk.type == SOCK_STREAM:
            yield from wake_up_all(k, other.rd_wait, key=_READABLE, sync=True)
        else:
            yield from wake_up(k, other.rd_wait, key=_READABLE, sync=True)
    return errno


def unix_stream_sendmsg(
    k: "Kernel", sk: UnixSock, data: bytes, flags: int, nonblock: bool
) -> Path[int]:
    """Send ``data`` down a stream; return how many bytes were taken.

    Raises:
        KernelError: nothing was taken: EPIPE, with SIGPIPE unless MSG_NOSIGNAL; ECONNRESET; EAGAIN.
        RestartSyscall: a signal came before any byte.

    Source: net/unix/af_unix.c:unix_stream_sendmsg().
    """
    other = sk.peer
    if other is None:
        raise KernelError(ENOTCONN)
    total = len(data)
    sent = 0
    errno = 0
    broken = bool(sk.shutdown & SEND_SHUTDOWN)
    while sent < total and not broken:
        size = min(total - sent, (sk.sndbuf >> 1) - 64, STREAM_CHUNK)
        errno = yield from _sock_alloc_send(k, sk, nonblock)
        if errno:
            break
        k.now_ns += size * k.costs.copy_byte_x1000 // 1000
        skb = SkBuff(sk, data[sent : sent + size], stream_truesize(size))
        errno = yield from _deliver(k, sk, other, skb)
        broken = errno != 0
        if not broken:
            sent += size
    if sent:
        return sent
    if broken:
        if not flags & MSG_NOSIGNAL:
            task = k.current
            info = (SIGPIPE, SI_USER, task_tgid_vnr(k, task), task.cred.uid, 0)
            yield from do_send_sig_info(k, SIGPIPE, info, task, PIDTYPE_PID)
        raise KernelError(EPIPE)
    if errno < 0:
        raise RestartSyscall
    if errno:
        raise KernelError(errno)
    return 0


def unix_dgram_sendmsg(k: "Kernel", sk: UnixSock, data: bytes, nonblock: bool) -> Path[int]:
    """Send one datagram; return its length.

    Raises:
        KernelError: EMSGSIZE; EPIPE; EAGAIN; ENOTCONN, no peer; ECONNREFUSED, the peer has been
            closed (from then on there is none, and what it sent is lost).
        RestartSyscall: a signal came first.

    Source: net/unix/af_unix.c:unix_dgram_sendmsg(), unix_dgram_disconnected().
    """
    if len(data) > sk.sndbuf - 32:
        raise KernelError(EMSGSIZE)
    errno = yield from _sock_alloc_send(k, sk, nonblock)
    other = sk.peer
    if not errno and other is None:
        errno = ENOTCONN
    if not errno and other is not None:
        k.now_ns += len(data) * k.costs.copy_byte_x1000 // 1000
        skb = SkBuff(sk, data, dgram_truesize(len(data)))
        errno = yield from _deliver(k, sk, other, skb)
        if errno == ECONNREFUSED:
            sk.peer = None
            yield from _purge(k, sk)
    if errno < 0:
        raise RestartSyscall
    if errno:
        raise KernelError(errno)
    return len(data)


def _purge(k: "Kernel", sk: UnixSock) -> Path[None]:
    """Throw away what stands in a socket's queue. Source: net/core/skbuff.c:skb_queue_purge()."""
    while sk.receive_queue:
        yield from _consume_skb(k, sk.receive_queue.popleft())


# -- receiving ------------------------------------------------------------------------------------


def _anything(sk: UnixSock) -> bool:
    """Tell whether there is something to read or to report."""
    return bool(sk.receive_queue) or sk.err != 0 or bool(sk.shutdown & RCV_SHUTDOWN)


def unix_recvmsg(k: "Kernel", sk: UnixSock, size: int, flags: int, nonblock: bool) -> Path[bytes]:
    """Receive up to ``size`` bytes, of a datagram socket from one datagram; b"" at end of file.

    Args:
        flags: MSG_PEEK, MSG_WAITALL (streams only).

    Raises:
        KernelError: EAGAIN; ECONNRESET, once.
        RestartSyscall: a signal came before any byte.

    Source: net/unix/af_unix.c:unix_stream_read_generic(), __unix_dgram_recvmsg().
    """
    stream = sk.type == SOCK_STREAM
    target = size if flags & MSG_WAITALL and stream else 1
    parts: list[bytes] = []
    copied = 0
    errno = 0
    received = False  # a datagram, it may be empty
    yield "unix_recvmsg.iolock", ACQUIRE, sk.iolock
    while True:
        yield "unix_recvmsg.state_lock", ACQUIRE, sk.lock
        done: list[SkBuff] = []
        for skb in tuple(sk.receive_queue):
            part = skb.data[skb.offset : skb.offset + size - copied]
            parts.append(part)
            copied += len(part)
            received = True
            if not flags & MSG_PEEK:
                skb.offset += len(part)
                if skb.offset == len(skb.data) or not stream:
                    sk.receive_queue.popleft()
                    done.append(skb)
            if not stream or copied == size:
                break
        end = received if not stream else copied >= target
        if not end:
            errno = _sock_error(sk)  # forgotten even if some bytes are returned
            # a datagram socket that must not wait says so before it looks whether it is shut down
            shut = sk.shutdown & RCV_SHUTDOWN and (stream or not nonblock)
            if not errno and not shut and nonblock:
                errno = EAGAIN
            end = bool(errno or shut)
        yield "unix_recvmsg.state_unlock", RELEASE, sk.lock
        for skb in done:
            yield from _consume_skb(k, skb)
        if end:
            break
        yield "unix_recvmsg.iolock_release", RELEASE, sk.iolock
        # unix_stream_data_wait(), __skb_wait_for_more_packets()
        yield from wait_event(k, sk.rd_wait, _anything, sk)
        if signal_pending(k.current) and (stream or not _anything(sk)):
            errno = -1
        yield "unix_recvmsg.iolock_again", ACQUIRE, sk.iolock
        if errno:
            break
    yield "unix_recvmsg.iolock_done", RELEASE, sk.iolock
    k.now_ns += copied * k.costs.copy_byte_x1000 // 1000
    if not copied and errno and not received:
        raise RestartSyscall if errno < 0 else KernelError(errno)
    return b"".join(parts)


# -- files ----------------------------------------------------------------------------------------


def sock_recv(k: "Kernel", file: File, size: int, flags: int) -> Path[bytes]:
    """Receive from an open socket. Source: net/socket.c:sock_recvmsg()."""
    k.now_ns += k.costs.pipe_op
    sk = sock_of(file)
    nonblock = bool(file.flags & O_NONBLOCK or flags & MSG_DONTWAIT)
    return unix_recvmsg(k, sk, size, flags, nonblock)


def sock_send(k: "Kernel", file: File, data: bytes, flags: int) -> Path[int]:
    """Send through an open socket. Source: net/socket.c:sock_sendmsg()."""
    k.now_ns += k.costs.pipe_op
    sk = sock_of(file)
    nonblock = bool(file.flags & O_NONBLOCK or flags & MSG_DONTWAIT)
    if sk.type == SOCK_STREAM:
        return unix_stream_sendmsg(k, sk, data, flags, nonblock)
    return unix_dgram_sendmsg(k, sk, data, nonblock)


def sock_of(file: File) -> UnixSock:
    """Return the socket behind ``file``, which is one."""
    inode = file.inode
    if not isinstance(inode, SocketInode):
        raise AssertionError(f"{inode!r} is no socket")
    return inode.sock


def unix_poll(k: "Kernel", file: File, table: PollWqueues | None) -> Path[int]:
    """Return the events of a socket. Source: net/unix/af_unix.c:unix_poll(), unix_dgram_poll()."""
    sk = sock_of(file)
    yield from poll_wait(k, sk.rd_wait, table)
    yield from poll_wait(k, sk.wr_wait, table)
    mask = 0
    if sk.err:
        mask |= POLLERR
    if sk.shutdown == SHUTDOWN_MASK:
        mask |= POLLHUP
    if sk.shutdown & RCV_SHUTDOWN:
        mask |= POLLRDHUP | _READABLE
    if sk.receive_queue:
        mask |= _READABLE
    if _unix_writable(sk):
        mask |= _WRITABLE
    return mask


def _sk_state_change(k: "Kernel", sk: UnixSock) -> Path[None]:
    """Wake everybody on a socket. Source: net/core/sock.c:sock_def_wakeup()."""
    for queue in (sk.rd_wait, sk.wr_wait):
        if queue.active():
            yield from wake_up_all(k, queue)


def _shut(k: "Kernel", sk: UnixSock, mode: int, err: int) -> Path[None]:
    """Shut ``sk`` down as ``mode`` says, and tell."""
    yield "unix_shutdown.state_lock", ACQUIRE, sk.lock
    sk.shutdown |= mode
    if err:
        sk.err = err
    yield "unix_shutdown.state_unlock", RELEASE, sk.lock
    yield from _sk_state_change(k, sk)


def unix_shutdown(k: "Kernel", sk: UnixSock, mode: int) -> Path[None]:
    """Shut an end down for receiving (1), sending (2) or both (3), and a stream's peer in return.

    Source: net/unix/af_unix.c:unix_shutdown().
    """
    yield from _shut(k, sk, mode, 0)
    other = sk.peer
    if other is not None and sk.type == SOCK_STREAM:
        peer_mode = (mode & RCV_SHUTDOWN) << 1 | (mode & SEND_SHUTDOWN) >> 1
        yield from _shut(k, other, peer_mode, 0)


def unix_release(k: "Kernel", file: File) -> Path[None]:
    """Close an end for good. Source: net/unix/af_unix.c:unix_release_sock()."""
    sk = sock_of(file)
    yield "unix_release.state_lock", ACQUIRE, sk.lock
    sk.dead = True
    sk.shutdown = SHUTDOWN_MASK
    other, sk.peer = sk.peer, None
    yield "unix_release.state_unlock", RELEASE, sk.lock
    if other is not None and sk.type == SOCK_STREAM and not other.dead:
        yield from _shut(k, other, SHUTDOWN_MASK, ECONNRESET if sk.receive_queue else 0)
    yield from _purge(k, sk)
    del k.vfs.socks[file.inode.ino]
