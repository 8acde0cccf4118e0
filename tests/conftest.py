"""What all tests share: the workloads that engines are compared on, and one Ray for a session.

Only tests marked ``ray`` may ask for ``local_ray``; it starts a Ray of its own at the first of
them, never joins one, and stops it when the session ends.

Tests run the pure core, their subprocesses too. SMPLAB_CORE=compiled makes them run the compiled
one (``make fast``); SMPLAB_FORMS=off runs paths as they are written at granularity ``syscall``.
"""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("SMPLAB_CORE", "pure")  # before anything imports cluster or kernel
os.environ.setdefault("SMPLAB_FORMS", "on")

from cluster import fast_core

if fast_core.problem():
    raise pytest.UsageError(fast_core.problem())

# A shell starts what runs in its background with SIGINT ignored, and commands that tests interrupt
# would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Small, and together they use every kind of message: contexts that go to the kernel and come back,
# tasks that change CPUs by fork, exec, wake-up and pull, threads, signals, shared memory.
WORKLOADS = {
    "storm": """
  - program: fork_exec_storm
    params: {parents: 6, children: 6, compute: "uniform:10us:50us", touch: "uniform:0:4", pages: 8}
""",
    "vfork_storm": """
  - program: fork_exec_storm
    params: {parents: 4, children: 5, method: vfork}
""",
    "spawn_storm": """
  - program: fork_exec_storm
    params: {parents: 4, children: 5, method: posix_spawn}
""",
    "thread_group_exit": """
  - program: thread_group_exit
    params: {groups: 3, threads: 4, mode: exit_group}
  - program: thread_group_exit
    params: {groups: 3, threads: 4, mode: leader_first}
  - program: thread_group_exit
    params: {groups: 3, threads: 4, mode: sigkill}
  - program: thread_group_exit
    params: {groups: 3, threads: 4, mode: exec_nonleader}
""",
    "prefork_server": """
  - program: prefork_server
    params: {workers: 5, requests: 120, window: 10, retire: 9, crash: 31, compute: 50us}
""",
    "cow_touch": """
  - program: cow_touch
    params: {pages: 16, children: 4, rounds: 2, first: child}
  - program: cow_touch
    params: {pages: 16, children: 4, rounds: 2, kind: shared}
""",
    "unequal_work": """
  - program: fork_exec_storm
    params: {parents: 11, children: 1, compute: "uniform:60ms:200ms"}
""",
}


@pytest.fixture
def make_request(tmp_path: Path) -> Callable[..., Any]:
    """Return ``make(workload, **changes)``: a RunRequest for one of WORKLOADS, under barrier."""
    from cluster.build import resolve
    from cluster.config import parse_config
    from cluster.engine_api import RunRequest

    def make(workload: str, *, config: str = "machine: {cpus: 8}\n", **changes: Any) -> Any:
        text = f"name: test\n{config}workloads:{WORKLOADS[workload]}"
        spec = resolve(parse_config("c.yaml", text, tmp_path))
        return RunRequest(spec=spec, **{"scheme": "barrier", **changes})

    return make


@pytest.fixture(scope="session")
def local_ray() -> Iterator[None]:
    """A Ray of this test session's own."""
    from cluster.ray_session import RaySession

    with RaySession("local", 3) as session:
        assert session.owned
        yield
