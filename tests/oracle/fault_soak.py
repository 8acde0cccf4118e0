"""Faults by the hundred: every run must end as if nothing had happened, or say what did.

Usage: python -m tests.oracle.fault_soak [--rows ROW,...] [--seeds FIRST-LAST] [--minutes N]

A line for each row, with how many runs there were and how often they went on; exit code 1 if any
ended otherwise than it must, with its row and seed, which make it again. Rows are those of the
table of faults (docs/testing.md).
"""

import argparse
import gc
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
from copy import copy
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final, NamedTuple

from cluster.engine_api import BROKEN, DONE, RunRequest, RunResult
from cluster.local_engine import run_local
from cluster.ray_engine import run_ray
from cluster.ray_session import RaySession
from cluster.resume import Resumed
from cluster.rundir import RunDir
from cluster.transport.faults import KINDS, FaultPlan
from tests.cluster.changed_turns import Change
from tests.cluster.cli.test_resume import CONFIG, KILLED
from tests.cluster.damage import check_damages
from tests.cluster.killed import gone_on, request_for, run_until, storm
from tests.cluster.lost_calls import run_with_lost_calls
from tests.cluster.lost_hosts import smplab as run_on_hosts
from tests.cluster.slowed import slowed
from tests.cluster.struck import ALL, KERNEL, Blow, Struck, differences, request_on_ray
from tests.cluster.transport.test_checked import FaultyRun
from tests.cluster.two_hosts import two_hosts

ROOT: Final = Path(__file__).resolve().parents[2]
LINKS: Final = ("shm", "graph", "calls")
SCHEMES: Final = ("exact", "barrier", "redblack", "lax")  # of runs in this process
#: row -> where, and whom
KILLS: Final = {
    "R1 round": ("round", [0]),
    "R1 idle": ("idle", [1]),
    "R1 keep": ("keep", [0]),
    "R1 restore": ("take_up", [1]),
    "R2 round": ("round", [KERNEL]),
    "R2 idle": ("idle", [KERNEL]),
    "R2 keep": ("keep", [KERNEL]),
    "R2 phases": ("commit", [KERNEL]),
    "R2 restore": ("take_up", [KERNEL]),
    "R3 all": ("round", ALL),
}


#: row -> whom, and whether it dies before it makes a turn or after, with its answer unsaid
IN_TURN: Final = {
    "R1 before": (0, "before"),
    "R1 after": (1, "after"),
    "R2 before": (KERNEL, "before"),
    "R2 after": (KERNEL, "after"),
}
HOSTS_WORDS: Final = ("hosts.yaml", "-q")
_ROUND: Final = 9  # runs of row R15 that take all links and all actors once
_FEWEST: Final = 3 * _ROUND
_BY_CHANCE: Final = 2  # descriptors
_BLOWS: Final = 20  # to one run, in row "R3 again and again"
_LONG_STORM: Final = ("parents=8", "children=60", "compute=uniform:10us:200us")
_RAYS_PAGES: Final = 256  # of a run, in row R15
_BETWEEN: Final = 40  # supersteps; more than the driver hears of at once
_LONG_TURN_S: Final = 12.0  # of CPU time: more than any limit of the engine's
_LATE_S: Final = 0.05
_TIMES_SLOWER: Final = 50


class Failed(Exception):
    """A run ended otherwise than it must."""


class _Sample(NamedTuple):
    """What the process of row R15 has after a run: blocks of Python's, pages, descriptors."""

    blocks: float
    pages: float
    opened: float


def check(held: bool, what: str) -> None:
    """Raise Failed unless something holds."""
    if not held:
        raise Failed(what)


class Plain:
    """What undisturbed runs give, made once each; and for how many minutes row R15 goes on."""

    minutes = 1.0

    def __init__(self, folder: Path) -> None:
        self.ray_folder = folder / "ray"
        request = request_on_ray(self.ray_folder, engine="local", checkpoint=None)
        self.ray = run_local(request)
        self.local: dict[str, RunResult] = {}
        self.folders: dict[str, Path] = {}
        for scheme in SCHEMES:
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


