"""The lengths of runqueues, from records."""

import pytest

from cluster.export.queues import Queues

_SLEEPS, _DEAD, _IDLE = 1, 0x80, 0


@pytest.mark.parametrize("woken", [False, True])
def test_a_thread_that_became_its_process_by_exec_is_counted_once(woken: bool) -> None:
    queues = Queues(2)
    for cpu, pid in ((0, 10), (1, 30)):
        queues.wake(pid, cpu)
        queues.switch(cpu, _IDLE, 0, pid)
    queues.switch(0, 10, _DEAD, _IDLE)
    assert queues.length == [0, 1]
    if woken:  # 30 has done exec, and is 10
        queues.wake(10, 1)
    queues.switch(1, 10, 0, 40)
    assert queues.length == [0, 2]
    queues.switch(1, 40, _SLEEPS, 10)
    assert queues.switch(1, 10, _SLEEPS, _IDLE) == (1,)
    assert queues.length == [0, 0]
