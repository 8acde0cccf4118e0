"""Unix socket pairs where a guest program cannot look: charges, queues, who is woken."""

from typing import Any

import pytest

from kernel.errors import KernelError, RestartSyscall
from kernel.fs.open import sys_close
from kernel.fs.read_write import sys_read, sys_write
from kernel.fs.select import sys_poll
from kernel.ipc.skbuff import STREAM_CHUNK, WMEM_DEFAULT, dgram_truesize, stream_truesize
from kernel.ipc.socket import sys_recvfrom, sys_sendto, sys_shutdown, sys_socketpair
from kernel.uapi import errno_ as e
from kernel.uapi.poll import POLLIN, POLLOUT
from kernel.uapi.socket import AF_UNIX, MSG_DONTWAIT, SOCK_DGRAM, SOCK_STREAM


def pair(k: Any, kind: int = SOCK_STREAM) -> tuple[int, int]:
    """Return the descriptors of a new pair."""
    ends: tuple[int, int] = k.call(sys_socketpair, AF_UNIX, kind, 0)
    return ends


def sock(k: Any, fd: int) -> Any:
    """Return the socket of a descriptor."""
    return k.current.files.fd[fd].inode.sock


def fill(k: Any, fd: int) -> None:
    """Send until there is no room."""
    with pytest.raises(KernelError) as full:
        while True:
            k.call(sys_sendto, fd, bytes(65536), MSG_DONTWAIT)
    assert full.value.errno == e.EAGAIN


@pytest.mark.parametrize(
    ("size", "truesize"),
    [(1, 768), (192, 768), (193, 1280), (3776, 4352), (3777, 4864), (5000, 6400), (36544, 37120)],
)
def test_a_piece_of_a_stream_is_charged_with_its_slab_and_its_pages(
    size: int, truesize: int
) -> None:
    assert stream_truesize(size) == truesize


@pytest.mark.parametrize(
    ("size", "truesize"), [(0, 768), (4000, 8448), (8000, 16640), (16064, 16640), (20000, 20736)]
)
def test_a_datagram_is_charged_with_a_larger_slab(size: int, truesize: int) -> None:
    assert dgram_truesize(size) == truesize


def test_the_charge_stays_until_the_last_byte_of_a_piece_is_read(mini: Any) -> None:
    a, b = pair(mini)
    mini.call(sys_write, a, b"abc")
    assert sock(mini, a).wmem_alloc == 768
    mini.call(sys_read, b, 2)
    assert sock(mini, a).wmem_alloc == 768
    mini.call(sys_read, b, 2)
    assert sock(mini, a).wmem_alloc == 0


def test_a_long_send_is_cut_into_pieces(mini: Any) -> None:
    a, b = pair(mini)
    mini.call(sys_write, a, bytes(2 * STREAM_CHUNK + 1))
    assert [len(skb.data) for skb in sock(mini, b).receive_queue] == [STREAM_CHUNK] * 2 + [1]


def test_a_blocked_sender_is_woken_at_a_quarter_of_its_space(mini: Any) -> None:
    a, b = pair(mini)
    fill(mini, a)
    sender = mini.fork()
    mini.begin(sender, sys_sendto, a, b"more", 0)
    mini.run()
    assert mini.sleeps(sender)
    queue = sock(mini, b).receive_queue
    while mini.sleeps(sender):
        before = sock(mini, a).wmem_alloc
        mini.call(sys_read, b, len(queue[0].data))
        mini.run()
    assert before * 4 > WMEM_DEFAULT
    assert mini.result(sender) == 4


def test_data_wake_every_reader_of_a_stream_and_one_of_datagrams(mini: Any) -> None:
    for kind, asleep in ((SOCK_STREAM, 1), (SOCK_DGRAM, 1)):
        a, b = pair(mini, kind)
        readers = [mini.fork() for _ in range(2)]
        for reader in readers:
            mini.begin(reader, sys_recvfrom, b, 10, 0)
        mini.run()
        before = mini.acquired("pi_lock")
        mini.call(sys_write, a, b"x")
        mini.run()
        assert sum(mini.sleeps(reader) for reader in readers) == asleep
        woken = mini.acquired("pi_lock") - before
        assert woken == (2 if kind == SOCK_STREAM else 1)


def test_a_signal_ends_a_wait_for_data_and_for_room(mini: Any) -> None:
    a, _b = pair(mini)
    fill(mini, a)
    for function, arguments in ((sys_recvfrom, (a, 1, 0)), (sys_sendto, (a, b"x", 0))):
        task = mini.fork()
        mini.begin(task, function, *arguments)
        mini.run()
        assert mini.sleeps(task)
        mini.signal(task)
        mini.run()
        with pytest.raises(RestartSyscall):
            mini.result(task)


def test_closing_gives_the_peer_its_space_back_and_leaves_nothing(mini: Any) -> None:
    a, b = pair(mini, SOCK_DGRAM)
    mini.call(sys_write, a, b"lost")
    one = sock(mini, a)
    mini.call(sys_close, b)
    assert one.wmem_alloc == 0 and one.peer is not None
    mini.call(sys_close, a)
    assert not mini.vfs.socks


def test_shutdown_wakes_a_poller_of_the_other_end(mini: Any) -> None:
    a, b = pair(mini)
    poller = mini.fork()
    mini.begin(poller, sys_poll, ((b, POLLIN),), -1)
    mini.run()
    assert mini.sleeps(poller)
    mini.call(sys_shutdown, a, 1)
    mini.run()
    assert mini.result(poller) == (POLLIN,)


def test_poll_leaves_no_entry_behind(mini: Any) -> None:
    a, b = pair(mini)
    fill(mini, a)
    mini.begin(mini.current, sys_poll, ((a, POLLOUT), (b, POLLOUT), (a, POLLIN)), 1_000_000)
    mini.run()
    queues = [queue for fd in (a, b) for queue in (sock(mini, fd).rd_wait, sock(mini, fd).wr_wait)]
    assert mini.result(mini.current) == (0, POLLOUT, 0)
    assert not any(queue.active() for queue in queues)
    mini.begin(mini.current, sys_poll, ((a, POLLOUT), (a, POLLIN)), 1_000_000)
    mini.run()
    assert sum(len(queue.entries or ()) for queue in queues) == 4
    mini.advance(mini.now_ns + 2_000_000)
    assert mini.result(mini.current) == (0, 0)
    assert not any(queue.active() for queue in queues)
