"""A Ray cluster of two hosts on this machine, for tests of what several hosts do."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
