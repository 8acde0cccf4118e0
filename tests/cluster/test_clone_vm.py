"""CLONE_VM children: the interpreter of the host cannot make them, so there is no host run."""

from pathlib import Path

import pytest

from cluster.emulated import Machine, run_emulated

PROGRAM = """
import os
import signal

from workloads import guest

seen = []


def work(a):
    seen.append(a)


def main():
    for flags in (0, guest.CLONE_NEWPID):
        pid = guest.clone3(guest.CLONE_VM | guest.CLONE_VFORK | flags)
        if pid == 0:
            seen.append(os.getpid() == 1)
            os._exit(4)
        guest.say(f"{seen} {os.waitpid(pid, 0)[1] >> 8}")
    pid = guest.clone_thread(guest.CLONE_VM | signal.SIGCHLD, work, 7)
    guest.say(f"{os.waitpid(pid, 0)[1]} {seen}")
    try:
        guest.clone_thread(guest.CLONE_VM | guest.CLONE_THREAD, work, 7)
    except OSError as error:
        guest.say(error.strerror)


main()
"""


@pytest.mark.parametrize("granularity", ["syscall", "step"])
@pytest.mark.parametrize("cpus", [1, 2])
def test_children_that_share_memory_see_and_change_the_same_variables(
    tmp_path: Path, cpus: int, granularity: str
) -> None:
    program = tmp_path / "shared.py"
    program.write_text(PROGRAM)
    run = run_emulated(program, (), Machine(cpus=cpus, granularity=granularity), check=True)
    assert run.stdout.decode().splitlines() == [
        "[False] 4",
        "[False, True] 4",
        "0 [False, True, 7]",
        "Invalid argument",
    ]
    assert (run.status, run.problem) == (0, "")
