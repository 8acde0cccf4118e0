"""CPUs in the kernel actor's process: the same bytes, on whatever the others are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.codec import WireError, pack
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import run_local
from cluster.lps import loader_of
from cluster.ray_actors import KERNEL_NAME, CpuActor, lp_name
from cluster.ray_beside import Here, KernelBesideActor
from cluster.ray_engine import RayRun, kernel_options, run_ray
from cluster.ray_watch import Actors
from cluster.transport import ray_shm
from cluster.transport.frames import FrameTransport
from tests.cluster.direct_run import DirectRun
from tests.cluster.struck import KERNEL, Blow, Struck, differences, request_on_ray

Make = Callable[..., RunRequest]
WORKLOADS = ["storm", "vfork_storm", "thread_group_exit", "prefork_server", "cow_touch"]


class SliceLink:
    """Slices of turns as the kernel actor makes them, with all groups in this process."""

    layers = 1

    def __init__(self, actors: Actors, turns: int) -> None:
        self._kernel = actors.kernel
        apart = [Here(actor.step) for actor in actors.cpus if actor is not actors.kernel.pack]
        self._groups: list[Any] = [*actors.kernel.near, *apart]
        self._turns = turns

    def round(self, _frame: bytes) -> bytes:
        told = ray_shm._slice(self._kernel, self._groups, self._turns)
        assert told[:1] == ray_shm._FRAME
        return told[1:]

    def close(self) -> bool:
        return True


class BesideRun(DirectRun):
    """The Ray engine's run, without Ray, with some of the CPUs beside the kernel."""

    turns = 7

    def _start(self) -> None:
        request = self.request
        plain = pack(request.spec.to_plain())
        kernel = KernelBesideActor(plain, self.groups, *kernel_options(request, self.record), None)
        apart = [
            CpuActor(plain, number, group, None, self.halves)
            for number, group in enumerate(self.groups)
            if number
        ]
        names = [*(lp_name(group) for group in self.groups), KERNEL_NAME]
        self.actors = Actors(kernel, [kernel.pack, *apart], names)
        self.transport = FrameTransport(SliceLink(self.actors, self.turns), self._begin)


@pytest.mark.parametrize("scheme", ["barrier", "redblack"])
@pytest.mark.parametrize("beside, cpus_per_actor", [(2, 6), (3, 2)])
@pytest.mark.parametrize("workload", WORKLOADS)
def test_cpus_beside_the_kernel_give_the_bytes_of_the_local_engine(
    make_request: Make, workload: str, beside: int, cpus_per_actor: int, scheme: str
) -> None:
    local = run_local(make_request(workload, scheme=scheme))
    run = BesideRun(
        make_request(workload, scheme=scheme, beside=beside, cpus_per_actor=cpus_per_actor)
    )
    packed = run.run()
    assert (packed.exit_kind, packed.message) == (DONE, "")
    assert run.groups[0] == list(range(beside))
    assert packed.statuses == local.statuses
    assert packed.outputs == local.outputs
    assert packed.digest == local.digest


def test_the_cpus_that_are_not_beside_are_packed_for_the_cores_that_are_left(
    make_request: Make,
) -> None:
    run = RayRun(make_request("storm", beside=3, cpus_per_actor=None))
    run.recorder.abandon()
    assert run._groups(2) == [[0, 1, 2], [3, 4, 5, 6, 7]]
    assert run._groups(4) == [[0, 1, 2], [3, 4], [5, 6], [7]]
    assert run._groups(1) == [[0, 1, 2], [3, 4, 5, 6, 7]]


def test_a_report_without_reports_is_refused_where_nothing_is_beside(make_request: Make) -> None:
    from cluster.codec import KernelCodec, report_frame

    spec = make_request("storm").spec
    codec = KernelCodec([range(8)], loader_of(spec))
    with pytest.raises(WireError, match="without reports"):
        codec.decode_report(report_frame(1, 0, None))


@pytest.mark.parametrize(
    "changes, why",
    [
        ({"beside": 8}, "below the number of CPUs"),
        ({"beside": -1}, "below the number of CPUs"),
        ({"beside": 2, "link": "calls"}, "link shm"),
        ({"beside": 2, "scheme": "lax"}, "under lax"),
    ],
)
def test_what_cannot_be_beside_the_kernel_is_refused(
    make_request: Make, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        run_ray(make_request("storm", **changes))


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
@pytest.mark.parametrize("scheme", ["barrier", "redblack"])
def test_on_ray_the_files_are_those_of_the_local_engine(
    make_request: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setattr("cluster.ray_engine._HELD_BYTES", 0)
    folders = [tmp_path / "local", tmp_path / "ray"]
    for folder in folders:
        folder.mkdir()
    options = {"scheme": scheme, "quantum_ns": 20_000}
    local = run_local(make_request("storm", out_dir=folders[0], **options))
    on_ray = run_ray(
        make_request("storm", out_dir=folders[1], beside=3, cpus_per_actor=3, **options)
    )
    assert (on_ray.exit_kind, on_ray.message) == (DONE, "")
    assert on_ray.digest == local.digest
    for name in ("trace.smpt", "outputs.smpo"):
        assert (folders[1] / name).read_bytes() == (folders[0] / name).read_bytes()


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
@pytest.mark.parametrize("scheme", ["barrier", "redblack"])
def test_a_run_whose_kernel_dies_with_the_cpus_beside_it_is_recovered(
    tmp_path: Path, scheme: str
) -> None:
    plain = request_on_ray(tmp_path / "local", engine="local", scheme=scheme, checkpoint=None)
    local = run_local(plain)
    request = request_on_ray(tmp_path / "run", "shm", scheme=scheme, beside=2)
    run = Struck(request, [Blow("round", 40, [KERNEL]), Blow("idle", 80, [1])])
    result = run.run()
    assert (result.exit_kind, result.message) == (DONE, "")
    assert run.recoveries == len(run.struck) == 2
    assert result.digest == local.digest
    assert differences(tmp_path / "run", tmp_path / "local") == []
