"""Recorded runs whose CPUs ran free, made again: each replay has the digest of its run.

Usage: python -m tests.oracle.replays [--runs N] [--engines local,ray] [--schemes lax,slack]
           [--workloads NAME,...] [--first SEED]

On the local engine the order of arrivals is a shuffle by the seed; on Ray it is what really
happened, so the same seed gives another run. A line for each engine, scheme and workload, with how
many different runs there were; exit code 1 if a replay differs, a run or replay does not end as it
must, or somebody was further ahead than ``slack`` allows, with the seed. Runs on Ray are packed in
turn one, two and four CPUs to an actor, and take sockets and actor calls in turn.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

from cluster.build import resolve
from cluster.config import parse_config
from cluster.engine import run_machine
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import run_local
from cluster.ray_session import RaySession
from cluster.request import request_of, request_of_log
from cluster.sync import ORDER_LOG
from cluster.sync.order_log import RecordedOrder

ROOT: Final = Path(__file__).resolve().parents[2]
SLACK_NS: Final = 60_000
WORKLOADS: Final = {
    "storm": "{program: fork_exec_storm, params: {parents: 5, children: 4, compute: 'exp:20us'}}",
    "thread groups": "{program: thread_group_exit, params: {groups: 3, threads: 4}}",
    "server": "{program: prefork_server, params: {workers: 4, requests: 60, crash: 31}}",
    "futex": "{program: ./tests/guest/futex/mutex.py}",
}
_CONFIG: Final = """
name: replays
engine: {engine}
seed: {seed}
machine: {{cpus: 4}}
sync: {{scheme: {scheme}, quantum: 20us}}
checkpoint: {{enabled: false}}
workloads: [{workload}]
"""
_PACKINGS: Final = (2, 1, 4)
_LINKS: Final = ("shm", "shm", "shm", "calls")


class Failed(Exception):
    """A run or a replay is not as it must be."""


def recorded(
    engine: str, scheme: str, workload: str, seed: int, folder: Path
) -> tuple[RunRequest, RecordedOrder, str]:
    """Make a run; return the request, its log and its digest.

    Raises:
        Failed: it did not end as it must, or ran further ahead than it may.
    """
    bound = f"slack, slack: {SLACK_NS}ns" if scheme == "slack" else scheme
    text = _CONFIG.format(engine=engine, scheme=bound, seed=seed, workload=WORKLOADS[workload])
    loaded = parse_config("replays.yaml", text, ROOT)
    request = request_of(loaded, resolve(loaded))
    request.out_dir = folder
    request.cpus_per_actor = _PACKINGS[seed % len(_PACKINGS)]
    request.link = _LINKS[seed % len(_LINKS)]
    result = run_machine(request)
    if result.exit_kind != DONE:
        raise Failed(f"the run: {result.exit_kind}: {result.message}")
    ahead_ns = result.summary["run"]["furthest_ahead_ns"]
    if scheme == "slack" and not 0 < ahead_ns <= SLACK_NS:
        raise Failed(f"somebody was {ahead_ns} ns ahead")
    return request, RecordedOrder(folder / ORDER_LOG), result.digest


def replays(
    engine: str, scheme: str, workload: str, seeds: Sequence[int]
) -> Iterator[tuple[int, str, str]]:
    """Record a run for each seed and make it again; yield seed, digest, and what is wrong or ""."""
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="smplab-replays-") as folder:
            try:
                _, log, digest = recorded(engine, scheme, workload, seed, Path(folder))
                again = run_local(request_of_log(log))
            except Failed as failed:
                yield seed, "", str(failed)
                continue
            if again.digest == digest:
                yield seed, digest, ""
            else:
                yield seed, digest, f"the replay: {again.exit_kind} {again.message} {again.digest}"


@contextmanager
def _ray(engines: Sequence[str]) -> Iterator[None]:
    if "ray" not in engines:
        yield
        return
    with RaySession("local", 5):
        yield


def main() -> int:
    """Make the runs; return the exit code."""
    parser = argparse.ArgumentParser(description="Recorded runs made again.")
    parser.add_argument("--runs", type=int, default=100, help="of each engine and scheme")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--engines", default="local,ray")
    parser.add_argument("--schemes", default="lax,slack")
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    options = parser.parse_args()
    engines, schemes = options.engines.split(","), options.schemes.split(",")
    names = options.workloads.split(",")
    failed = 0
    with _ray(engines):
        for engine in engines:
            for scheme in schemes:
                for number, name in enumerate(names):
                    started = perf_counter()
                    last = options.first + options.runs
                    seeds = range(options.first + number, last, len(names))
                    found = list(replays(engine, scheme, name, seeds))
                    wrong = [f"seed {seed}: {what}" for seed, _, what in found if what]
                    failed += len(wrong)
                    print(
                        f"{engine:5} {scheme:5} {name:13} {len(found) - len(wrong):4} of "
                        f"{len(found):4} replays the same, "
                        f"{len({digest for _, digest, _ in found}):4} different runs, "
                        f"{perf_counter() - started:6.1f} s",
                        *(f"    {each}" for each in wrong),
                        sep="\n",
                        flush=True,
                    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
