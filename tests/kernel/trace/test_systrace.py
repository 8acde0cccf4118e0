"""The record of system calls: what each began with and what came of it."""

import textwrap
from pathlib import Path

from cluster.emulated import Machine, run_emulated


def calls_of(folder: Path, text: str, granularity: str) -> list[str]:
    path = folder / "p.py"
    path.write_text(textwrap.dedent(text), "utf-8")
    run = run_emulated(path, (), Machine(2, 1, granularity), calls=True)
    assert not run.problem
    return [line.strip() for line in run.calls]


def test_results_errors_restarts_and_calls_without_an_end_are_recorded(tmp_path):
    text = """
        import os, signal
        r, w = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(77)
            except OSError:
                pass
            os.read(r, 1)
            os._exit(0)
        os.write(w, b"xy")
        os.waitpid(pid, 0)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    for granularity in ("syscall", "step"):
        lines = calls_of(tmp_path, text, granularity)
        assert 'write(4, "xy", 2) = 2' in lines
        assert "close(77) = -1 EBADF" in lines
        assert 'read(3, 1) = 1 ("x")' in lines
        assert any(line.startswith("exit_group(0)") and "=" not in line for line in lines)
        assert "kill(3, SIGKILL) = 0" in lines  # it dies on the way back to user mode


def test_a_record_does_not_change_what_happens(tmp_path):
    path = Path(__file__).resolve().parents[2] / "guest/race/forks_of_all_threads.py"
    for granularity in ("syscall", "step"):
        machine = Machine(4, 5, granularity)
        plain, recorded = (run_emulated(path, (), machine, calls=calls) for calls in (False, True))
        assert (plain.stdout, plain.status, plain.tree) == (
            recorded.stdout,
            recorded.status,
            recorded.tree,
        )
