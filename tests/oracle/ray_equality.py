"""Runs on Ray, packed in every way, on one host and on two: each has the local engine's bytes.

Usage: python -m tests.oracle.ray_equality [--workloads NAME,...] [--schemes NAME,...] [--few]
           [--join]

A line for each workload and scheme, with how many runs there were; exit code 1 if the digest of any
is not that of the local engine, with the packing, the number of hosts and the link, which make it
again. The hosts are two of a cluster on this machine; ``--join`` joins the one that RAY_ADDRESS
names instead. On one host frames take sockets, on two what there is between hosts: Ray's calls,
and a compiled graph where the scheme can use one. ``--few`` makes one run for each workload: among
them are all schemes, all packings and both numbers of hosts.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

from cluster.build import resolve
from cluster.config import Loaded, load_config, parse_config
from cluster.engine_api import BROKEN, DONE, RunRequest, RunResult
from cluster.local_engine import run_local
from cluster.ray_engine import run_ray
from cluster.ray_session import RaySession
from cluster.request import request_of
from cluster.sync.scheme import BUILTIN, scheme_class
from tests.cluster.two_hosts import two_hosts

ROOT: Final = Path(__file__).resolve().parents[2]
CPUS: Final = 12  # packs of 8 make two groups, of different sizes
_MOST_STARTS: Final = 3  # of a run whose actors do not start in time
PACKINGS: Final = (1, 2, 4, 8, CPUS)


class Workload(NamedTuple):
    """A shipped configuration, or the text of one; and what is changed so that it is small."""

    config: str
    changes: tuple[str, ...] = ()


_IPC: Final = """
name: ipc
workloads:
  - {program: ./tests/guest/futex/mutex.py}
  - {program: ./tests/guest/pipe/two_writers.py}
  - {program: ./tests/guest/signal/flood.py}
  - {program: prefork_server, params: {workers: 4, requests: 60, retire: 9, crash: 31}}
"""
_POLICIES: Final = """
name: policies
machine: {topology: {sockets: 2, cores: 3, smt: 2}}
workloads:
  - {program: ./tests/guest/sched/rt_over_fair.py}
  - {program: ./tests/guest/sched/deadline_reclaim.py}
  - {program: ./tests/guest/sched/rt_places.py}
  - {program: fork_exec_storm, params: {parents: 13, children: 2, compute: "uniform:1ms:5ms"}}
"""
_CGROUPS: Final = """
name: cgroups
cgroups:
  web: {cpu.max: 4ms/20ms}
  web/db: {cpu.weight: 300}
  web/api: {}
  batch: {cpu.max: 3ms/10ms, cpu.max.burst: 1ms}
workloads:
  - {program: fork_exec_storm, cgroup: web/db, params: {parents: 3, children: 2, compute: "uniform:2ms:9ms"}}
  - {program: fork_exec_storm, cgroup: web/api, params: {parents: 3, children: 2, compute: "uniform:2ms:9ms"}}
  - {program: fork_exec_storm, cgroup: batch, params: {parents: 2, children: 3, compute: "uniform:2ms:9ms"}}
