"""System V semaphores: queues, limits, undo lists, ids."""

from typing import Any

import pytest

from kernel.errors import KernelError
from kernel.ipc.ledger import check_ipc
from kernel.ipc.sem import copy_semundo, exit_sem, sys_semctl, sys_semget, sys_semop
from kernel.ipc.util import IPCMNI_SHIFT
from kernel.uapi.errno_ import EIDRM, EINTR, EINVAL, ENOSPC
from kernel.uapi.ipc import (
    GETNCNT,
    GETVAL,
    GETZCNT,
    IPC_CREAT,
    IPC_PRIVATE,
    IPC_RMID,
    SEM_UNDO,
    SEMMNS,
    SETVAL,
)


def make(mini: Any, nsems: int = 1) -> int:
    return int(mini.call(sys_semget, IPC_PRIVATE, nsems, IPC_CREAT | 0o600))


def array(mini: Any, id: int) -> Any:
    return mini.init_nsproxy.ipc_ns.ids.sem.entries[id & 0x7FFF]


def value(mini: Any, id: int, num: int = 0) -> int:
    return int(mini.call(sys_semctl, id, num, GETVAL, 0))


def wait(mini: Any, id: int, *sops: tuple[int, int, int]) -> Any:
    task = mini.new_task()
    mini.begin(task, sys_semop, id, sops)
    mini.run()
    assert mini.sleeps(task)
    return task


def sound(mini: Any) -> None:
    found: list[str] = []
    waiting = [task for task in mini.everybody if task.path is not None]
    check_ipc([mini.init_nsproxy.ipc_ns.ids], [mini.current, *waiting], [], found)
    assert not found


@pytest.fixture(autouse=True)
def everybody(mini: Any) -> None:
    """Remember every task, for ``sound``."""
    mini.everybody = []
    make_task = mini.new_task

    def new_task(**words: Any) -> Any:
        task = make_task(**words)
        mini.everybody.append(task)
        return task

    mini.new_task = new_task


def test_single_changes_wait_on_their_own_semaphore_until_a_list_waits(mini: Any) -> None:
    sem = make(mini, 2)
    first = wait(mini, sem, (0, -1, 0))
    sma = array(mini, sem)
    assert len(sma.sems[0].pending_alter) == 1 and not sma.pending_alter
    both = wait(mini, sem, (0, -1, 0), (1, -1, 0))
    assert len(sma.pending_alter) == 2 and not sma.sems[0].pending_alter
    last = wait(mini, sem, (1, -1, 0))
    sound(mini)
    mini.call(sys_semop, sem, ((0, 2, 0), (1, 1, 0)))
    assert mini.result(first) is None and mini.result(both) is None
    # only a single change is left: back to its own queue
    assert not sma.pending_alter and len(sma.sems[1].pending_alter) == 1
    sound(mini)
    mini.call(sys_semop, sem, ((1, 1, 0),))
    assert mini.result(last) is None


def test_count_of_waiters_looks_at_the_operation_that_blocks(mini: Any) -> None:
    sem = make(mini, 2)
    mini.call(sys_semop, sem, ((0, 1, 0),))
    wait(mini, sem, (0, -1, 0), (1, -1, 0))
    wait(mini, sem, (0, 0, 0), (1, -1, 0))
    counts = [mini.call(sys_semctl, sem, n, c, 0) for n in (0, 1) for c in (GETNCNT, GETZCNT)]
    assert counts == [0, 1, 1, 0]


def test_interrupted_waiter_leaves_no_entry_and_the_list_is_unmerged(mini: Any) -> None:
    sem = make(mini, 2)
    single = wait(mini, sem, (0, -1, 0))
    both = wait(mini, sem, (0, -1, 0), (1, -1, 0))
    mini.signal(both)
    with pytest.raises(KernelError) as failed:
        mini.result(both)
    assert failed.value.errno == EINTR
    sma = array(mini, sem)
    assert not sma.complex_count and not sma.pending_alter
    assert sma.sems[0].pending_alter[0].sleeper is single
    sound(mini)


def test_removal_drops_undo_notes_and_fails_the_waiters(mini: Any) -> None:
    sem = make(mini)
    task = mini.new_task()
    mini.as_task(task, sys_semop, sem, ((0, 3, SEM_UNDO),))
    waiter = wait(mini, sem, (0, -9, SEM_UNDO))
    mini.call(sys_semctl, sem, 0, IPC_RMID, 0)
    mini.run()
    with pytest.raises(KernelError) as failed:
        mini.result(waiter)
    assert failed.value.errno == EIDRM
    assert not task.sysvsem.list_proc and not waiter.sysvsem.list_proc
    assert mini.init_nsproxy.ipc_ns.ids.sem.used == 0


def test_undo_is_carried_out_by_the_last_sharer_only(mini: Any) -> None:
    sem = make(mini)
    parent = mini.new_task()
    mini.as_task(parent, sys_semop, sem, ((0, 5, SEM_UNDO),))
    child = mini.new_task()
    before, mini.current = mini.current, parent
    copy_semundo(mini, child)
    mini.current = before
    mini.as_task(parent, exit_sem, parent)
    assert parent.sysvsem is None and value(mini, sem) == 5
    mini.as_task(child, exit_sem, child)
    assert value(mini, sem) == 0
    assert not array(mini, sem).list_id


def test_setval_clears_what_everybody_noted(mini: Any) -> None:
    sem = make(mini)
    task = mini.new_task()
    mini.as_task(task, sys_semop, sem, ((0, 5, SEM_UNDO),))
    mini.call(sys_semctl, sem, 0, SETVAL, 7)
    mini.as_task(task, exit_sem, task)
    assert value(mini, sem) == 7


def test_ids_count_up_cyclically_and_name_nothing_once_removed(mini: Any) -> None:
    ids = []
    for _ in range(65):
        ids.append(make(mini))
        mini.call(sys_semctl, ids[-1], 0, IPC_RMID, 0)
    assert ids[:64] == list(range(64))
    assert ids[64] == 1 << IPCMNI_SHIFT
    with pytest.raises(KernelError) as failed:
        value(mini, ids[0])
    assert failed.value.errno == EINVAL


def test_too_many_semaphores_are_refused_before_a_set_is_made(mini: Any) -> None:
    make(mini)
    tables = mini.init_nsproxy.ipc_ns.ids
    tables.sem.used = SEMMNS
    with pytest.raises(KernelError) as failed:
        make(mini)
    assert failed.value.errno == ENOSPC
    assert len(tables.sem.entries) == 1


def test_failed_list_leaves_values_and_undo_notes_as_they_were(mini: Any) -> None:
    sem = make(mini, 2)
    wait(mini, sem, (0, 4, SEM_UNDO), (1, -1, SEM_UNDO))
    assert value(mini, sem) == 0
    assert array(mini, sem).list_id[0].semadj == [0, 0]
