"""Runs that are killed between two rounds, for tests of what is left of them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cluster.build import guest_spec
from cluster.engine_api import CheckpointPlan, RunRequest, RunResult
from cluster.local_engine import LocalRun, run_local
from cluster.resume import Resumed
from kernel.machine import MachineSpec

ROOT: Final = Path(__file__).resolve().parents[2]
STORM: Final[Sequence[str]] = ["parents=5", "children=4", "compute=uniform:10us:50us"]


class Killed(BaseException):
    """Nobody catches it: the run ends where it is."""


def storm(cpus: int = 4, words: Sequence[str] = STORM) -> MachineSpec:
    """Return a machine whose programs fork, exec, write and end."""
    return guest_spec(ROOT / "workloads/programs/fork_exec_storm.py", words, cpus=cpus)


def request_for(
    folder: Path, spec: MachineSpec, scheme: str = "exact", every: int = 32
) -> RunRequest:
    """Return a run with trace, outputs and order log, and checkpoints after so many supersteps."""
    folder.mkdir()
    return RunRequest(
        spec,
        scheme=scheme,
        out_dir=folder,
        record_order=True,
        checkpoint=CheckpointPlan(None, every),
    )


def run_until(request: RunRequest, stops: int) -> bool:
    """Run until the engine has asked so often whether to stop; return whether it was killed there.

    Files are left as a kill leaves them: without what a process does when it ends.
    """
    asked = 0

    def stop() -> None:
        nonlocal asked
        asked += 1
        if asked > stops:
            raise Killed

    run = LocalRun(request)
    run.stop = stop  # type: ignore[method-assign]
    run.recorder.close = lambda *, complete: None  # type: ignore[method-assign]
    run._end_order = lambda *, complete: None  # type: ignore[method-assign]
    try:
        run.play()
    except Killed:
        return True
    finally:
        assert run.recorder._writer is not None
        run.recorder._writer.sync()
    return False


def gone_on(folder: Path, notices: list[str] | None = None) -> RunResult:
    """Go on with the run in a folder, to its end."""
    told: Callable[[str], None] = (lambda line: None) if notices is None else notices.append
    return Resumed(folder, told).go_on(run_local, lambda checkpoint: None)
