"""System V message queues: who gets a message, who waits for room."""

from typing import Any

import pytest

from kernel.errors import KernelError, RestartNoHand
from kernel.ipc.msg import convert_mode, find_msg, sys_msgctl, sys_msgget, sys_msgrcv, sys_msgsnd
from kernel.uapi.errno_ import EAGAIN, EIDRM
from kernel.uapi.ipc import IPC_CREAT, IPC_NOWAIT, IPC_PRIVATE, IPC_RMID, IPC_STAT


@pytest.fixture
def q(mini: Any) -> int:
    return int(mini.call(sys_msgget, IPC_PRIVATE, IPC_CREAT | 0o600))


def queue(mini: Any, id: int) -> Any:
    return mini.init_nsproxy.ipc_ns.ids.msg.entries[id]


def start(mini: Any, function: Any, *args: Any) -> Any:
    task = mini.new_task()
    mini.begin(task, function, *args)
    mini.run()
    return task


def test_message_for_a_sleeping_receiver_is_never_on_the_queue(mini: Any, q: int) -> None:
    receiver = start(mini, sys_msgrcv, q, 10, 2, 0)
    mini.call(sys_msgsnd, q, 1, b"other", 0)
    assert mini.sleeps(receiver)
    mini.call(sys_msgsnd, q, 2, b"mine", 0)
    assert mini.result(receiver) == (2, b"mine")
    assert mini.call(sys_msgctl, q, IPC_STAT) == (1, 5)


def test_woken_sender_whose_room_was_taken_sleeps_again(mini: Any, q: int) -> None:
    for _ in range(2):
        mini.call(sys_msgsnd, q, 1, bytes(8192), 0)
    sender = start(mini, sys_msgsnd, q, 3, bytes(8192), 0)
    assert mini.sleeps(sender)
    mini.walk(sys_msgrcv(mini, q, 8192, 1, 0))
    queue(mini, q).q_cbytes += 1000  # somebody was faster
    mini.run()
    assert mini.sleeps(sender) and len(queue(mini, q).q_senders) == 1
    queue(mini, q).q_cbytes -= 1000
    mini.call(sys_msgrcv, q, 8192, 1, 0)
    assert mini.result(sender) is None


def test_senders_that_do_not_fit_go_behind_those_that_do(mini: Any, q: int) -> None:
    mini.call(sys_msgsnd, q, 1, bytes(8192), 0)
    mini.call(sys_msgsnd, q, 1, bytes(8000), 0)
    mini.call(sys_msgsnd, q, 2, bytes(190), 0)
    large = start(mini, sys_msgsnd, q, 3, bytes(8000), 0)
    small = start(mini, sys_msgsnd, q, 3, bytes(100), 0)
    mini.call(sys_msgrcv, q, 8192, 2, 0)
    assert mini.sleeps(large) and mini.result(small) is None
    assert [sender.task for sender in queue(mini, q).q_senders] == [large]


def test_signal_takes_a_receiver_and_a_sender_off_their_lists(mini: Any, q: int) -> None:
    receiver = start(mini, sys_msgrcv, q, 10, 5, 0)
    for _ in range(2):
        mini.call(sys_msgsnd, q, 1, bytes(8192), 0)
    sender = start(mini, sys_msgsnd, q, 1, b"x", 0)
    for task in (receiver, sender):
        mini.signal(task)
        with pytest.raises(RestartNoHand):
            mini.result(task)
    assert not queue(mini, q).q_receivers and not queue(mini, q).q_senders


def test_removal_fails_all_who_sleep(mini: Any, q: int) -> None:
    receiver = start(mini, sys_msgrcv, q, 10, 5, 0)
    for _ in range(2):
        mini.call(sys_msgsnd, q, 1, bytes(8192), 0)
    sender = start(mini, sys_msgsnd, q, 1, b"x", 0)
    mini.call(sys_msgctl, q, IPC_RMID)
    mini.run()
    for task in (receiver, sender):
        with pytest.raises(KernelError) as failed:
            mini.result(task)
        assert failed.value.errno == EIDRM


def test_queue_holds_no_more_messages_than_bytes(mini: Any, q: int) -> None:
    queue(mini, q).q_qbytes = 3
    for _ in range(3):
        mini.call(sys_msgsnd, q, 1, b"", IPC_NOWAIT)
    with pytest.raises(KernelError) as failed:
        mini.call(sys_msgsnd, q, 1, b"", IPC_NOWAIT)
    assert failed.value.errno == EAGAIN


def test_negative_type_finds_the_first_of_the_lowest(mini: Any, q: int) -> None:
    for mtype in (4, 2, 3, 2):
        mini.call(sys_msgsnd, q, mtype, b"", 0)
    assert find_msg(queue(mini, q), *convert_mode(-3, 0)) == 1
    assert find_msg(queue(mini, q), *convert_mode(-1, 0)) == -1
    assert find_msg(queue(mini, q), *convert_mode(-(1 << 63), 0)) == 1
