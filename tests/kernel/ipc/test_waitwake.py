"""Futexes on words of memory."""

from typing import Any

import pytest

from kernel.errors import KernelError, RestartNoHand, RestartSyscall
from kernel.ipc.waitwake import futex_hash, sys_futex
from kernel.mm.mmap import sys_mmap, sys_munmap, sys_store
from kernel.uapi.errno_ import EAGAIN, EFAULT, EINVAL, ETIMEDOUT
from kernel.uapi.ipc import FUTEX_WAIT, FUTEX_WAKE
from kernel.uapi.mman import MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED


@pytest.fixture
def word(mini: Any) -> int:
    return int(mini.call(sys_mmap, 4096, MAP_PRIVATE | MAP_ANONYMOUS))


def wait(mini: Any, task: Any, address: int, timeout_ns: int | None = None) -> Any:
    mini.begin(task, sys_futex, address, FUTEX_WAIT, 0, timeout_ns)
    mini.run()
    return task


def wake(mini: Any, address: int, count: int = 1) -> int:
    woken = int(mini.call(sys_futex, address, FUTEX_WAKE, count, None))
    mini.run()
    return woken


def test_wake_takes_the_first_of_its_own_word_only(mini: Any, word: int) -> None:
    # both words lie in one bucket: 1024 bytes apart
    assert futex_hash(mini, word) is futex_hash(mini, word + 1024)
    other = wait(mini, mini.thread(), word + 1024)
    first, second = (wait(mini, mini.thread(), word) for _ in range(2))
    assert wake(mini, word) == 1
    assert mini.result(first) == 0
    assert mini.sleeps(second) and mini.sleeps(other)
    assert wake(mini, word + 1024, 9) == 1


def test_private_word_is_another_one_after_fork_and_a_shared_one_is_not(
    mini: Any, word: int
) -> None:
    shared = mini.call(sys_mmap, 4096, MAP_SHARED | MAP_ANONYMOUS)
    child = mini.fork()
    wait(mini, child, word)
    assert wake(mini, word) == 0
    mini.signal(child)
    child.sigpending = False
    wait(mini, child, shared)
    assert wake(mini, shared) == 1


def test_word_that_differs_is_eagain_and_leaves_no_sleeper(mini: Any, word: int) -> None:
    mini.call(sys_store, word, 0, b"\x01")
    with pytest.raises(KernelError) as failed:
        mini.call(sys_futex, word, FUTEX_WAIT, 0, None)
    assert failed.value.errno == EAGAIN
    assert not futex_hash(mini, word).chain


def test_timeout_and_signals_end_a_wait_in_their_own_ways(mini: Any, word: int) -> None:
    start = mini.now_ns
    late = wait(mini, mini.thread(), word, 5_000)
    mini.advance(start + 50_000)
    with pytest.raises(KernelError) as failed:
        mini.result(late)
    assert failed.value.errno == ETIMEDOUT
    for timeout_ns, kind in ((None, RestartSyscall), (10**9, RestartNoHand)):
        task = wait(mini, mini.thread(), word, timeout_ns)
        mini.signal(task)
        with pytest.raises(kind) as restart:
            mini.result(task)
        assert restart.type is kind
        assert bool(task.restart_ns) == (timeout_ns is not None)
    assert not futex_hash(mini, word).chain


@pytest.mark.parametrize(("offset", "errno"), [(2, EINVAL), (4096, EFAULT)])
def test_word_must_be_aligned_and_mapped(mini: Any, word: int, offset: int, errno: int) -> None:
    if errno == EFAULT:
        mini.call(sys_munmap, word, 4096)
        offset = 0
    with pytest.raises(KernelError) as failed:
        mini.call(sys_futex, word + offset, FUTEX_WAKE, 1, None)
    assert failed.value.errno == errno
