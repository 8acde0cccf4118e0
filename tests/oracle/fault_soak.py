"""Faults by the hundred: every run must end as if nothing had happened, or say what did.

Usage: python -m tests.oracle.fault_soak [--rows ROW,...] [--seeds FIRST-LAST]

A line for each row, with how many runs there were and how often they went on; exit code 1 if any
ended otherwise than it must, with its row and seed, which make it again. Rows are those of the
table of faults (docs/testing.md).
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from cluster.engine_api import DONE, RunRequest, RunResult
from cluster.local_engine import run_local
from cluster.ray_session import RaySession
from cluster.rundir import RunDir
from cluster.transport.faults import KINDS, FaultPlan
from tests.cluster.cli.test_resume import CONFIG, KILLED
from tests.cluster.damage import check_damages
from tests.cluster.killed import gone_on, request_for, run_until, storm
from tests.cluster.struck import ALL, KERNEL, Blow, Struck, differences, request_on_ray
from tests.cluster.transport.test_checked import FaultyRun

ROOT: Final = Path(__file__).resolve().parents[2]
LINKS: Final = ("shm", "graph", "calls")
#: row -> where, and whom; -2: one of the CPU actors, -3: two blows and one while it recovers
KILLS: Final = {
    "R1 round": ("round", [0]),
    "R1 idle": ("idle", [1]),
    "R1 keep": ("keep", [0]),
    "R1 restore": ("take_up", [1]),
    "R2 round": ("round", [KERNEL]),
    "R2 idle": ("idle", [KERNEL]),
    "R2 keep": ("keep", [KERNEL]),
    "R2 restore": ("take_up", [KERNEL]),
    "R3 all": ("round", ALL),
}


class Failed(Exception):
    """A run ended otherwise than it must."""


def check(held: bool, what: str) -> None:
    """Raise Failed unless something holds."""
    if not held:
        raise Failed(what)


class Plain:
    """What undisturbed runs give, made once each."""

    def __init__(self, folder: Path) -> None:
        self.ray_folder = folder / "ray"
        request = request_on_ray(self.ray_folder, engine="local", checkpoint=None)
        self.ray = run_local(request)
        self.local: dict[str, RunResult] = {}
        self.folders: dict[str, Path] = {}
        for scheme in ("exact", "barrier"):
            self.folders[scheme] = folder / scheme
            self.folders[scheme].mkdir()
            self.local[scheme] = run_local(
                RunRequest(storm(), scheme=scheme, out_dir=self.folders[scheme], record_order=True)
            )
        self.checked = run_local(RunRequest(storm(8), scheme="barrier"))


def killed_actors(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Kill actors of a run; return how often it went on."""
    choose = random.Random(f"{row} {seed}")
    point, actors = KILLS[row]
    blows = [Blow(point, choose.randrange(34, 90), actors)]
    if point == "take_up":  # something must be restored
        blows.insert(0, Blow("idle", choose.randrange(34, 90), [choose.choice(ALL)]))
    request = request_on_ray(folder, LINKS[seed % 3], max_recoveries=9)
    return _check_struck(Struck(request, blows), folder, plain)


