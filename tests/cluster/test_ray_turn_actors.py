"""The scheme ``exact`` with CPUs in actors: whose turn it is, and the bytes of the local engine."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cluster import engine_api
from cluster.build import guest_spec, resolve
from cluster.config import parse_config
from cluster.engine_api import RunRequest
from cluster.local_engine import run_local
from cluster.ray_engine import run_ray
from cluster.ray_turn_actors import in_file_order, look_after
from cluster.request import request_of_log
from cluster.sync import ORDER_LOG
from cluster.sync.order_log import RecordedOrder
from cluster.trace import TraceReader
from cluster.trace.format import TRACE
from tests.cluster.struck import differences
from tests.cluster.turn_run import DirectTurns, run_turns

Make = Callable[..., RunRequest]
FOUR = "machine: {cpus: 4}\n"


@pytest.mark.parametrize("workload", ["storm", "thread_group_exit", "prefork_server"])
@pytest.mark.parametrize("cpus_per_actor", [1, 3, 8])
def test_every_packing_gives_the_digest_of_the_local_engine(
    make_request: Make, workload: str, cpus_per_actor: int
) -> None:
    local = run_local(make_request(workload, scheme="exact"))
    packed = run_turns(make_request(workload, scheme="exact", cpus_per_actor=cpus_per_actor))
    assert (packed.exit_kind, packed.message) == (engine_api.DONE, "")
    assert packed.outputs == local.outputs
    assert packed.digest == local.digest


def test_granularity_step_gives_the_digest_of_the_local_engine(make_request: Make) -> None:
    config = FOUR + "granularity: step\nsync: {tie_break: random}\n"
    local = run_local(make_request("thread_group_exit", scheme="exact", config=config))
    packed = run_turns(
        make_request("thread_group_exit", scheme="exact", config=config, cpus_per_actor=2)
    )
    assert (packed.exit_kind, packed.digest) == (engine_api.DONE, local.digest)


LONG = """
name: long
machine: {cpus: 2}
workloads:
  - program: prefork_server
    params: {workers: 4, requests: 200, compute: 5us}
"""


@pytest.mark.parametrize("held_bytes", [0, 4 << 20])
def test_files_are_those_of_the_local_engine_whenever_traces_are_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held_bytes: int
) -> None:
    monkeypatch.setattr("cluster.ray_engine._HELD_BYTES", held_bytes)
    for module in ("cluster.lps", "cluster.trace.store"):
        monkeypatch.setattr(f"{module}.CHUNK_RECORDS", 32)
    spec = resolve(parse_config("c.yaml", LONG, tmp_path))
    local, packed = (
        RunRequest(spec, scheme="exact", record_order=True, out_dir=tmp_path / name)
        for name in ("local", "packed")
    )
    for request in (local, packed):
        assert request.out_dir is not None
        request.out_dir.mkdir()
    assert run_local(local).digest == run_turns(packed).digest
    assert differences(tmp_path / "packed", tmp_path / "local") == []
    with TraceReader(tmp_path / "local" / TRACE) as trace:
        numbers = [lp for lp, _chunk in trace.chunks()]
    assert numbers != sorted(numbers)  # some were written in between


def test_chunks_wait_for_the_look_that_the_local_engine_takes() -> None:
    chunks = [(1, 2, b"a"), (2, 0, b"b"), (1, 1, b"c"), (2, 2, b"d")]
    assert in_file_order(chunks, 1023, final=False) == ([], sorted(chunks, key=lambda one: one[1]))
    now, later = in_file_order(chunks, 1024, final=False)
    assert now == [(1, b"c"), (2, b"a")]
    assert in_file_order(later, 2000, final=True) == ([(0, b"b"), (2, b"d")], [])
    assert [look_after(rounds) for rounds in (0, 1, 1024, 1025)] == [1, 1, 1, 2]


@pytest.mark.parametrize("granularity", ["syscall", "step"])
def test_what_is_recorded_replays_to_the_same_digest(
    make_request: Make, tmp_path: Path, granularity: str
) -> None:
    config = FOUR + f"granularity: {granularity}\n"
    request = make_request("storm", scheme="exact", config=config, cpus_per_actor=2)
    request.out_dir, request.record_order = tmp_path, True
    packed = run_turns(request)
    log = RecordedOrder(tmp_path / ORDER_LOG)
    assert (log.complete, log.scheme) == (True, "exact")
    assert run_local(request_of_log(log)).digest == packed.digest


def test_a_run_that_is_stopped_stands_between_two_rounds_and_replays_up_to_there(
    make_request: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(run: DirectTurns) -> None:
        for _ in range(301):
            run._turn()

    monkeypatch.setattr(DirectTurns, "round", stops)
    monkeypatch.setattr(
        "cluster.ray_engine.RayRun.stop",
        lambda run: (engine_api.INTERRUPTED, "so") if run.transport.turns else None,
    )
    request = make_request("storm", scheme="exact", config=FOUR, cpus_per_actor=2)
    request.out_dir, request.record_order = tmp_path, True
    packed = run_turns(request)
    log = RecordedOrder(tmp_path / ORDER_LOG)
    assert (packed.exit_kind, log.complete, log.stopped) == (engine_api.INTERRUPTED, True, True)
    again = run_local(request_of_log(log))
    assert (again.exit_kind, again.digest) == (engine_api.INTERRUPTED, packed.digest)


def test_a_deadlock_and_a_limit_end_it_as_on_the_local_engine(
    make_request: Make, tmp_path: Path
) -> None:
    program = tmp_path / "waits.py"
    program.write_text("import os\nr, w = os.pipe()\nos.read(r, 1)\n")
    request = RunRequest(guest_spec(program, [], cpus=3), scheme="exact", cpus_per_actor=1)
    local, packed = run_local(request), run_turns(request)
    assert (packed.exit_kind, packed.message) == (engine_api.DEADLOCK, local.message)
    assert packed.digest == local.digest
    request = make_request("storm", scheme="exact", max_virtual_ns=2_000_000, cpus_per_actor=3)
    local, packed = run_local(request), run_turns(request)
    assert (packed.exit_kind, packed.digest) == (engine_api.LIMIT, local.digest)


def test_a_cpu_that_fails_is_named(make_request: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, horizons: object, inboxes: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("cluster.lps.CpuGroup.step", fail)
    packed = run_turns(make_request("storm", scheme="exact", cpus_per_actor=4))
    assert packed.exit_kind == engine_api.BROKEN
    assert packed.message == "cpu actor 0-3 failed: RuntimeError: no"


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
@pytest.mark.parametrize(("link", "cpus_per_actor"), [("shm", 3), ("calls", 4), ("auto", 8)])
def test_a_run_on_ray_has_the_digest_of_the_local_engine_over_each_link(
    make_request: Make, link: str, cpus_per_actor: int
) -> None:
    local = run_local(make_request("storm", scheme="exact"))
    request = make_request("storm", scheme="exact", cpus_per_actor=cpus_per_actor, link=link)
    result = run_ray(request)
    assert (result.exit_kind, result.message) == (engine_api.DONE, "")
    assert result.digest == local.digest


def test_a_graph_is_refused(make_request: Make) -> None:
    with pytest.raises(ValueError, match="one goes under exact"):
        run_ray(make_request("storm", engine="ray", scheme="exact", link="graph"))
