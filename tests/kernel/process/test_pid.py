"""Numbers: cyclic, reserved, published late; and the task list."""

from hypothesis import given
from hypothesis import strategies as st

from kernel.process.pid import PidMap
from kernel.process.tasklist import for_each_process, next_task, prev_task
from kernel.uapi import syscalls as nr


def test_numbers_go_round_and_come_back_from_300():
    pids = PidMap(400)
    first_lap = [pids.next_number() for _ in range(399)]
    assert first_lap == list(range(1, 400))
    assert pids.next_number() == 0
    for number in (5, 310, 305):
        pids.put_number(number)
    assert pids.next_number() == 305
    assert pids.next_number() == 310
    assert pids.next_number() == 0  # 5 is reserved for the first lap


def test_a_freed_number_waits_a_lap():
    pids = PidMap(1000)
    pids.next_number()
    pids.put_number(1)
    assert pids.next_number() == 2


@given(st.lists(st.booleans(), max_size=600), st.integers(301, 330))
def test_numbers_in_use_are_never_given_twice(steps, pid_max):
    pids = PidMap(pid_max)
    live: list[int] = []
    for take in steps:
        if take:
            number = pids.next_number()
            assert number not in live
            assert 0 <= number < pid_max
            if number:
                live.append(number)
        elif live:
            pids.put_number(live.pop(0))
    assert pids.taken == len(live)


def test_the_task_list_is_circular_and_in_creation_order(machine):
    k = machine.k
    child = machine.fork(machine.first)
    machine.thread(child)
    leaders = list(for_each_process(k))
    assert leaders == [k.child_reaper, k.kthreadd, machine.first, child]
    assert next_task(child) is k.init_task
    assert prev_task(k.init_task) is child
    assert next_task(k.init_task) is k.child_reaper
    assert k.tasks.nr_threads == 5
    assert k.tasks.nr_processes == 4


def test_unlinking_from_the_middle(machine):
    children = [machine.fork(machine.first) for _ in range(3)]
    machine.exit(children[1])
    machine.wait(machine.first)
    assert list(for_each_process(machine.k))[-2:] == [children[0], children[2]]


def test_swapper_is_not_in_the_pid_map(machine):
    assert machine.k.pids.find_task_by_vpid(0) is None
    assert machine.call(machine.first, nr.NR_GETPPID) == 1
    assert machine.k.kthreadd.real_parent is machine.k.init_task
