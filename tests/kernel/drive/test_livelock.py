"""A process that faults for ever ends the run with a word, but only if nobody could end it."""

import textwrap
from pathlib import Path

import pytest

from cluster.emulated import Machine, run_emulated
from cluster.engine_api import GUEST

ABORTING_INIT = """
    import os, signal, time
    from workloads import guest

    def handler(number, frame):
        print("never")

    signal.signal(signal.SIGSEGV, handler)
    guest.unshare(guest.CLONE_NEWPID)
    pid = os.fork()
    if pid == 0:
        os.abort()
    """


def program(folder: Path, text: str) -> Path:
    path = folder / "p.py"
    path.write_text(textwrap.dedent(ABORTING_INIT) + textwrap.dedent(text))
    return path


@pytest.mark.parametrize("granularity", ["syscall", "step"])
def test_endless_fault_that_nobody_can_end_is_a_livelock(tmp_path: Path, granularity: str) -> None:
    run = run_emulated(program(tmp_path, "os.wait()\n"), (), Machine(2, 1, granularity))
    assert run.kind == GUEST
    assert "livelock: python3 (4) faults at the same instruction for ever" in run.problem


@pytest.mark.parametrize(
    "ending",
    ["time.sleep(0.05)", "signal.setitimer(signal.ITIMER_REAL, 0.05)\nsignal.pause()"],
)
def test_fault_that_somebody_will_end_goes_on(tmp_path: Path, ending: str) -> None:
    text = "signal.signal(signal.SIGALRM, handler)\n" + ending
    text += "\nos.kill(pid, 9)\nprint(os.wait()[1])\n"
    run = run_emulated(program(tmp_path, text), (), Machine(2))
    assert (run.problem, run.stdout.splitlines()[-1]) == ("", b"9")