def many_kills(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Kill somebody again and again, wherever the run is."""
    choose = random.Random(f"{row} {seed}")
    blows = [
        Blow(choose.choice(("round", "idle", "keep", "take_up")), 0, [choose.choice(ALL)])
        for _ in range(6)
    ]
    request = request_on_ray(folder, LINKS[seed % 3], max_recoveries=20)
    return _check_struck(Struck(request, blows), folder, plain, all_of_them=False)


def stopped(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Stop an actor."""
    choose = random.Random(f"{row} {seed}")
    blow = Blow("idle", choose.randrange(34, 90), [choose.choice(ALL)], signal.SIGSTOP)
    request = request_on_ray(folder, LINKS[seed % 3], max_recoveries=9)
    return _check_struck(Struck(request, [blow]), folder, plain)


def _check_struck(run: Struck, folder: Path, plain: Plain, *, all_of_them: bool = True) -> int:
    result = run.run()
    check(result.exit_kind == DONE, f"{result.exit_kind}: {result.message}")
    check(result.digest == plain.ray.digest, f"digest {result.digest}")
    check(not differences(folder, plain.ray_folder), str(differences(folder, plain.ray_folder)))
    check(run.recoveries > 0, "nothing happened")
    check(not (all_of_them and run.blows), f"only {run.struck} happened")
    return run.recoveries


def killed_driver(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Kill a run in this process between two rounds, several times; go on each time."""
    choose = random.Random(f"{row} {seed}")
    scheme = choose.choice(("exact", "barrier"))
    killed = run_until(request_for(folder, storm(), scheme), choose.randrange(1, 39))
    check(killed, "it had ended")
    result = gone_on(folder)
    check(result.digest == plain.local[scheme].digest, f"digest {result.digest}")
    check(not differences(folder, plain.folders[scheme]), "files differ")
    return 1


def killed_driver_on_ray(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Kill the process of a run on Ray; go on in another; see that no actor is left."""
    choose = random.Random(f"{row} {seed}")
    folder.mkdir()
    (folder / "killed.yaml").write_text(CONFIG.replace("exact", "barrier"), "utf-8")
    script = KILLED.replace("local_engine", "ray_engine").replace("LocalRun", "RayRun")
    stops = str(choose.randrange(1, 12))
    words = ["run", "killed.yaml", "-q", "--engine", "ray", "--link", "calls"]
    more = ["--set", "sync.quantum=20us"]
    done = _smplab(folder, script, stops, *words, *more)
    check(done.returncode == -signal.SIGKILL, f"exit code {done.returncode}: {done.stderr}")
    [run] = (folder / "runs").iterdir()
    done = _smplab(folder, script, str(10**9), "resume", str(run), "-q")
    check(done.returncode == 0, f"exit code {done.returncode}: {done.stderr}")
    plain_words = ["run", "killed.yaml", "-q", "--out", "plain", *more]
    done = _smplab(folder, script, str(10**9), *plain_words)
    [other] = (folder / "plain").iterdir()
    check(RunDir(run).summary()["digest"] == RunDir(other).summary()["digest"], "digests differ")
    return 1


def _smplab(folder: Path, script: str, *words: str) -> Any:
    return subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def bad_packets(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Let packets go wrong, all kinds together at rates that the seed says."""
    choose = random.Random(f"{row} {seed}")
    plan = FaultPlan(seed, **{kind: choose.randrange(10, 150) for kind in KINDS})
    run = FaultyRun(RunRequest(storm(8), scheme="barrier", cpus_per_actor=3, faults=plan))
    result = run.run()
    check(result.digest == plain.checked.digest, f"digest {result.digest}")
    check(all(run.link.counts[kind] for kind in KINDS), f"not all happened: {run.link.counts}")
    return 0


def damaged(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Damage what is left of a killed run, a thousand times."""
    check(run_until(request_for(folder, storm()), 20 + seed % 19), "it had ended")
    return check_damages(folder, folder.parent / f"{folder.name}-damaged", 190)


Row = Callable[[str, int, Path, Plain], int]
ROWS: Final[dict[str, Row]] = {
    **dict.fromkeys(KILLS, killed_actors),
    "R3 again and again": many_kills,
    "R4 local": killed_driver,
    "R4 Ray": killed_driver_on_ray,
    "R5": stopped,
    "R7": bad_packets,
    "R12": damaged,
}
_NO_RAY: Final = ("R4 local", "R4 Ray", "R7", "R12")


@contextmanager
def _ray(rows: list[str]) -> Iterator[None]:
    if all(row in _NO_RAY for row in rows):
        yield
        return
    with RaySession("local", 3):
        yield


def main() -> int:
    """Play the rows; return the exit code."""
    parser = argparse.ArgumentParser(description="Faults by the hundred.")
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--seeds", default="1-10")
    options = parser.parse_args()
    rows = options.rows.split(",")
    first, _, last = options.seeds.partition("-")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="smplab-faults-") as base, _ray(rows):
        plain = Plain(Path(base))
        for row in rows:
            started = perf_counter()
            total: Counter[str] = Counter()
            for seed in range(int(first), int(last or first) + 1):
                folder = Path(base) / f"{row.replace(' ', '-')}-{seed}"
                try:
                    total["went on"] += ROWS[row](row, seed, folder, plain)
                    total["right"] += 1
                except Failed as error:
                    failed += 1
                    print(f"{row}, seed {seed}: {error}", flush=True)
                total["runs"] += 1
                shutil.rmtree(folder, ignore_errors=True)
            print(
                f"{row:20} {total['right']:4} of {total['runs']:4} right, "
                f"{total['went on']:6} recoveries or inputs, {perf_counter() - started:7.1f} s",
                flush=True,
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
