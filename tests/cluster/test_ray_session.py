"""Starting a Ray and leaving it, with Ray's own functions replaced."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster import ray_session
from cluster.ray_actors import channel_semaphores
from cluster.ray_session import RaySession, RayUnreachable

pytestmark = pytest.mark.ray


@pytest.fixture
def no_ray(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Replace what starts and ends Ray; yield what was called."""
    called: list[str] = []
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setattr("ray.shutdown", lambda: called.append("shutdown"))
    yield called


def test_sigterm_while_ray_starts_is_what_it_is_elsewhere(
    no_ray: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray puts a handler of its own in place, which ends the process with code 15."""

    def init(**options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("ray.init", init)
    before = signal.signal(signal.SIGTERM, lambda number, frame: no_ray.append("ours"))
    try:
        with pytest.raises(KeyboardInterrupt):
            RaySession("local", 3)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert no_ray == ["shutdown", "ours"]


def test_a_ray_that_does_not_start_is_one_line(
    no_ray: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def init(**options: Any) -> None:
        raise RuntimeError("no ports left\nsee the logs")

    monkeypatch.setattr("ray.init", init)
    with pytest.raises(RayUnreachable, match=r"^Ray could not be started: no ports left$"):
        RaySession("local", 3)


def test_only_semaphores_of_channels_are_taken_for_ours(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    line = "7f0 rw-s 00000000 00:19 3 "
    names = [
        "/dev/shm/sem.obj12-34",
        "/dev/shm/sem.hdr12-34",
        "/dev/shm/sem.mine",
        "/dev/shm/sem.obj12-34.old",
        "/dev/shm/plasma12-34",
        "/dev/shm/sem.obj12-35 (deleted)",
    ]
    maps.write_text("".join(f"{line}{name}\n" for name in names))
    assert channel_semaphores(maps) == set(names[:2])


def test_a_process_that_has_ended_is_not_alive_before_it_is_waited_for() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert not ray_session._is_alive(pid)
    os.waitpid(pid, 0)
    assert not ray_session._is_alive(pid)
    assert ray_session._is_alive(os.getpid())


RAY_FIRST = """
import os
import ray
from cluster.ray_session import RaySession

with RaySession("local", 1) as session:
    print(session.owned, ray.get(ray.remote(lambda: 5).remote()))
    print("RAY_AUTH_TOKEN" in os.environ)
print("RAY_AUTH_TOKEN" in os.environ)
"""


def test_a_ray_that_was_imported_before_smplab_starts_as_well() -> None:
    """It had read its settings when it was imported, and refused the token made after that."""
    auth = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
    done = subprocess.run(
        [sys.executable, "-c", RAY_FIRST],
        env={name: value for name, value in os.environ.items() if name not in auth},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["True", "5", "True", "False"]), (
        done.stderr
    )
