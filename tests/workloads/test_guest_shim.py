"""The native form of workloads.guest does what its calls say on the host's kernel."""

import mmap
import os
import subprocess
import sys
import time

import pytest

from workloads import guest
from workloads.language import constants
from workloads.language.tables import MODULES


def test_shim_has_every_name_the_compiler_knows_and_the_same_numbers() -> None:
    for name in MODULES["workloads.guest"]:
        assert hasattr(guest, name), name
    for name, value in constants.CLONE.items():
        assert getattr(guest, name) == value


def test_shim_brings_no_threading_along_whose_fork_handler_would_run_in_every_child() -> None:
    ask = "import sys; from workloads import guest; sys.exit('threading' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", ask], check=False).returncode == 0


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


@pytest.mark.native
def test_clone3_natively_gives_a_pidfd_and_the_chosen_words() -> None:
    words = mmap.mmap(-1, 4096)
    pid, fd = guest.clone3(0, pidfd=True, parent_tid=(words, 4))
    if pid == 0:
        os._exit(7)
    result = os.waitid(os.P_PIDFD, fd, os.WEXITED)
    os.close(fd)
    assert (result.si_pid, result.si_status) == (pid, 7)
    assert int.from_bytes(words[4:8], "little") == pid
    words.close()  # nothing holds the mapping any more


def test_what_python_cannot_do_is_refused_natively() -> None:
    with pytest.raises(NotImplementedError):
        guest.clone3(guest.CLONE_VM | guest.CLONE_VFORK)
    with pytest.raises(NotImplementedError):
        guest.clone(guest.CLONE_SETTLS | 17)
    with pytest.raises(NotImplementedError):
        guest.clone_thread(guest.CLONE_VM, print)
    with pytest.raises(ValueError, match="CLONE_VM"):
        guest.clone_thread(guest.CLONE_THREAD, print)


def test_unshare_and_setns_natively_fail_with_the_errno_of_the_call() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        guest.unshare(guest.CLONE_VFORK)
    with pytest.raises(OSError, match="Bad file descriptor"):
        guest.setns(999)
