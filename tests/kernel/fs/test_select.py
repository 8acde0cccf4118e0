"""poll and eventfd where a guest program cannot look: entries, lost wake-ups, references."""

from typing import Any

import pytest

from kernel.errors import KernelError, RestartNoHand
from kernel.fs.eventfd import sys_eventfd2
from kernel.fs.fcntl import sys_dup
from kernel.fs.open import sys_close, sys_open
from kernel.fs.read_write import sys_read, sys_write
from kernel.fs.select import sys_poll, sys_select
from kernel.ipc.pipe import sys_pipe2
from kernel.ipc.socket import sys_socketpair
from kernel.messages import NEVER
from kernel.uapi import errno_ as e
from kernel.uapi.eventfd import EFD_NONBLOCK, EFD_SEMAPHORE
from kernel.uapi.poll import POLLIN, POLLNVAL, POLLOUT
from kernel.uapi.socket import AF_UNIX, SOCK_STREAM


def one(value: int) -> bytes:
    """Return what is written to an eventfd."""
    return value.to_bytes(8, "little")


def test_an_event_between_the_question_and_the_sleep_is_not_lost(mini: Any) -> None:
    r, w = mini.call(sys_pipe2, 0)
    poller = mini.fork()
    before, mini.current = mini.current, poller
    path = sys_poll(mini, ((r, POLLIN),), -1)
    mini.walk(path, "set_task_state.store")  # every question has been asked
    mini.current = before
    mini.call(sys_write, w, b"x")
    mini.current = poller
    names = mini.walk(path)
    assert mini.walked == (POLLIN,)
    assert "schedule_timeout.schedule" not in names
    mini.current = before


def test_a_ready_file_ends_the_making_of_entries(mini: Any) -> None:
    r, w = mini.call(sys_pipe2, 0)
    before = mini.acquired("wait_queue")
    assert mini.call(sys_poll, ((w, POLLOUT), (r, POLLIN)), -1) == (POLLOUT, 0)
    after = mini.acquired("wait_queue")
    assert after == before + 2  # one entry, on a queue and off it again
    assert mini.call(sys_poll, ((r, POLLIN),), 0) == (0,)
    assert mini.acquired("wait_queue") == after


def test_entries_about_other_events_stay_quiet(mini: Any) -> None:
    fd = mini.call(sys_eventfd2, 0, 0)
    poller = mini.fork()
    mini.begin(poller, sys_poll, ((fd, 0),), -1)
    mini.run()
    before = mini.acquired("pi_lock")
    mini.call(sys_write, fd, one(1))
    assert mini.acquired("pi_lock") == before
    assert mini.sleeps(poller)


def test_a_thread_that_polls_keeps_the_file_open(mini: Any) -> None:
    r, w = mini.call(sys_pipe2, 0)
    thread = mini.thread()
    mini.begin(thread, sys_poll, ((r, POLLIN), (w, 0)), -1)
    mini.run()
    pipe = mini.current.files.fd[r].inode.pipe
    mini.call(sys_close, w)
    assert pipe.writers == 1 and mini.sleeps(thread)
    mini.signal(thread)
    mini.run()
    # it asks once more, by number, before it looks whether a signal came
    assert mini.result(thread) == (0, POLLNVAL)
    assert pipe.writers == 0 and not mini.vfs.holds


def test_an_interrupted_poll_remembers_when_it_was_to_end(mini: Any) -> None:
    r, _ = mini.call(sys_pipe2, 0)
    poller = mini.fork()
    mini.begin(poller, sys_poll, ((r, POLLIN),), 5_000)
    mini.run()
    until_ns = mini.timers.next_ns()
    mini.signal(poller)
    mini.run()
    with pytest.raises(RestartNoHand):
        mini.result(poller)
    assert poller.restart_ns == until_ns and mini.timers.some_live_ns() == NEVER
    poller.sigpending = False
    mini.begin(poller, sys_poll, ((r, POLLIN),), 5_000)
    mini.run()
    assert mini.timers.next_ns() == until_ns and poller.restart_ns == 0


def test_poll_and_select_differ_on_a_closed_descriptor(mini: Any) -> None:
    assert mini.call(sys_poll, ((7, POLLIN), (-1, POLLIN)), -1) == (POLLNVAL, 0)
    with pytest.raises(KernelError) as closed:
        mini.call(sys_select, (7,), (), (), 0)
    assert closed.value.errno == e.EBADF


def test_poll_refuses_more_descriptors_than_the_limit(mini: Any) -> None:
    with pytest.raises(KernelError) as many:
        mini.call(sys_poll, tuple((fd, POLLIN) for fd in range(1025)), 0)
    assert many.value.errno == e.EINVAL


def test_every_sleeper_on_an_eventfd_is_woken_and_one_gets_the_counter(mini: Any) -> None:
    fd = mini.call(sys_eventfd2, 0, 0)
    readers = [mini.fork() for _ in range(3)]
    for reader in readers:
        mini.begin(reader, sys_read, fd, 8)
    mini.run()
    mini.call(sys_write, fd, one(5))
    mini.run()
    assert [mini.sleeps(reader) for reader in readers] == [False, True, True]
    assert mini.result(readers[0]) == one(5)


def test_a_semaphore_hands_on_one_at_a_time(mini: Any) -> None:
    fd = mini.call(sys_eventfd2, 0, EFD_SEMAPHORE)
    readers = [mini.fork() for _ in range(3)]
    for reader in readers:
        mini.begin(reader, sys_read, fd, 8)
    mini.run()
    mini.call(sys_write, fd, one(2))
    mini.run()
    assert sum(mini.sleeps(reader) for reader in readers) == 1


def test_the_counter_stops_one_short_of_all_ones(mini: Any) -> None:
    fd = mini.call(sys_eventfd2, 1, EFD_NONBLOCK)
    with pytest.raises(KernelError) as full:
        mini.call(sys_write, fd, one((1 << 64) - 2))
    assert full.value.errno == e.EAGAIN
    assert mini.call(sys_write, fd, one((1 << 64) - 3)) == 8


def test_enfile_comes_before_all_else_and_root_is_exempt(mini: Any) -> None:
    mini.vfs.max_files = mini.vfs.nr_files + 1
    other = mini.new_task(uid=1000)
    fd = mini.as_task(other, sys_eventfd2, 0, 0)
    for call in (
        (sys_open, "/nothing", 0, 0),
        (sys_pipe2, 0),
        (sys_eventfd2, 0, 0),
        (sys_socketpair, AF_UNIX, SOCK_STREAM, 0),
    ):
        with pytest.raises(KernelError) as full:
            mini.as_task(other, *call)
        assert full.value.errno == e.ENFILE
    mini.call(sys_pipe2, 0)
    assert mini.as_task(other, sys_dup, fd) == fd + 1
