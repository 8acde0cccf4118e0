"""One configuration, run in every way there is to run it: one digest at each granularity.

Usage: python -m tests.cluster.same_digest [--no-ray] [--replays N] [--granularity syscall|step]

Prints a line for each way, and for the replays of N runs at step whose ties are broken at random;
exit code 1 if digests differ. The compiled core is built if it is not there.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from cluster import fast_core
from cluster.build import guest_spec
from cluster.core import forms
from cluster.engine_api import RunRequest
from cluster.local_engine import run_local
from cluster.request import request_of_log
from cluster.sync import ORDER_LOG
from cluster.sync.order_log import RecordedOrder
from kernel.machine import MachineSpec

ROOT: Final = Path(__file__).resolve().parents[2]
GRANULARITIES: Final = ("syscall", "step")
CONFIG: Final = """
name: same
machine: {cpus: 8}
sync: {scheme: barrier}
workloads:
  - program: fork_exec_storm
    params: {parents: 5, children: 4, compute: "uniform:10us:50us", touch: "uniform:0:4", pages: 8}
  - program: thread_group_exit
    params: {groups: 2, threads: 4, mode: exec_nonleader}
"""
# a machine whose CPUs keep PELT's averages and are balanced by them
LEVELS: Final = CONFIG.replace("{cpus: 8}", "{topology: {sockets: 2, cores: 2, smt: 2}}")
CONFIGS: Final = {"flat": CONFIG, "levels": LEVELS}
_SMPLAB: Final = "import sys; sys.argv[0] = 'smplab'; from cluster.entry import main; main()"


class Way(NamedTuple):
    """How a run is made: its name, options of ``smplab run``, and what is around it."""

    name: str
    options: tuple[str, ...] = ("--engine", "local")
    core: str = "pure"
    forms: str = "on"
    hash_seed: str = "0"
    folder: str = "one"


def _on_ray(cpus_per_actor: int) -> tuple[str, ...]:
    return "--engine", "ray", "--set", f"ray.cpus_per_actor={cpus_per_actor}"


LOCAL: Final = (
    Way("local engine, pure core, quick forms"),
    Way("paths as they are written", forms="off"),
    Way("compiled core", core="compiled"),
    Way("another hash seed", hash_seed="4711"),
    Way("another folder", folder="two"),
)
# what has shown no difference alone is varied along with the packing
RAY: Final = tuple(
    Way(f"Ray, {packing} CPU(s) an actor", _on_ray(packing), core, "on", seed, folder)
    for packing, core, seed, folder in (
        (1, "pure", "0", "one"),
        (2, "compiled", "1", "two"),
        (4, "pure", "4711", "two"),
        (8, "compiled", "2", "one"),
    )
)


def digest(way: Way, granularity: str, folder: Path, text: str = CONFIG) -> str:
    """Run the configuration ``text`` below ``folder``; return its digest.

    Raises:
        RuntimeError: the run failed; the message is what it printed.
    """
    cwd = folder / way.folder
    cwd.mkdir(exist_ok=True)
    config = cwd / "same.yaml"
    config.write_text(text, "utf-8")
    command = ["run", str(config), "-q", *way.options, "--set", f"granularity={granularity}"]
    done = subprocess.run(
        [sys.executable, "-c", _SMPLAB, *command],
        cwd=cwd,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONHASHSEED": way.hash_seed,
            fast_core.VARIABLE: way.core,
            forms.VARIABLE: way.forms,
        },
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{way.name}: exit code {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout.split()[-1]


def racing(seed: int, tie_break: str = "random", granularity: str = "step") -> MachineSpec:
    """Return a machine with two writers whose steps are held up at random."""
    return guest_spec(
        ROOT / "tests" / "guest" / "pipe" / "two_writers.py",
        [],
        cpus=3,
        seed=seed,
        granularity=granularity,
        tie_break=tie_break,
    )


def replays(seeds: range) -> Iterator[tuple[str, str]]:
    """Record a run at ``step`` for every seed and replay it; yield both digests."""
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            scheme = ("exact", "barrier")[seed % 2]
            request = RunRequest(
                racing(seed), scheme=scheme, out_dir=Path(folder), record_order=True
            )
            recorded = run_local(request)
            again = run_local(request_of_log(RecordedOrder(Path(folder, ORDER_LOG))))
            yield recorded.digest, again.digest


def main() -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="same_digest", description="One digest however run.")
    parser.add_argument("--no-ray", action="store_true", help="leave out the runs on Ray")
    parser.add_argument("--replays", type=int, default=100, help="how many runs to replay")
    parser.add_argument("--granularity", choices=GRANULARITIES, help="default: both")
    options = parser.parse_args()
    subprocess.run([sys.executable, "-m", "cluster.compile_core"], check=True, cwd=ROOT)
    failed = False
    for granularity in (options.granularity,) if options.granularity else GRANULARITIES:
        with tempfile.TemporaryDirectory() as folder:
            wanted = ""
            for way in LOCAL if options.no_ray else LOCAL + RAY:
                found = digest(way, granularity, Path(folder))
                wanted = wanted or found
                failed |= found != wanted
                word = "same" if found == wanted else "DIFFERENT"
                print(f"{word:9}  {found[:16]}  {granularity:7}  {way.name}", flush=True)
    pairs = list(replays(range(options.replays)))
    same = sum(recorded == again for recorded, again in pairs)
    print(f"{same} of {len(pairs)} replays at step have the digest of the run recorded")
    print(f"{len({recorded for recorded, _ in pairs})} digests among those runs")
    return int(failed or same < len(pairs))


if __name__ == "__main__":
    sys.exit(main())
