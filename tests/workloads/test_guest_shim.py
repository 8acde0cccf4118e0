"""The native form of workloads.guest does what its calls say on the host's kernel."""

import mmap
import os
import time

import pytest

from workloads import guest
from workloads.language import constants
from workloads.language.tables import MODULES, Later


def test_shim_has_every_name_the_compiler_knows_and_the_same_numbers() -> None:
    for name, entry in MODULES["workloads.guest"].items():
        assert hasattr(guest, name) != isinstance(entry, Later), name
    for name, value in constants.CLONE.items():
        assert getattr(guest, name) == value


def test_compute_uses_that_much_cpu_time() -> None:
    before = time.thread_time_ns()
    guest.compute(3_000_000)
    assert 3_000_000 <= time.thread_time_ns() - before < 50_000_000


def test_touch_leaves_the_content_alone_and_refuses_pages_outside() -> None:
    with mmap.mmap(-1, 8192) as m:
        m[4096] = 7
        guest.touch(m, 0, 2)
        assert m[4096] == 7
        with pytest.raises(IndexError):
            guest.touch(m, 1, 2)


@pytest.mark.native
def test_clone_returns_twice_and_passes_the_exit_status() -> None:
    pid = guest.clone(17)
    if pid == 0:
        os._exit(5)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5


def test_clone_reports_what_cannot_be_done() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        guest.clone(guest.CLONE_THREAD)
    with pytest.raises(NotImplementedError):
        guest.clone(guest.CLONE_VM)
