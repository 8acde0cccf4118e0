"""A cluster of two hosts on this machine, of which one is lost, or Ray's control service.

The cluster is in a process of its own, and so is the run: it loses its Ray at a superstep that is
told, and a Ray that loses its control service ends whoever uses it.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
_CLUSTER: Final = """
import json, sys
from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
other = cluster.add_node(num_cpus=2)
pid = lambda node, name: node.all_processes[name][0].process.pid
told = {
    "address": cluster.address,
    "raylet": pid(other, "raylet"),
    "gcs": pid(cluster.head_node, "gcs_server"),
}
print(json.dumps(told), flush=True)
sys.stdin.read()
cluster.shutdown()
"""
# smplab, which kills a process when the engine asks for the k-th time whether to stop, and whose
# next round then takes until the engine has seen that
_STRUCK: Final = """
import os, signal, sys, threading
from cluster import ray_engine
left, victim = int(sys.argv.pop(1)), int(sys.argv.pop(1))
stop = ray_engine.RayRun.stop
def stop_after_blow(self):
    global left
    left -= 1
    if left == 0:
        os.kill(victim, signal.SIGKILL)
        while True:
            self.watch.look()
            threading.Event().wait(0.1)
    return stop(self)
ray_engine.RayRun.stop = stop_after_blow
from cluster.entry import main
main()
"""
CONFIG: Final = """
name: hosts
engine: ray
machine: {cpus: 8}
sync: {scheme: barrier, quantum: 20us}
ray: {address: auto, cpus_per_actor: 2, hosts: 2, link: calls}
checkpoint: {supersteps: 8}
workloads:
  - program: fork_exec_storm
    params: {parents: 5, children: 4, compute: "uniform:10us:50us"}
"""


@dataclass(frozen=True, slots=True)
class Hosts:
    """A cluster: the environment of those who join it, and pids of what can be killed."""

    environment: dict[str, str]
    raylet: int  # of the host that is not the head
    gcs: int


@contextmanager
def two_hosts(home: Path) -> Iterator[Hosts]:
    """Start a cluster of two hosts of two cores; end it.

    Args:
        home: a folder in which Ray may leave what it leaves in a home folder.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    clean |= {"HOME": str(home), "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "disabled"}
    process = subprocess.Popen(
        [sys.executable, "-c", _CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=clean,
        start_new_session=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        told = json.loads(process.stdout.readline())
        yield Hosts({**clean, "RAY_ADDRESS": told["address"]}, told["raylet"], told["gcs"])
    finally:
        process.stdin.close()
        try:
            process.wait(60)
        finally:
            if process.poll() is None:  # its own children, and nobody else's
                os.killpg(process.pid, signal.SIGKILL)


def smplab(folder: Path, environment: dict[str, str], blow: tuple[int, int], *words: str) -> Any:
    """Run smplab; return the process that has ended.

    Args:
        folder: the working directory.
        environment: of the process.
        blow: when the engine asks for which time whether to stop, which process is killed.
        words: of the command.
    """
    (folder / "hosts.yaml").write_text(CONFIG, "utf-8")
    return subprocess.run(
        [sys.executable, "-c", _STRUCK, *map(str, blow), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