"""  # noqa: E501
WORKLOADS: Final = {
    "storm": Workload(
        "configs/fork_exec_storm.yaml",
        ("workloads.0.params.parents=13", "workloads.0.params.children=4", "sync.quantum=100us"),
    ),
    "thread groups": Workload(
        "configs/thread_group_exit.yaml",
        tuple(
            f"workloads.{number}.params.{key}"
            for number in range(4)
            for key in ("groups=2", "threads=4")
        ),
    ),
    "pipes futexes signals": Workload(_IPC),
    "policies on a topology": Workload(_POLICIES),
    "limits of groups": Workload(_CGROUPS),
    "memory": Workload(
        "configs/cow_touch.yaml",
        tuple(
            f"workloads.{number}.params.{key}"
            for number in range(3)
            for key in ("pages=16", "rounds=2")
        ),
    ),
    "races": Workload(
        "configs/races/parallel/parent_against_child.yaml",
        ("workloads.0.instances=6", "sync.quantum=50us", "trace.enabled=true"),
    ),
    "experiment": Workload(
        "configs/experiments/base.yaml", ("sched.fair=../schedulers/lottery.py:Lottery",)
    ),
}


class Way(NamedTuple):
    """How a run is made on Ray."""

    packing: int
    hosts: int
    link: str


def schemes() -> list[str]:
    """Return the schemes that are to give the same bytes on both engines."""
    found = {name: scheme_class(name) for name in BUILTIN}
    return [
        name
        for name, scheme in found.items()
        if scheme.deterministic and scheme.engines == {"local", "ray"}
    ]


def ways(scheme: str) -> list[Way]:
    """Return how runs under a scheme are made: packings, hosts, and what links them."""
    graph = scheme == "barrier"
    one = [Way(packing, 1, "shm") for packing in PACKINGS]
    two = [
        Way(packing, 2, "graph" if graph and packing in (4, 8) else "calls")
        for packing in PACKINGS
        if packing < CPUS
    ]
    return one + two


def loaded(workload: Workload) -> Loaded:
    """Return the configuration of a workload."""
    flags = [("", change) for change in ("engine=local", *workload.changes)]
    if workload.config.endswith(".yaml"):
        path = ROOT / workload.config
        if "topology" not in path.read_text("utf-8"):
            flags.append(("", f"machine.cpus={CPUS}"))
        return load_config(path, flags)
    if "topology" not in workload.config:
        flags.append(("", f"machine.cpus={CPUS}"))
    return parse_config("workload", workload.config, ROOT, flags)


def differences(request: RunRequest, some: Sequence[Way]) -> Iterator[str]:
    """Yield what is wrong with the runs of a request that are made in some ways."""
    local = run_local(request)
    if local.exit_kind != DONE:
        yield f"the local engine: {local.exit_kind}: {local.message}"
        return
    for way in some:
        asked = replace(request, cpus_per_actor=way.packing, hosts=way.hosts, link=way.link)
        result = _run(replace(asked, engine="ray", address="auto"))
        said = f"packs of {way.packing}, {way.hosts} host(s), link {way.link}"
        if result.digest != local.digest:
            yield f"{said}: {result.exit_kind} {result.message} {result.digest}"
        elif result.wall["hosts"] != way.hosts:
            yield f"{said}: it had {result.wall['hosts']}"


def _run(request: RunRequest) -> RunResult:
    """Run; again if a host that has much else to do did not start the actors in time."""
    result = run_ray(request)
    for _ in range(_MOST_STARTS - 1):
        if result.exit_kind != BROKEN or "did not start within" not in result.message:
            break
        print(f"    once more: {result.message}", flush=True)
        result = run_ray(request)
    return result


@contextmanager
def _cluster(join: bool) -> Iterator[None]:
    if join:
        with RaySession("auto", CPUS + 1):
            yield
        return
    with (
        tempfile.TemporaryDirectory(prefix="smplab-hosts-") as home,
        two_hosts(Path(home)) as hosts,
    ):
        os.environ.update(hosts.environment)
        with RaySession("auto", CPUS + 1):
            yield


def main() -> int:
    """Make the runs; return the exit code."""
    parser = argparse.ArgumentParser(description="Runs on Ray against the local engine.")
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--schemes", default=",".join(schemes()))
    parser.add_argument("--few", action="store_true", help="one run of each")
    parser.add_argument("--join", action="store_true", help="the cluster of RAY_ADDRESS")
    options = parser.parse_args()
    names = options.workloads.split(",")
    failed = 0
    with _cluster(options.join):
        for number, name in enumerate(names):
            config = loaded(WORKLOADS[name])
            request = request_of(config, resolve(config))
            request.checkpoint = None
            chosen = options.schemes.split(",")
            for scheme in [chosen[number % len(chosen)]] if options.few else chosen:
                started = perf_counter()
                some = ways(scheme)
                if options.few:
                    some = [some[2 * number % len(some)]]
                found = list(differences(replace(request, scheme=scheme, scheme_from=()), some))
                failed += len(found)
                print(
                    f"{name:24} {scheme:9} {len(some) - len(found):3} of {len(some):3} the same, "
                    f"{perf_counter() - started:6.1f} s",
                    flush=True,
                )
                for each in found:
                    print(f"    {each}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
