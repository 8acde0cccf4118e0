"""What checkpoints cost a run on Ray, and how long it takes to go on after an actor was killed.

Two parts, each a table. Cost: the same storm again and again, in turns without checkpoints and with
those of the default interval; CPU time of driver and actors from the first round to the last (it
says the same on a host that others use, too), and the part of the loop's host time in which
checkpoints were taken. The ratio is that of the medians.

Recovery: a CPU actor or the kernel actor of such a run is killed (``kill -9``) between two rounds;
host seconds until the engine knows, until new actors are up and put back, and until the run has got
as far as it was.

Usage: python -m tests.benchmarks.recovery [--lifecycles N] [--pairs N] [--kills N]
"""

import argparse
import os
import signal
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

import workloads
from cluster.build import guest_spec
from cluster.config.models import Checkpoint
from cluster.engine_api import DONE, CheckpointPlan, RunRequest, RunResult
from cluster.ray_engine import RayRun
from cluster.ray_session import RaySession

PROGRAM: Final = Path(workloads.__file__).parent / "programs" / "fork_exec_storm.py"
CPUS: Final = 8
KERNEL: Final = -1
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def request(folder: Path, lifecycles: int, checkpoint: CheckpointPlan | None) -> RunRequest:
    """Return a storm on two CPU actors and the kernel's."""
    arguments = [f"parents={CPUS}", f"children={max(1, lifecycles // CPUS)}"]
    spec = guest_spec(PROGRAM, arguments, cpus=CPUS)
    return RunRequest(
        spec,
        engine="ray",
        scheme="barrier",
        cpus_per_actor=CPUS // 2,
        out_dir=folder,
        checkpoint=checkpoint,
        max_recoveries=3,
    )


class Measured(RayRun):
    """A run whose CPU time is measured, and the time for checkpoints.

    Attributes:
        cpu_s: CPU time of driver and actors, in the loop.
        keeping_s: host time of checkpoints.
        kept: how many there were.
    """

    def __init__(self, wanted: RunRequest) -> None:
        super().__init__(wanted)
        self.cpu_s = self.keeping_s = 0.0
        self.kept = 0

    def _cpu_s(self) -> float:
        assert self.actors is not None
        return process_time() + sum(self.actors.ran().values()) / _TICKS

    def _loop(self) -> tuple[str, str]:
        before = self._cpu_s()
        ended = super()._loop()
        self.cpu_s = self._cpu_s() - before
        return ended

    def _keep(self, keeper: Any) -> None:
        started = perf_counter()
        super()._keep(keeper)
        self.keeping_s += perf_counter() - started
        self.kept += 1


class Killed(Measured):
    """A run of which an actor is killed as soon as it has got so far.

    Attributes:
        known_s: host seconds from the blow to when the engine knew.
        up_s: until the new actors stood at the checkpoint.
        there_s: until the run had got as far as it was.
    """

    def __init__(self, wanted: RunRequest, actor: int, superstep: int) -> None:
        super().__init__(wanted)
        self._actor = actor
        self._at = superstep
        self._blow_s = 0.0
        self.known_s = self.up_s = self.there_s = 0.0

    def look(self) -> None:
        super().look()
        assert self.transport is not None and self.actors is not None
        if self.transport.head[0] < self._at:
            return
        if not self._blow_s:
            self._at = self.transport.head[0] + 1
            self._blow_s = perf_counter()
            os.kill(self.actors.places[self._actor][1], signal.SIGKILL)
        elif self.recoveries and not self.there_s:
            self.there_s = perf_counter() - self._blow_s

    def _recover(self, why: str) -> None:
        self.known_s = perf_counter() - self._blow_s
        super()._recover(why)

    def _start(self) -> None:
        super()._start()
        if self.recoveries:
            self.up_s = perf_counter() - self._blow_s


def done(run: RayRun) -> RunResult:
    """Run to the end."""
    result = run.run()
    if result.exit_kind != DONE:
        raise RuntimeError(f"{result.exit_kind}: {result.message}")
    return result


def cost(lifecycles: int, pairs: int) -> None:
    """Print what checkpoints at the default interval cost."""
    seconds = Checkpoint().every / 1e9
    plans = (None, CheckpointPlan(seconds))
    runs: dict[bool, list[tuple[float, float, int, float]]] = {False: [], True: []}
    for _ in range(pairs):
        for plan in plans:
            with tempfile.TemporaryDirectory(prefix="smplab-recovery-") as folder:
                run = Measured(request(Path(folder), lifecycles, plan))
                loop_s = done(run).wall["loop_ns"] / 1e9
            runs[plan is not None].append((run.cpu_s, loop_s, run.kept, run.keeping_s / loop_s))
    print(f"{'checkpoints':14} {'CPU s':>8} {'loop s':>8} {'taken':>6} {'part of loop':>13}")
    for kept, measured in runs.items():
        columns = [median(column) for column in zip(*measured)]
        name = f"every {seconds:.0f} s" if kept else "none"
        print(f"{name:14} {columns[0]:8.2f} {columns[1]:8.1f} {columns[2]:6.0f} {columns[3]:13.2%}")
    ratio = median(row[0] for row in runs[True]) / median(row[0] for row in runs[False])
    print(f"CPU time with checkpoints: {ratio:.3f} of that without\n")


def recovery(lifecycles: int, kills: int) -> None:
    """Print how long it takes to go on."""
    print(f"{'killed':14} {'known s':>8} {'put back s':>11} {'as far s':>9}")
    for name, actor in (("cpu actor", 0), ("kernel actor", KERNEL)):
        rows = []
        for _ in range(kills):
            with tempfile.TemporaryDirectory(prefix="smplab-recovery-") as folder:
                plan = CheckpointPlan(None, 200)
                run = Killed(request(Path(folder), lifecycles, plan), actor, 500)
                done(run)
            rows.append((run.known_s, run.up_s, run.there_s))
        known_s, up_s, there_s = (median(column) for column in zip(*rows))
        print(f"{name:14} {known_s:8.2f} {up_s:11.2f} {there_s:9.2f}")


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description="Checkpoints and recovery on Ray.")
    parser.add_argument("--lifecycles", type=int, default=20_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--kills", type=int, default=3)
    options = parser.parse_args()
    print(f"{CPUS} CPUs, {options.lifecycles} lifecycles; load {os.getloadavg()[0]:.1f}")
    with RaySession("local", 3):
        if options.kills:
            recovery(min(options.lifecycles, 2_000), options.kills)
        if options.pairs:
            cost(options.lifecycles, options.pairs)


if __name__ == "__main__":
    main()
