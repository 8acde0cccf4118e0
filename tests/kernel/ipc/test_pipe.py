"""Pipes. The figures are those of the host's kernel."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import KernelError, RestartSyscall
from kernel.fs.open import sys_close
from kernel.fs.read_write import sys_lseek, sys_read, sys_write
from kernel.fs.stat import sys_fstat
from kernel.ipc.pipe import sys_pipe2
from kernel.uapi import errno_ as e
from kernel.uapi.fcntl import O_CLOEXEC, O_DIRECT, O_NONBLOCK

PAGE = 4096


def pipe(k: Any, flags: int = 0) -> tuple[int, int]:
    """Return a new pipe of the current task as ``(read fd, write fd)``."""
    ends: tuple[int, int] = k.call(sys_pipe2, flags)
    return ends


def fails(errno: int, k: Any, function: Any, *args: Any) -> None:
    """Check that a call fails with ``errno``."""
    with pytest.raises(KernelError) as failed:
        k.call(function, *args)
    assert failed.value.errno == errno


def fill(k: Any, fd: int, size: int) -> int:
    """Write pieces of ``size`` bytes until the pipe is full; return the number of bytes."""
    total = 0
    while True:
        try:
            total += k.call(sys_write, fd, b"x" * size)
        except KernelError as full:
            assert full.errno == e.EAGAIN
            return total


@pytest.mark.parametrize(
    ("size", "total"),
    [(1, 65536), (100, 64000), (3000, 48000), (4095, 65520), (4096, 65536), (5000, 54096)],
)
def test_capacity_counts_pages_and_small_writes_merge(mini: Any, size: int, total: int) -> None:
    _, write_end = pipe(mini, O_NONBLOCK)
    assert fill(mini, write_end, size) == total


def test_space_comes_back_by_whole_pages(mini: Any) -> None:
    read_end, write_end = pipe(mini, O_NONBLOCK)
    fill(mini, write_end, PAGE)
    mini.call(sys_read, read_end, PAGE - 1)
    fails(e.EAGAIN, mini, sys_write, write_end, b"x")
    mini.call(sys_read, read_end, 1)
    assert mini.call(sys_write, write_end, b"x") == 1
    mini.check_memory()


def test_nonblocking_write_larger_than_the_room_is_partial(mini: Any) -> None:
    _, write_end = pipe(mini, O_NONBLOCK)
    assert mini.call(sys_write, write_end, bytes(100_000)) == 65536
    fails(e.EAGAIN, mini, sys_write, write_end, b"x")


def test_empty_pipe_is_eagain_or_end_of_file(mini: Any) -> None:
    read_end, write_end = pipe(mini, O_NONBLOCK)
    fails(e.EAGAIN, mini, sys_read, read_end, 1)
    assert mini.call(sys_read, read_end, 0) == b""
    mini.call(sys_write, write_end, b"last")
    mini.call(sys_close, write_end)
    assert mini.call(sys_read, read_end, 9) == b"last"
    assert mini.call(sys_read, read_end, 9) == b""


def test_write_without_readers_is_epipe_and_sigpipe_unless_empty(mini: Any) -> None:
    read_end, write_end = pipe(mini)
    mini.call(sys_close, read_end)
    assert mini.call(sys_write, write_end, b"") == 0
    assert not mini.current.pending
    fails(e.EPIPE, mini, sys_write, write_end, b"x")
    assert mini.current.pending[0][0] == 13


def test_ignored_sigpipe_leaves_only_epipe(mini: Any) -> None:
    """CPython ignores SIGPIPE when it starts."""
    mini.current.sighand.action = {13: 1}
    read_end, write_end = pipe(mini)
    mini.call(sys_close, read_end)
    fails(e.EPIPE, mini, sys_write, write_end, b"x")
    assert not mini.current.pending


def test_ends_have_one_direction_and_no_offset(mini: Any) -> None:
    read_end, write_end = pipe(mini)
    for errno, function, args in (
        (e.EBADF, sys_read, (write_end, 0)),
        (e.EBADF, sys_write, (read_end, b"")),
        (e.ESPIPE, sys_lseek, (read_end, 0, 0)),
        (e.EINVAL, sys_lseek, (read_end, 0, 99)),
        (e.EINVAL, sys_pipe2, (1,)),
        (e.EINVAL, sys_pipe2, (O_DIRECT,)),
    ):
        fails(errno, mini, function, *args)
    assert mini.call(sys_fstat, read_end)[0] == 0o10600


def test_flags_of_pipe2_are_those_of_the_descriptors(mini: Any) -> None:
    ends = pipe(mini, O_CLOEXEC)
    assert mini.current.files.close_on_exec == 1 << ends[0] | 1 << ends[1]


def test_reader_sleeps_until_a_writer_comes(mini: Any) -> None:
    read_end, write_end = pipe(mini)
    child = mini.fork()
    mini.begin(child, sys_read, read_end, 10)
    mini.run()
    assert mini.sleeps(child)
    mini.call(sys_write, write_end, b"hello")
    assert mini.result(child) == b"hello"


def test_writer_sleeps_until_a_page_is_free_and_writes_all(mini: Any) -> None:
    read_end, write_end = pipe(mini)
    child = mini.fork()
    data = bytes(range(256)) * 500
    mini.begin(child, sys_write, write_end, data)
    mini.run()
    assert mini.sleeps(child)
    got = b""
    while len(got) < len(data):
        got += mini.call(sys_read, read_end, 10_000)
    assert mini.result(child) == len(data)
    assert got == data
    mini.check_memory()


def test_one_write_wakes_one_reader_who_hands_on_what_is_left(mini: Any) -> None:
    read_end, write_end = pipe(mini)
    readers = [mini.fork() for _ in range(4)]
    for reader in readers:
        mini.begin(reader, sys_read, read_end, 1)
    mini.run()
    mini.call(sys_write, write_end, b"a")
    assert [mini.sleeps(reader) for reader in readers] == [False, True, True, True]
    mini.call(sys_write, write_end, b"bc")
    assert [mini.sleeps(reader) for reader in readers] == [False, False, False, True]
    assert [mini.result(reader) for reader in readers[:3]] == [b"a", b"b", b"c"]


def test_closing_the_last_writer_wakes_every_reader(mini: Any) -> None:
    read_end, write_end = pipe(mini)
    readers = [mini.fork() for _ in range(4)]
    for reader in readers:
        mini.as_task(reader, sys_close, write_end)
        mini.begin(reader, sys_read, read_end, 1)
    mini.run()
    mini.call(sys_close, write_end)
    assert [mini.result(reader) for reader in readers] == [b""] * 4


def test_closing_the_last_reader_wakes_every_writer(mini: Any) -> None:
    read_end, write_end = pipe(mini)
    writers = [mini.fork() for _ in range(3)]
    for writer in writers:
        mini.as_task(writer, sys_close, read_end)
        mini.begin(writer, sys_write, write_end, bytes(70_000))
    mini.run()
    assert all(mini.sleeps(writer) for writer in writers)
    mini.call(sys_close, read_end)
    # the first had written something already, so it gets a count; all get the signal
    assert mini.result(writers[0]) == 65536
    for writer in writers[1:]:
        with pytest.raises(KernelError):
            mini.result(writer)
    assert [writer.pending[0][0] for writer in writers] == [13, 13, 13]


def test_signal_ends_a_sleep_and_the_call_is_restarted(mini: Any) -> None:
    read_end, write_end = pipe(mini)
    child = mini.fork()
    mini.begin(child, sys_read, read_end, 1)
    mini.run()
    mini.signal(child)
    with pytest.raises(RestartSyscall):
        mini.result(child)
    child.sigpending = False
    mini.begin(child, sys_read, read_end, 1)
    mini.call(sys_write, write_end, b"x")
    assert mini.result(child) == b"x"


def test_interrupted_writer_tells_how_much_it_wrote(mini: Any) -> None:
    _, write_end = pipe(mini)
    child = mini.fork()
    mini.begin(child, sys_write, write_end, bytes(70_000))
    mini.run()
    mini.signal(child)
    assert mini.result(child) == 65536


def test_signal_does_not_swallow_the_wake_up_of_another_reader(mini: Any) -> None:
    """The woken reader uses what came although a signal is pending too."""
    read_end, write_end = pipe(mini)
    first, second = mini.fork(), mini.fork()
    for reader in (first, second):
        mini.begin(reader, sys_read, read_end, 1)
    mini.run()
    first.sigpending = True
    mini.call(sys_write, write_end, b"x")
    assert mini.result(first) == b"x"
    assert mini.sleeps(second)


def test_descriptor_closed_by_another_thread_stays_open_for_the_sleeping_reader(
    mini: Any,
) -> None:
    read_end, write_end = pipe(mini)
    thread = mini.thread()
    mini.begin(thread, sys_read, read_end, 5)
    mini.run()
    mini.call(sys_close, read_end)
    assert mini.call(sys_write, write_end, b"still") == 5
    assert mini.result(thread) == b"still"
    fails(e.EPIPE, mini, sys_write, write_end, b"x")


def test_closing_both_ends_gives_the_pages_back(mini: Any) -> None:
    ends = pipe(mini)
    used = mini.frames.nr_used
    mini.call(sys_write, ends[1], bytes(10_000))
    assert mini.frames.nr_used == used + 3
    for end in ends:
        mini.call(sys_close, end)
    assert mini.frames.nr_used == used
    assert not mini.vfs.pipes


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 20_000)), max_size=30))
def test_bytes_come_out_in_order_and_none_is_lost(
    make_mini: Any, steps: list[tuple[bool, int]]
) -> None:
    k = make_mini()
    read_end, write_end = pipe(k, O_NONBLOCK)
    sent = got = 0
    for writes, size in steps:
        try:
            if writes:
                data = bytes((sent + i) % 251 for i in range(size))
                sent += k.call(sys_write, write_end, data)
            else:
                data = k.call(sys_read, read_end, size)
                assert data == bytes((got + i) % 251 for i in range(len(data)))
                got += len(data)
        except KernelError as failed:
            assert failed.errno == e.EAGAIN
            assert writes or got == sent
    k.check_memory()
