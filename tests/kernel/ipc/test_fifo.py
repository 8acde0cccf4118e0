"""FIFOs where a guest program cannot look: counters, the ring's life, the descriptor kept."""

from typing import Any

import pytest

from kernel.errors import KernelError, RestartSyscall
from kernel.fs.dirops import sys_mknod, sys_unlink
from kernel.fs.namei import lookup_inode
from kernel.fs.open import sys_close, sys_open
from kernel.fs.read_write import sys_read, sys_write
from kernel.uapi import errno_ as e
from kernel.uapi.fcntl import O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY, S_IFIFO

PATH = "/tmp/fifo"


@pytest.fixture
def fifo(mini: Any) -> Any:
    """Return the inode of a FIFO in the tree."""
    mini.call(sys_mknod, PATH, S_IFIFO | 0o600)
    return lookup_inode(mini, PATH)


def opener(k: Any, flags: int) -> Any:
    """Let a new task begin to open the FIFO; return it, asleep."""
    task = k.fork()
    k.begin(task, sys_open, PATH, flags, 0)
    k.run()
    assert k.sleeps(task)
    return task


def test_the_ring_lives_as_long_as_somebody_has_it_open(mini: Any, fifo: Any) -> None:
    assert fifo.pipe is None
    fd = mini.call(sys_open, PATH, O_RDWR, 0)
    assert fifo.pipe.files == 1 and list(mini.vfs.pipes) == [fifo.ino]
    mini.call(sys_write, fd, b"x")
    mini.call(sys_close, fd)
    assert fifo.pipe is None and not mini.vfs.pipes
    mini.check_memory()


def test_a_waiting_opener_has_its_descriptor_and_a_child_does_not_get_it(
    mini: Any, fifo: Any
) -> None:
    task = opener(mini, O_RDONLY)
    assert task.files.open_fds == task.files.reserved == 1
    before, mini.current = mini.current, task
    child = mini.fork()
    mini.current = before
    assert child.files.open_fds == 0
    assert mini.call(sys_open, PATH, O_WRONLY, 0) == 0
    mini.run()
    assert mini.result(task) == 0 and task.files.reserved == 0


def test_an_interrupted_opener_takes_everything_back(mini: Any, fifo: Any) -> None:
    for flags in (O_RDONLY, O_WRONLY):
        task = opener(mini, flags)
        mini.signal(task)
        mini.run()
        with pytest.raises(RestartSyscall):
            mini.result(task)
        assert fifo.pipe is None and not mini.vfs.pipes and not mini.vfs.holds
        assert task.files.open_fds == 0


def test_a_writer_that_is_turned_away_leaves_no_ring(mini: Any, fifo: Any) -> None:
    with pytest.raises(KernelError) as refused:
        mini.call(sys_open, PATH, O_WRONLY | O_NONBLOCK, 0)
    assert (refused.value.errno, refused.value.filename) == (e.ENXIO, PATH)
    assert fifo.pipe is None and mini.current.files.open_fds == 0


def test_two_readers_wait_and_one_writer_lets_both_in(mini: Any, fifo: Any) -> None:
    readers = [opener(mini, O_RDONLY) for _ in range(2)]
    mini.call(sys_open, PATH, O_WRONLY, 0)
    mini.run()
    assert [mini.result(reader) for reader in readers] == [0, 0]
    assert (fifo.pipe.readers, fifo.pipe.writers, fifo.pipe.files) == (2, 1, 3)


def test_a_removed_fifo_still_joins_those_who_wait_on_it_with_nobody(mini: Any, fifo: Any) -> None:
    task = opener(mini, O_RDONLY)
    mini.call(sys_unlink, PATH)
    mini.call(sys_mknod, PATH, S_IFIFO | 0o600)
    other = mini.fork()
    mini.begin(other, sys_open, PATH, O_WRONLY, 0)
    mini.run()
    assert mini.sleeps(task) and mini.sleeps(other)


def test_data_of_a_fifo_are_pages(mini: Any, fifo: Any) -> None:
    fd = mini.call(sys_open, PATH, O_RDWR, 0)
    mini.call(sys_write, fd, bytes(5000))
    mini.check_memory()
    assert len(mini.call(sys_read, fd, 10000)) == 5000
