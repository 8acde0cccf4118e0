"""Runs on two hosts (``two_hosts``), of which one is lost, or Ray's control service.

The run is in a process of its own: it loses its Ray at a superstep that is told, and a Ray that
loses its control service ends whoever uses it.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

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
