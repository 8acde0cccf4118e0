"""How throughput grows with hosts where guests compute: one and two hosts of a Ray cluster.

The hosts are those of a cluster on this machine (``ray.cluster_utils``), each with half of its
cores in Ray's eyes; the machine's cores are all there really is, so two of them cannot be more than
twice as fast as the local engine, which takes one. What several machines would give is not
measured here; what crossing a host costs is: between hosts messages take Ray's ways (``graph``,
``calls``), on one they take sockets.

Each row has one CPU actor on each host, and the kernel actor beside the first. ``x local`` compares
requests per second with the local engine, which runs before each; the medians of --rounds count.

Usage: python -m tests.benchmarks.ray_hosts [--cpus 64] [--turns 100,1000,10000] [--rounds N]
"""

import argparse
import os
from dataclasses import replace
from statistics import median
from typing import Any, Final

from cluster.engine import run_machine
from cluster.ray_session import RaySession
from tests.benchmarks.ray_floors import checked
from tests.benchmarks.ray_scaling import MeasuredRun, rates, request

WAYS: Final = ((1, "shm"), (2, "graph"), (2, "calls"))  # hosts, link


def measure(options: argparse.Namespace, address: str) -> None:
    """Print a row for each load and way."""
    print("turns hosts link  requests/s  x local | superstep us | cores: driver kernel CPUs")
    for turns in options.turns:
        ratios: dict[tuple[int, str], list[tuple[float, ...]]] = {}
        for _ in range(options.rounds):
            local = rates(checked(run_machine(request(options.cpus, 0, load=turns))))[1]
            for hosts, link in WAYS:
                wanted = request(options.cpus, 0, str(max(2, hosts)), link, load=turns)
                run = MeasuredRun(replace(wanted, address=address, hosts=hosts))
                result = checked(run.run())
                assert result.wall["hosts"] == hosts
                loop_ns = result.wall["loop_ns"]
                here = rates(result)[1]
                supersteps = result.summary["run"]["supersteps"]
                *groups, kernel, driver = (took / loop_ns for took in run.took_ns)
                row = (here, here / local, loop_ns / supersteps / 1e3, driver, kernel, sum(groups))
                ratios.setdefault((hosts, link), []).append(row)
        for (hosts, link), rows in ratios.items():
            here, ratio, superstep, driver, kernel, groups_ = map(median, zip(*rows))
            print(
                f"{turns:>5} {hosts:5} {link:5} {here:10,.0f} {ratio:8.2f} | {superstep:12,.0f} | "
                f"{driver:13.2f} {kernel:6.2f} {groups_:4.2f}",
                flush=True,
            )


def main() -> None:
    """Start the cluster, measure, and stop it."""
    parser = argparse.ArgumentParser(description="How throughput grows with hosts.")
    parser.add_argument("--cpus", type=int, default=64)
    parser.add_argument("--turns", type=lambda text: text.split(","), default=["1000"])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ["RAY_AUTH_MODE"] = "disabled"  # a cluster of one machine, for as long as this runs
    from ray.cluster_utils import Cluster

    share = max(2, len(os.sched_getaffinity(0))) // 2
    cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": share})
    try:
        cluster.add_node(num_cpus=share)
        cluster.wait_for_nodes()
        with RaySession(cluster.address, 3):
            measure(options, cluster.address)
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
