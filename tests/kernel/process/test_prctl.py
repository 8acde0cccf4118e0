"""prctl by kernel version, and subreapers among threads and namesakes."""

import pytest

from kernel.errors import GuestFault, KernelError
from kernel.uapi import prctl as p
from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EFAULT, EINVAL


@pytest.mark.parametrize("option", [p.PR_SET_CHILD_SUBREAPER, p.PR_SET_NO_NEW_PRIVS])
def test_what_came_later_is_unknown_to_2_6_34(make, option):
    machine = make(linux="2.6.34")
    assert machine.errno(machine.first, nr.NR_PRCTL, option, 1) == EINVAL
    assert machine.call(machine.first, nr.NR_PRCTL, p.PR_SET_PDEATHSIG, 9) == 0


def test_a_number_is_no_name_and_a_name_is_no_number(machine):
    assert machine.errno(machine.first, nr.NR_PRCTL, p.PR_SET_NAME, 5) == EFAULT
    assert machine.errno(machine.first, nr.NR_PRCTL, p.PR_SET_DUMPABLE, "x") == EINVAL


def test_an_option_of_linux_that_is_not_here_is_no_einval(machine):
    with pytest.raises(GuestFault, match="prctl option 22 is not emulated"):
        machine.call(machine.first, nr.NR_PRCTL, 22, 0)
    with pytest.raises(KernelError):
        machine.call(machine.first, nr.NR_PRCTL, 1000, 0)


def test_descendants_that_are_there_get_the_mark_whatever_thread_made_them(machine):
    first = machine.first
    thread = machine.thread(first)
    child = machine.fork(thread)
    grandchild = machine.fork(child)
    machine.call(first, nr.NR_PRCTL, p.PR_SET_CHILD_SUBREAPER, 1)
    assert child.signal.has_child_subreaper and grandchild.signal.has_child_subreaper
    assert not first.signal.has_child_subreaper
    machine.exit(child)
    assert grandchild.real_parent is first


def test_a_name_is_cut_at_fifteen_bytes_not_characters(machine):
    machine.call(machine.first, nr.NR_PRCTL, p.PR_SET_NAME, "é" * 10)
    name = machine.call(machine.first, nr.NR_PRCTL, p.PR_GET_NAME, 0)
    assert name.encode("utf-8", "surrogateescape") == ("é" * 10).encode()[:15]
