"""The actors' classes, the codec and the engine's loop in one process, without Ray.

Every run is compared with the local engine: same digest and, where there is a run directory, the
same bytes in the trace file.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster import engine_api
from cluster.cli.common import outcome
from cluster.codec import head_of
from cluster.engine_api import RunRequest
from cluster.exit_codes import BROKEN, MUTATION, MUTATION_KIND
from cluster.local_engine import run_local
from cluster.pieces import is_whole
from cluster.ray_actors import CpuActor, KernelActor
from cluster.ray_engine import RayRun, groups_of, host_cores, run_ray
from cluster.ray_watch import Actors
from cluster.request import request_of_log
from cluster.sync import ORDER_LOG
from cluster.sync.order_log import RecordedOrder
from cluster.transport.sockets import NoLine
from kernel.cpu.cpu import Cpu
from kernel.cpu.task import CpuTask
from tests.cluster.direct_run import DirectLink, DirectRun, run_direct

Make = Callable[..., RunRequest]


@pytest.mark.parametrize(
    "cpus_per_actor", [3, *(pytest.param(some, marks=pytest.mark.slow) for some in (1, 2, 4, 8))]
)
@pytest.mark.parametrize(
    "workload",
    [
        "storm",
        "vfork_storm",
        "spawn_storm",
        "thread_group_exit",
        "prefork_server",
        "cow_touch",
        "unequal_work",
    ],
)
def test_every_packing_gives_the_bytes_of_the_local_engine(
    make_request: Make, workload: str, cpus_per_actor: int
) -> None:
    local = run_local(make_request(workload))
    packed = run_direct(make_request(workload, cpus_per_actor=cpus_per_actor))
    assert (local.exit_kind, local.message) == (engine_api.DONE, "")
    assert (packed.exit_kind, packed.message) == (engine_api.DONE, "")
    assert packed.statuses == local.statuses
    assert packed.outputs == local.outputs
    assert packed.digest == local.digest


def test_a_question_that_is_asked_again_is_answered_again_and_not_carried_out_twice(
    make_request: Make,
) -> None:
    run = DirectRun(make_request("storm", cpus_per_actor=8))
    run._start()
    assert run.actors is not None
    cpus: CpuActor = run.actors.cpus[0]
    frame = run._begin()
    first = cpus.once(1, "step", frame)
    assert cpus.once(1, "step", frame) is first
    assert cpus.standing() == (1, False)
    with pytest.raises(ValueError, match="was asked 0 after 1"):
        cpus.once(0, "step", frame)


def test_an_actor_without_memory_is_named(
    make_request: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(*arguments: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr("cluster.lps.CpuGroup.step", step)
    result = run_direct(make_request("storm", cpus_per_actor=4))
    assert (result.exit_kind, result.message) == (
        engine_api.BROKEN,
        "cpu actor 0-3 failed: MemoryError: its host gives it no more memory",
    )


class LossyLink(DirectLink):
    """Loses a message in every turn, another one each time, and goes on from where all stand."""

    def round(self, frame: bytes) -> bytes:
        kernel, cpus = self.actors.kernel, self.actors.cpus
        for _ in range(self.layers):
            self.frames += 1
            heard = self.frames % (len(cpus) + 2)
            wires = [cpu.step(frame) for cpu in cpus[:heard]]  # the others get nothing
            if heard > len(cpus):
                kernel.superstep(*wires)  # what it says is lost
            turns, wire = kernel.last()
            frame = kernel.superstep(*[cpu.again(turns, wire) for cpu in cpus])
        return frame


@pytest.mark.parametrize("piece", [64, 240 << 10])
def test_a_turn_that_is_asked_for_again_is_not_made_twice(
    make_request: Make, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr("cluster.ray_actors.PIECE_BYTES", piece)
    monkeypatch.setattr("tests.cluster.direct_run.DirectLink", LossyLink)
    local = run_local(make_request("storm"))
    packed = run_direct(make_request("storm", cpus_per_actor=3))
    assert (packed.exit_kind, packed.message) == (engine_api.DONE, "")
    assert packed.digest == local.digest


@pytest.mark.parametrize("piece", [64, 1000])
@pytest.mark.parametrize("workload", ["storm", "thread_group_exit"])
def test_frames_in_pieces_give_the_bytes_of_the_local_engine(
    make_request: Make,
    workload: str,
    piece: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cluster.ray_actors.PIECE_BYTES", piece)
    monkeypatch.setattr("cluster.ray_engine._HELD_BYTES", 0)
    folders = [tmp_path / "local", tmp_path / "packed"]
    for folder in folders:
        folder.mkdir()
    local = run_local(make_request(workload, out_dir=folders[0]))
    packed = run_direct(make_request(workload, out_dir=folders[1], cpus_per_actor=3))
    assert (packed.exit_kind, packed.message) == (engine_api.DONE, "")
    assert packed.digest == local.digest
    files = [(folder / "trace.smpt").read_bytes() for folder in folders]
    assert files[0] == files[1]


def test_traces_fetched_in_between_make_the_same_file(
    make_request: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.ray_engine._HELD_BYTES", 0)
    small = "machine: {cpus: 8}\nsync: {quantum: 20us}\n"
    folders = [tmp_path / "local", tmp_path / "packed"]
    for folder in folders:
        folder.mkdir()
    local = run_local(make_request("prefork_server", config=small, out_dir=folders[0]))
    packed = run_direct(
        make_request("prefork_server", config=small, out_dir=folders[1], cpus_per_actor=3)
    )
    assert packed.digest == local.digest
    files = [(folder / "trace.smpt").read_bytes() for folder in folders]
    assert files[0] == files[1]


def test_granularity_step_gives_the_bytes_of_the_local_engine(make_request: Make) -> None:
    config = "machine: {cpus: 4}\ngranularity: step\n"
    local = run_local(make_request("thread_group_exit", config=config))
    packed = run_direct(make_request("thread_group_exit", config=config, cpus_per_actor=2))
    assert (local.exit_kind, packed.exit_kind) == (engine_api.DONE, engine_api.DONE)
    assert packed.digest == local.digest


@pytest.mark.parametrize("granularity", ["syscall", "step"])
def test_what_actors_record_replays_to_the_same_digest(
    make_request: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, granularity: str
) -> None:
    monkeypatch.setattr("cluster.ray_engine._HELD_BYTES", 0)  # fetched in between, too
    config = f"machine: {{cpus: 4}}\ngranularity: {granularity}\n"
    options = {"cpus_per_actor": 2, "out_dir": tmp_path, "record_order": True}
    packed = run_direct(make_request("thread_group_exit", config=config, **options))
    log = RecordedOrder(tmp_path / ORDER_LOG)
    assert (packed.exit_kind, log.complete, log.stopped) == (engine_api.DONE, True, False)
    assert bool(log.answers) == (granularity == "step")
    assert run_local(request_of_log(log)).digest == packed.digest


def test_an_actor_that_is_to_halt_makes_no_further_step(make_request: Make) -> None:
    run = DirectRun(make_request("storm", cpus_per_actor=4))
    run._start()
    assert run.actors is not None and run.transport is not None
    link = run.transport.link
    frame = link.round(run._begin())
    for actor in run.actors.all():
        actor.halt()
    halted = link.round(frame)
    again = link.round(halted)
    assert (is_whole(frame), is_whole(halted), is_whole(again)) == (True, False, False)
    assert head_of(frame) == head_of(halted) == head_of(again)


def test_a_limit_of_virtual_time_ends_both_engines_at_the_same_superstep(
    make_request: Make,
) -> None:
    limit = {"max_virtual_ns": 5_000_000, "quantum_ns": 50_000}
    local = run_local(make_request("storm", **limit))
    packed = run_direct(make_request("storm", cpus_per_actor=4, **limit))
    assert local.exit_kind == packed.exit_kind == engine_api.LIMIT
    assert packed.message == local.message
    assert packed.digest == local.digest


def test_ctrl_c_leaves_a_valid_partial_result(make_request: Make) -> None:
    seen = []

    def stop(virtual_ns: int, counters: dict[str, int]) -> None:
        seen.append(virtual_ns)
        raise KeyboardInterrupt

    result = run_direct(make_request("storm", quantum_ns=20_000, on_progress=stop))
    assert (result.exit_kind, result.message) == (engine_api.INTERRUPTED, "stopped by Ctrl-C")
    assert len(seen) == 1
    assert result.summary["run"]["virtual_ns"] >= seen[0]
    assert result.digest.startswith("sha256:")


def test_a_failure_in_a_group_ends_the_run_with_the_name_of_its_actor(
    make_request: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Cpu.step

    def fail(cpu: Cpu, horizon_ns: int, effects: Any) -> int:
        if cpu.id == 5 and cpu.now_ns > 1_000_000:
            raise RuntimeError("the sixth CPU is out of order\nand more")
        return step(cpu, horizon_ns, effects)

    monkeypatch.setattr(Cpu, "step", fail)
    result = run_direct(make_request("storm", cpus_per_actor=4))
    assert result.exit_kind == engine_api.BROKEN
    assert result.message == ("cpu actor 4-7 failed: RuntimeError: the sixth CPU is out of order")


@pytest.mark.parametrize("place", ["cluster.lps.KernelHost.superstep", "cluster.lps.CpuGroup.step"])
def test_what_a_kernel_with_mutations_raises_in_an_actor_is_what_the_mutation_shows(
    make_request: Make, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def fail(*arguments: Any) -> Any:
        raise KeyError("lost")

    monkeypatch.setattr(place, fail)
    request = make_request("storm", cpus_per_actor=3)
    assert outcome(run_direct(request), 0)[:2] == (BROKEN, "run broke")
    request.spec.mutations = ("do_wait.tasklist_lock",)
    result = run_direct(request)
    assert outcome(result, 0, mutated=True) == (
        MUTATION,
        MUTATION_KIND,
        "the kernel fails: KeyError: 'lost'",
    )


def test_an_assertion_of_the_kernel_in_an_actor_is_a_broken_invariant(
    make_request: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> Any:
        raise AssertionError("told")

    monkeypatch.setattr("cluster.lps.KernelHost.superstep", fail)
    result = run_direct(make_request("storm", cpus_per_actor=3))
    assert (result.exit_kind, result.message) == (engine_api.INVARIANT, "told")


def test_a_broken_invariant_in_the_kernel_is_reported_with_its_story(
    make_request: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.check.invariants.check_kernel", lambda kernel: ["a lost task"])
    result = run_direct(make_request("storm", config="check: true\n"))
    assert result.exit_kind == engine_api.INVARIANT
    assert "a lost task" in result.message


def test_programs_out_of_fuel_end_the_run_as_the_guests_fault(
    make_request: Make, tmp_path: Path
) -> None:
    request = make_request("storm", config="limits: {block_budget: 1000}\n", cpus_per_actor=2)
    request.spec.sources = {
        name: "x = 'a' * 10_000\n" if "storm" in name else text
        for name, text in request.spec.sources.items()
    }
    result = run_direct(request)
    local = run_local(request)
    assert result.exit_kind == local.exit_kind == engine_api.GUEST
    assert result.message == local.message


def test_groups_are_neighbours_and_the_last_takes_the_rest() -> None:
    assert groups_of(7, 3) == [[0, 1, 2], [3, 4, 5], [6]]
    assert groups_of(2, 8) == [[0, 1]]


@pytest.mark.parametrize(("cores", "actors"), [(1, 1), (2, 2), (3, 3), (5, 4), (64, 8)])
def test_auto_makes_no_more_actors_than_there_are_cores(
    make_request: Make, monkeypatch: pytest.MonkeyPatch, cores: int, actors: int
) -> None:
    monkeypatch.setattr("cluster.ray_engine.host_cores", lambda: cores)
    groups = RayRun(make_request("storm", cpus_per_actor=None)).groups
    assert len(groups) == actors
    assert [cpu for group in groups for cpu in group] == list(range(8))


def test_a_quota_of_the_control_group_counts_as_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(6)))
    monkeypatch.setattr("cluster.ray_engine._CPU_MAX", tmp_path / "cpu.max")
    counts = [host_cores()]
    for text in ("max 100000", "250000 100000", "10000 100000"):
        (tmp_path / "cpu.max").write_text(text)
        counts.append(host_cores())
    assert counts == [6, 6, 2, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scheme": "free"}, "no scheme 'free'"),
        ({"cpus_per_actor": 0}, "cpus_per_actor"),
        ({"link": "maybe"}, "link must be one of auto, shm, graph, calls"),
    ],
)
def test_what_ray_cannot_do_is_refused_before_it_starts(
    make_request: Make, change: dict[str, Any], message: str
) -> None:
    request = make_request("storm")
    for name, value in change.items():
        setattr(request, name, value)
    with pytest.raises(ValueError, match=message):
        run_ray(request)


@pytest.mark.parametrize(
    ("wanted", "works", "found"),
    [
        ("auto", {"shm", "graph"}, "shm"),
        ("auto", {"graph"}, "graph"),
        ("auto", set(), "calls"),
        ("graph", {"shm", "graph"}, "graph"),
        ("calls", {"shm", "graph"}, "calls"),
        ("shm", {"graph"}, "link shm cannot be used here: an actor is elsewhere"),
        ("graph", {"shm"}, "link graph cannot be used here: OSError: no memory"),
    ],
)
def test_auto_takes_the_first_link_that_works_and_another_is_not_replaced(
    make_request: Make,
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    works: set[str],
    found: str,
) -> None:
    def link(name: str, error: Exception) -> Callable[..., str]:
        def make(*arguments: Any) -> str:
            if name not in works:
                raise error
            return name

        return make

    monkeypatch.setattr("cluster.ray_engine.ShmLink", link("shm", NoLine("an actor is elsewhere")))
    monkeypatch.setattr("cluster.ray_engine.GraphLink", link("graph", OSError("no memory")))
    monkeypatch.setattr("cluster.ray_engine.CallsLink", lambda *arguments: "calls")
    run = RayRun(make_request("storm", link=wanted))
    try:
        made: object = run._make_link(Actors(None, [], []))
    except Exception as error:
        made = str(error)
    assert made == found


def test_what_is_left_over_at_the_end_is_reported(
    make_request: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    init = KernelActor.__init__

    def leak(self: KernelActor, *arguments: Any) -> None:
        init(self, *arguments)
        self._host.boot_counts = {**self._host.boot_counts, "tasks kept": 3}

    monkeypatch.setattr(KernelActor, "__init__", leak)
    result = run_direct(make_request("cow_touch", cpus_per_actor=4))
    assert result.exit_kind == engine_api.INVARIANT
    assert "leak: tasks kept: 3 at boot, 0 at the end" in result.message


def test_a_cpu_that_holds_a_task_nobody_knows_is_reported_across_processes(
    make_request: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = CpuActor.finish

    def plant(self: CpuActor, frame: bytes | None) -> dict[str, Any]:
        for cpu in self._group.cpus.values():
            cpu.tasks[4000 + cpu.id] = CpuTask(4000 + cpu.id, 4000, "ghost")
        return finish(self, frame)

    monkeypatch.setattr(CpuActor, "finish", plant)
    result = run_direct(make_request("cow_touch", cpus_per_actor=4))
    assert result.exit_kind == engine_api.INVARIANT
    assert "cpu 6: <cputask 4006/4000 ghost> is a task the kernel does not know" in result.message