def killed_in_turn(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Let an actor die in a certain turn; return how often the run went on."""
    choose = random.Random(f"{row} {seed}")
    actor, when = IN_TURN[row]
    change = Change(actor, dies=(choose.randrange(34, 90), when))
    request = request_on_ray(folder, LINKS[seed % 3], max_recoveries=9)
    return _check_struck(Struck(request, [], [change]), folder, plain)


def many_kills(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Kill somebody again and again, wherever the run is, but never three times at one place.

    The run is a longer one, so that there is a checkpoint between any two blows but those to a
    recovery: else it would be given up, rightly.
    """
    choose = random.Random(f"{row} {seed}")
    longer = storm(8, _LONG_STORM)
    undisturbed = copy(plain)
    undisturbed.ray_folder = folder.with_name(f"{folder.name}-undisturbed")
    alone = request_on_ray(undisturbed.ray_folder, engine="local", checkpoint=None)
    undisturbed.ray = run_local(replace(alone, spec=longer))
    blows: list[Blow] = []
    for number in range(_BLOWS):
        after_one = number > 1 and blows[-1].point != "take_up"  # there is a checkpoint by then
        again = after_one and choose.random() < 0.2
        point = "take_up" if again else choose.choice(("round", "idle", "keep"))
        blows.append(Blow(point, _BETWEEN * number, [choose.choice(ALL)]))
    request = request_on_ray(folder, LINKS[seed % 3], max_recoveries=2 * _BLOWS)
    run = Struck(replace(request, spec=longer), blows)
    recoveries = _check_struck(run, folder, undisturbed, all_of_them=False)
    check(recoveries >= _BLOWS // 2, f"only {run.struck} happened")
    return recoveries


def stopped(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Stop an actor."""
    choose = random.Random(f"{row} {seed}")
    blow = Blow("idle", choose.randrange(34, 90), [choose.choice(ALL)], signal.SIGSTOP)
    request = request_on_ray(folder, LINKS[seed % 3], max_recoveries=9)
    return _check_struck(Struck(request, [blow]), folder, plain)


def slow(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Make an actor slow, or its line, or one turn very long: nobody may be taken for dead."""
    choose = random.Random(f"{row} {seed}")
    actor = choose.choice(ALL)
    turn = choose.randrange(10, 90)
    changes = (
        [],
        [Change(actor, late_s=_LATE_S)],
        [Change(actor, busy=(turn, _LONG_TURN_S))],
    )[seed % 3]
    request = request_on_ray(folder, LINKS[seed // 3 % 3], max_recoveries=9)
    run = Struck(request, [], changes)
    if changes:
        return _check_struck(run, folder, plain, lost=False)

    def pid() -> int | None:
        there = run.actors is not None and run.actors.places
        return run.actors.places[actor][1] if there else None

    with slowed(pid, _TIMES_SLOWER) as periods:
        recoveries = _check_struck(run, folder, plain, lost=False)
    check(len(periods) > 10, f"it was slowed for {len(periods)} periods only")
    return recoveries


def poor(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Give an actor no more memory: the run ends right, or as broken and can be gone on with."""
    choose = random.Random(f"{row} {seed}")
    more = choose.choice((0, 64 << 10, 1 << 20))
    change = Change(choose.choice(ALL), poor=(choose.randrange(34, 90), more))
    run = Struck(request_on_ray(folder, LINKS[seed % 3], max_recoveries=9), [], [change])
    result = run.run()
    if result.exit_kind == BROKEN:
        check("memory" in result.message, result.message)
        result = Resumed(folder, print).go_on(run_ray, lambda checkpoint: None)
    check(result.exit_kind == DONE, f"{result.exit_kind}: {result.message}")
    check(result.digest == plain.ray.digest, f"digest {result.digest}")
    check(not differences(folder, plain.ray_folder), str(differences(folder, plain.ray_folder)))
    return run.recoveries


def lost_calls(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Let Ray's own calls fail: requests, replies, and such as are under way."""
    percent = dict.fromkeys(("req", "resp", "in_flight"), 0)
    for kind in (("req",), ("resp",), ("in_flight",), tuple(percent))[seed % 4]:
        percent[kind] = 4
    ended = run_with_lost_calls(folder, LINKS[seed % 3], 10, percent)
    check(ended["kind"] == DONE, f"{ended['kind']}: {ended['message']}")
    check(ended["digest"] == plain.ray.digest, f"digest {ended['digest']}")
    check(not differences(folder, plain.ray_folder), str(differences(folder, plain.ray_folder)))
    recoveries: int = ended["recoveries"]
    return recoveries


ALONE: Final = {**os.environ, "PYTHONPATH": str(ROOT)}


def _before_a_loss(row: str, seed: int, folder: Path) -> tuple[int, str]:
    """Make folders; return when the blow falls, and what the run prints without one."""
    for name in ("home", "plain"):
        (folder / name).mkdir(parents=True)
    words = ("run", *HOSTS_WORDS, "--engine", "local")
    wanted: str = run_on_hosts(folder / "plain", ALONE, (0, 0), *words).stdout
    return random.Random(f"{row} {seed}").randrange(3, 20), wanted


def lost_host(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Kill the raylet of one of two hosts: the run goes on on the other."""
    stops, wanted = _before_a_loss(row, seed, folder)
    with two_hosts(folder / "home") as hosts:
        done = run_on_hosts(folder, hosts.environment, (stops, hosts.raylet), "run", *HOSTS_WORDS)
    check(done.returncode == 0, f"exit code {done.returncode}: {done.stderr}")
    check(done.stdout == wanted, f"{done.stdout} is not {wanted}")
    return 1


def lost_control_service(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Kill Ray's control service: an error in time; then go on on another Ray."""
    stops, wanted = _before_a_loss(row, seed, folder)
    with two_hosts(folder / "home") as hosts:
        done = run_on_hosts(folder, hosts.environment, (stops, hosts.gcs), "run", *HOSTS_WORDS)
        check(done.returncode == 3, f"exit code {done.returncode}: {done.stderr}")
        check("Ray's control service at" in done.stderr, done.stderr)
    [run] = (folder / "runs").iterdir()
    words = ("resume", str(run), "-q", "--address", "local")
    done = run_on_hosts(folder, ALONE, (0, 0), *words)
    check(done.returncode == 0, f"exit code {done.returncode}: {done.stderr}")
    check(done.stdout == wanted, f"{done.stdout} is not {wanted}")
    return 1


def _check_struck(
    run: Struck, folder: Path, plain: Plain, *, all_of_them: bool = True, lost: bool = True
) -> int:
    result = run.run()
    check(result.exit_kind == DONE, f"{result.exit_kind}: {result.message}")
    check(result.digest == plain.ray.digest, f"digest {result.digest}")
    check(not differences(folder, plain.ray_folder), str(differences(folder, plain.ray_folder)))
    check(bool(run.recoveries) is lost, f"{run.recoveries} recoveries")
    check(not (all_of_them and run.blows), f"only {run.struck} happened")
    return run.recoveries


def killed_driver(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Kill a run in this process between two rounds, several times; go on each time."""
    choose = random.Random(f"{row} {seed}")
    scheme = choose.choice(SCHEMES)
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


def long_soak(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Run again and again for so many minutes, each time with a blow; nothing may grow for ever.

    Objects, memory and descriptors of this process are sampled after each run. Those of the second
    half of the time must be those of the first half: Python's own memory but for a two-hundredth,
    descriptors but for what a run may have open by chance. Ray's library keeps something of each
    worker that is killed, outside of Python (a Ray that does nothing but start actors and lose
    them grows, too): memory may grow by so much for each run, and how much it was is printed.
    """
    choose = random.Random(f"{row} {seed}")
    samples: list[_Sample] = []
    started, recoveries = perf_counter(), 0
    while perf_counter() - started < 60 * plain.minutes or len(samples) < _FEWEST:
        number = len(samples)
        point = choose.choice(("round", "idle", "keep"))
        blow = Blow(point, choose.randrange(80), [ALL[number % 3]])
        request = request_on_ray(folder / f"{number}", LINKS[number // 3 % 3], max_recoveries=9)
        recoveries += _check_struck(Struck(request, [blow]), folder / f"{number}", plain)
        shutil.rmtree(folder / f"{number}")
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        opened = len(list(Path("/proc/self/fd").iterdir()))
        samples.append(_Sample(sys.getallocatedblocks(), pages, opened))
    steady = samples[_ROUND:]  # what is loaded and opened once is by then
    half = len(steady) // 2
    early, late = (_Sample(*map(median, zip(*part))) for part in (steady[:half], steady[half:]))
    print(f"{row}: {len(samples)} runs, early {early}, late {late}")
    check(late.blocks <= early.blocks * 1.005, f"Python's memory grows: {samples}")
    check(late.pages <= early.pages + half * _RAYS_PAGES, f"memory grows: {samples}")
    check(late.opened <= early.opened + _BY_CHANCE, f"descriptors grow: {samples}")
    return recoveries


def damaged(row: str, seed: int, folder: Path, plain: Plain) -> int:
    """Damage what is left of a killed run, a thousand times."""
    check(run_until(request_for(folder, storm()), 20 + seed % 19), "it had ended")
    return check_damages(folder, folder.parent / f"{folder.name}-damaged", 190)


Row = Callable[[str, int, Path, Plain], int]
ROWS: Final[dict[str, Row]] = {
    **dict.fromkeys(KILLS, killed_actors),
    **dict.fromkeys(IN_TURN, killed_in_turn),
    "R3 again and again": many_kills,
    "R4 local": killed_driver,
    "R4 Ray": killed_driver_on_ray,
    "R5": stopped,
    "R6": slow,
    "R7": bad_packets,
    "R8": lost_calls,
    "R9 host": lost_host,
    "R9 control": lost_control_service,
    "R11": poor,
    "R12": damaged,
    "R15": long_soak,
}
_NO_RAY: Final = ("R4 local", "R4 Ray", "R7", "R8", "R9 host", "R9 control", "R12")


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
    parser.add_argument("--minutes", type=float, default=Plain.minutes, help="of each seed of R15")
    options = parser.parse_args()
    Plain.minutes = options.minutes
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
