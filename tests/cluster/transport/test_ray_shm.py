"""Rounds over lines between threads of one process: the serving loops and the driver, without Ray.

On a real Ray they are tested by ``tests/cluster/test_ray_engine.py``.
"""

from collections.abc import Callable
from typing import Any

import pytest

from cluster import engine_api
from cluster.codec import LpFailure
from cluster.engine_api import RunRequest
from cluster.local_engine import run_local
from cluster.ray_engine import RayRun
from cluster.ray_watch import ActorLost, Actors, Watch
from cluster.transport import ray_shm
from cluster.transport.frames import FrameTransport
from cluster.transport.ray_shm import ShmLink
from cluster.transport.sockets import HungUp, Line, NoLine
from tests.cluster.direct_run import DirectRun

Make = Callable[..., RunRequest]


class Handle:
    """An actor of this process, called as Ray's are."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor
        self.__ray_call__ = self

    def remote(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(self._actor, *arguments)


class HereWatch(Watch):
    """Calls have been answered when they return; Ray knows of no death."""

    looks = 0

    def get(self, calls: list[Any]) -> list[Any]:
        return calls

    def look(self) -> None:
        self.looks += 1

    def why_lost(self, error: Exception, suspect: str = "") -> str:
        return f"{suspect} is gone"


def link_of(run: RayRun) -> ShmLink:
    """Return a link between the actors of a run, which are in this process."""
    assert run.actors is not None
    kernel, cpus = Handle(run.actors.kernel), [Handle(cpu) for cpu in run.actors.cpus]
    return ShmLink(Actors(kernel, cpus, run.actors.names), HereWatch(run._interrupt, None))


class ShmRun(DirectRun):
    """A run over lines between threads."""

    def _start(self) -> None:
        super()._start()
        self.transport = FrameTransport(link_of(self), self._begin)


@pytest.fixture
def made(make_request: Make) -> ShmRun:
    """A run of two groups that has begun."""
    run = ShmRun(make_request("storm", cpus_per_actor=4, quantum_ns=20_000))
    run._start()
    assert run.transport is not None
    run.transport.begin()
    return run


@pytest.mark.parametrize(
    ("slice_s", "piece", "few"),
    [(0.0, 64, 8), (0.0, 240 << 10, 2), (1000.0, 64, 2), (1000.0, 240 << 10, 8)],
)
def test_lines_give_the_bytes_of_the_local_engine(
    make_request: Make, monkeypatch: pytest.MonkeyPatch, slice_s: float, piece: int, few: int
) -> None:
    """Whether the driver looks after every turn or never; in pieces and in parts, too."""
    monkeypatch.setattr(ray_shm, "_FEW_GROUPS", few)
    monkeypatch.setattr(ray_shm, "_SLICE_S", slice_s)
    monkeypatch.setattr("cluster.ray_actors.PIECE_BYTES", piece)
    local = run_local(make_request("storm"))
    run = ShmRun(make_request("storm", cpus_per_actor=3))
    result = run.run()
    assert run.transport is not None and run.transport.close()
    assert (result.exit_kind, result.message) == (engine_api.DONE, "")
    assert result.digest == local.digest


def test_actors_that_are_to_halt_give_back_the_last_frame(made: ShmRun) -> None:
    assert made.transport is not None and made.actors is not None
    made.actors.kernel.halt()
    frame = made.transport.frame
    made.transport.round()
    assert made.transport.frame == frame
    assert made.transport.whole
    made.transport.close()


def test_a_failure_of_a_group_reaches_the_driver(
    made: ShmRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> Any:
        raise RuntimeError("out of order")

    assert made.actors is not None and made.transport is not None
    monkeypatch.setattr(made.actors.cpus[1]._group, "step", fail)
    with pytest.raises(LpFailure, match="out of order"):
        made.transport.round()


@pytest.mark.parametrize("number", [0, 1])
def test_a_group_that_hangs_up_is_named(
    made: ShmRun, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    assert made.actors is not None and made.transport is not None

    def die(frame: bytes) -> bytes:
        raise HungUp

    monkeypatch.setattr(made.actors.cpus[number], "step", die)
    with pytest.raises(ActorLost, match=f"cpu actor {4 * number}-{4 * number + 3} is gone"):
        while not made.transport.verdict:  # a turn may be under way that was begun before
            made.transport.round()
    assert made.transport.in_round


def test_a_kernel_that_hangs_up_is_named(made: ShmRun, monkeypatch: pytest.MonkeyPatch) -> None:
    assert made.actors is not None and made.transport is not None

    def die(*frames: bytes) -> bytes:
        raise HungUp

    monkeypatch.setattr(made.actors.kernel, "superstep", die)
    with pytest.raises(ActorLost, match="kernel actor is gone"):
        made.transport.round()


def test_actors_that_cannot_be_reached_leave_nobody_listening(
    make_request: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def far(path: str, token: bytes, number: int) -> Line:
        raise NoLine("it is on another host")

    monkeypatch.setattr(ray_shm, "call", far)
    run = DirectRun(make_request("storm", cpus_per_actor=4))
    run._start()
    with pytest.raises(NoLine, match="it is on another host"):
        link_of(run)
    assert run.actors is not None
    assert run.actors.kernel.link._socket.fileno() == -1
