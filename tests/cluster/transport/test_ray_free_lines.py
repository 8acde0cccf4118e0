"""CPUs that run free over lines between threads of one process: real arrivals, without Ray.

On a real Ray they are tested by ``tests/cluster/test_ray_free.py``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster import engine_api
from cluster.codec import LpFailure, pack
from cluster.engine_api import RunRequest
from cluster.local_engine import run_local
from cluster.ray_actors import KERNEL_NAME, lp_name
from cluster.ray_engine import kernel_options
from cluster.ray_free_actors import FreeCpuActor, FreeKernelActor
from cluster.ray_watch import ActorLost, Actors
from cluster.request import request_of_log
from cluster.sync import ORDER_LOG
from cluster.sync.order_log import RecordedOrder
from cluster.transport import ray_free_lines
from cluster.transport.ray_free_lines import FreeLines
from cluster.transport.sockets import HungUp, NoLine
from tests.cluster.direct_run import DirectRun
from tests.cluster.transport.test_ray_shm import Handle, HereWatch

Make = Callable[..., RunRequest]
SLACK_NS = 100_000


class FreeRun(DirectRun):
    """A run over lines between threads, with plain objects for actors."""

    def _start(self) -> None:
        plain = pack(self.request.spec.to_plain())
        options = kernel_options(self.request, self.record)
        kernel = FreeKernelActor(plain, self.groups, *options, None)
        cpus = [FreeCpuActor(plain, number, cpus, None) for number, cpus in enumerate(self.groups)]
        names = [*(lp_name(group) for group in self.groups), KERNEL_NAME]
        self.actors = Actors(kernel, cpus, names)
        handles = Actors(Handle(kernel), [Handle(cpu) for cpu in cpus], names)
        self.transport = FreeLines(handles, HereWatch(self._interrupt, None))


@pytest.fixture
def asked(make_request: Make, tmp_path: Path) -> Make:
    """Requests with a run directory, CPUs that run free, and two groups of them."""

    def make(workload: str = "storm", scheme: str = "lax", **changes: Any) -> RunRequest:
        return make_request(
            workload,
            scheme=scheme,
            slack_ns=SLACK_NS if scheme == "slack" else None,
            cpus_per_actor=4,
            quantum_ns=20_000,
            out_dir=tmp_path,
            **changes,
        )

    return make


@pytest.fixture
def begun(asked: Make) -> FreeRun:
    """A run of two groups that has begun."""
    run = FreeRun(asked())
    run._start()
    assert run.transport is not None
    run.transport.begin()
    return run


@pytest.mark.parametrize("scheme", ["lax", "slack"])
@pytest.mark.parametrize("workload", ["storm", "prefork_server", "thread_group_exit"])
def test_what_really_arrives_first_is_served_first_and_replays_to_the_same_digest(
    asked: Make, tmp_path: Path, workload: str, scheme: str
) -> None:
    run = FreeRun(asked(workload, scheme))
    result = run.run()
    assert run.transport is not None and run.transport.close()
    assert (result.exit_kind, result.message) == (engine_api.DONE, "")
    log = RecordedOrder(tmp_path / ORDER_LOG)
    assert (log.complete, log.stopped, log.engine) == (True, False, run.request.engine)
    again = run_local(request_of_log(log))
    assert (again.exit_kind, again.digest) == (engine_api.DONE, result.digest)
    assert again.outputs == result.outputs
    if scheme == "slack":
        assert result.summary["run"]["furthest_ahead_ns"] <= SLACK_NS


def test_a_run_that_is_stopped_comes_to_rest_and_replays_up_to_there(
    asked: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_free_lines, "_TELL_S", 0.0)
    run = FreeRun(asked())
    looks = 0

    def stop(_run: FreeRun) -> tuple[str, str] | None:
        nonlocal looks
        looks += 1
        return (engine_api.INTERRUPTED, "stopped") if looks == 20 else None

    monkeypatch.setattr(FreeRun, "stop", stop)
    result = run.run()
    assert (result.exit_kind, result.message) == (engine_api.INTERRUPTED, "stopped")
    log = RecordedOrder(tmp_path / ORDER_LOG)
    assert (log.complete, log.stopped) == (True, True)
    again = run_local(request_of_log(log))
    assert (again.exit_kind, again.digest) == (engine_api.INTERRUPTED, result.digest)


def test_a_failure_of_a_group_reaches_the_driver_when_all_are_at_rest(
    begun: FreeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> Any:
        raise RuntimeError("out of order")

    assert begun.actors is not None and begun.transport is not None
    monkeypatch.setattr(begun.actors.cpus[1]._group, "step", fail)
    with pytest.raises(LpFailure, match="out of order") as caught:
        while True:
            begun.transport.round()
    assert caught.value.lp == "cpu actor 4-7"
    assert begun.actors.kernel.resting


@pytest.mark.parametrize("number", [0, 1])
def test_a_group_that_hangs_up_is_named(
    begun: FreeRun, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    assert begun.actors is not None and begun.transport is not None

    def die(frame: bytes) -> bytes:
        raise HungUp

    monkeypatch.setattr(begun.actors.cpus[number], "go", die)
    with pytest.raises(ActorLost, match=f"cpu actor {4 * number}-{4 * number + 3} is gone"):
        while True:
            begun.transport.round()
    assert begun.transport.in_round


def test_a_kernel_that_hangs_up_is_named(asked: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*arguments: Any) -> Any:
        raise HungUp

    monkeypatch.setattr(ray_free_lines, "_serve", die)
    run = FreeRun(asked())
    run._start()
    assert run.transport is not None
    with pytest.raises(ActorLost, match="kernel actor is gone"):
        run.transport.begin()
        run.transport.round()
    assert run.transport.in_round


def test_a_report_that_comes_twice_is_refused(asked: Make) -> None:
    run = FreeRun(asked())
    run._start()
    assert run.actors is not None
    kernel, cpus = run.actors.kernel, run.actors.cpus
    gos, _ = kernel.first()
    [(group, frame)] = gos[:1]
    report = cpus[group].go(frame)
    kernel.arrived([group], report)
    _, head = kernel.arrived([group], report)
    with pytest.raises(LpFailure, match="report 1 of group 0, not 2"):
        ray_free_lines.head_of(head)


def test_actors_that_cannot_be_reached_leave_nobody_listening(
    asked: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def far(path: str, token: bytes, number: int) -> Any:
        raise NoLine("it is on another host")

    monkeypatch.setattr(ray_free_lines, "call", far)
    run = FreeRun(asked())
    with pytest.raises(NoLine, match="it is on another host"):
        run._start()
    assert run.actors is not None
    assert run.actors.kernel.link._socket.fileno() == -1
