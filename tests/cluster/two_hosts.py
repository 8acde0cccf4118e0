"""A Ray cluster of two hosts on this machine, for tests of what several hosts do."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_CLUSTER: Final = """
import sys
from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
cluster.add_node(num_cpus=2)
print(cluster.address, flush=True)
sys.stdin.read()
cluster.shutdown()
"""


@contextmanager
def two_hosts(home: Path) -> Iterator[dict[str, str]]:
    """Start a cluster of two hosts of two cores; give the environment of processes that join it.

    Args:
        home: an empty folder, in the place of the user's home.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment = {**clean, "HOME": str(home), "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "disabled"}
    process = subprocess.Popen(
        [sys.executable, "-c", _CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    assert process.stdin is not None and process.stdout is not None
    address = process.stdout.readline().strip()
    try:
        yield {**environment, "RAY_ADDRESS": address}
    finally:
        process.stdin.close()
        process.wait(60)
