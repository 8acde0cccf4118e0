"""System V shared memory: attachments are areas, and the last one destroys a removed segment."""

from typing import Any

import pytest

from kernel.errors import KernelError
from kernel.ipc.shm import sys_shmat, sys_shmctl, sys_shmdt, sys_shmget
from kernel.mm.mm import mmput
from kernel.mm.mmap import sys_load, sys_store
from kernel.uapi.errno_ import EINVAL, ENOMEM
from kernel.uapi.ipc import IPC_CREAT, IPC_PRIVATE, IPC_RMID, IPC_STAT

SIZE = 3 * 4096


@pytest.fixture
def shm(mini: Any) -> int:
    return int(mini.call(sys_shmget, IPC_PRIVATE, SIZE, IPC_CREAT | 0o600))


def tables(mini: Any) -> Any:
    return mini.init_nsproxy.ipc_ns.ids.shm


def test_fork_and_exit_count_as_attach_and_detach(mini: Any, shm: int) -> None:
    mini.call(sys_shmat, shm)
    child = mini.fork()
    assert mini.call(sys_shmctl, shm, IPC_STAT) == (SIZE, 2)
    mini.call(mmput, child.mm)
    assert mini.call(sys_shmctl, shm, IPC_STAT) == (SIZE, 1)


def test_content_outlives_the_last_detach_until_the_segment_is_removed(mini: Any, shm: int) -> None:
    mini.call(sys_shmdt, mini.call(sys_shmat, shm)[0])  # the slab has its page now
    before = mini.frames.nr_used
    address, _size = mini.call(sys_shmat, shm)
    mini.call(sys_store, address, 5000, b"kept")
    mini.call(sys_shmdt, address)
    assert mini.frames.nr_used == before + 1
    again, _size = mini.call(sys_shmat, shm)
    assert mini.call(sys_load, again, 5000, 4) == b"kept"
    mini.call(sys_shmctl, shm, IPC_RMID)
    assert mini.call(sys_load, again, 5000, 4) == b"kept"
    mini.call(sys_shmdt, again)
    assert mini.frames.nr_used == before
    assert not tables(mini).entries and not tables(mini).used
    mini.check_memory()


def test_segment_that_nobody_attached_goes_at_once_with_what_it_committed(
    mini: Any, shm: int
) -> None:
    assert tables(mini).used == 3
    mini.call(sys_shmctl, shm, IPC_RMID)
    assert not tables(mini).entries
    mini.check_memory()


def test_detach_needs_the_address_of_an_attachment(mini: Any, shm: int) -> None:
    address, _size = mini.call(sys_shmat, shm)
    for wrong in (address + 1, address + 4096, 0):
        with pytest.raises(KernelError) as failed:
            mini.call(sys_shmdt, wrong)
        assert failed.value.errno == EINVAL
    mini.call(sys_shmdt, address)


def test_segment_larger_than_what_may_be_promised_is_refused_and_commits_nothing(
    make_mini: Any,
) -> None:
    mini = make_mini(memory_bytes=16 << 20)
    committed = mini.frames.committed
    with pytest.raises(KernelError) as failed:
        mini.call(sys_shmget, IPC_PRIVATE, 64 << 20, IPC_CREAT)
    assert failed.value.errno == ENOMEM
    assert mini.frames.committed == committed
