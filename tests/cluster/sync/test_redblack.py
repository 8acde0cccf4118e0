"""``redblack``: two halves of the machine in turn, the same bytes however phases overlap."""

from pathlib import Path

import pytest

from cluster import lps
from cluster.build import resolve
from cluster.config import parse_config
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import LocalRun, run_local
from cluster.request import request_of, request_of_log
from cluster.sync import ORDER_LOG
from cluster.sync.order_log import RecordedOrder
from cluster.sync.redblack import RedBlack
from cluster.sync.scheme import Settings
from kernel.messages import NEVER
from kernel.rounds.group import Horizons, Inboxes
from kernel.rounds.view import Pending, View

STORM = "{program: fork_exec_storm, params: {parents: 6, children: 8}}"
PROGRAMS = (
    STORM,
    "{program: thread_group_exit, params: {groups: 4, threads: 5}}",
    "{program: prefork_server, params: {workers: 6, requests: 40}}",
)


def request_for(
    workload: str = STORM, *, cpus: int = 5, sync: str = "scheme: redblack, quantum: 50us"
) -> RunRequest:
    text = (
        f"name: halves\nmachine: {{cpus: {cpus}}}\nsync: {{{sync}}}\nworkloads:\n  - {workload}\n"
    )
    loaded = parse_config("halves.yaml", text, Path())
    return request_of(loaded, resolve(loaded))


@pytest.mark.parametrize("cpus", [1, 2, 7])
@pytest.mark.parametrize("workload", PROGRAMS)
def test_programs_end_as_they_do_under_exact(workload: str, cpus: int) -> None:
    halves = run_local(request_for(workload, cpus=cpus))
    exact = run_local(request_for(workload, cpus=cpus, sync="scheme: exact"))
    assert (halves.exit_kind, halves.message) == (DONE, "")
    assert halves.statuses == exact.statuses
    assert halves.summary["lifecycles"] == exact.summary["lifecycles"]


def test_a_run_is_the_same_again_and_is_not_barriers() -> None:
    first, again = run_local(request_for()), run_local(request_for())
    assert first.digest == again.digest
    assert first.digest != run_local(request_for(sync="scheme: barrier, quantum: 50us")).digest


class _Noted(lps.CpuGroup):
    """A group that tells which CPUs each of its steps was for."""

    def step(self, horizons: Horizons, inboxes: Inboxes) -> list[lps.CpuReport]:
        reports = super().step(horizons, inboxes)
        self.seen.append(({report[0] & 1 for report in reports}, {cpu & 1 for cpu in inboxes}))
        return reports


def test_steps_are_for_one_half_in_turn_and_so_are_their_messages() -> None:
    run = LocalRun(request_for(cpus=6))
    run.group.__class__ = _Noted
    run.group.seen = []  # type: ignore[attr-defined]
    run.run()
    *steps, _last, _after = run.group.seen  # type: ignore[attr-defined]
    for number, (stepped, told) in enumerate(steps):
        assert stepped <= {number & 1}
        assert told <= {number & 1}
    assert {0} in [stepped for stepped, _ in steps]
    assert {1} in [stepped for stepped, _ in steps]


class _Apart:
    """A group of all CPUs that is several groups, each of which sees its own messages only."""

    def __init__(self, run: LocalRun, packs: int) -> None:
        spec = run.request.spec
        self.cpus = run.group.cpus
        numbers = list(self.cpus)
        self.parts = [
            lps.CpuGroup(spec, numbers[pack::packs], lps.loader_of(spec)) for pack in range(packs)
        ]
        self.cpus = {cpu: lp for part in self.parts for cpu, lp in part.cpus.items()}
        for part in self.parts:
            part.halve()

    def _split(self, method: str, horizons: Horizons, inboxes: Inboxes) -> list[lps.CpuReport]:
        reports = []
        for part in self.parts:
            mine = {cpu: inbox for cpu, inbox in inboxes.items() if cpu in part.cpus}
            reports += getattr(part, method)(horizons, mine)
        return sorted(reports, key=lambda report: report[0])

    def step(self, horizons: Horizons, inboxes: Inboxes) -> list[lps.CpuReport]:
        return self._split("step", horizons, inboxes)

    def last_step(self, horizons: Horizons, inboxes: Inboxes) -> list[lps.CpuReport]:
        return self._split("last_step", horizons, inboxes)

    def stats(self) -> list[tuple[int, dict[str, object]]]:
        return sorted(row for part in self.parts for row in part.stats())

    def drain_trace(self, *, final: bool = False) -> list[lps.Chunk]:
        chunks = [chunk for part in self.parts for chunk in part.drain_trace(final=final)]
        return sorted(chunks, key=lambda chunk: chunk[0])

    def wall(self) -> dict[str, int]:
        return self.parts[0].wall()


@pytest.mark.parametrize("packs", [2, 3])
def test_packing_changes_no_byte(packs: int) -> None:
    whole = run_local(request_for(cpus=6))
    run = LocalRun(request_for(cpus=6))
    run.group = run.transport._group = _Apart(run, packs)  # type: ignore[assignment]
    assert run.run().digest == whole.digest


def test_a_recorded_run_replays_to_the_same_digest(tmp_path: Path) -> None:
    request = request_for()
    request.out_dir = tmp_path
    request.record_order = True
    result = run_local(request)
    log = RecordedOrder(tmp_path / ORDER_LOG)
    assert log.halves
    assert run_local(request_of_log(log)).digest == result.digest


class _View:
    """A view in which what comes next is given."""

    def __init__(self, times: list[int]) -> None:
        self.times = times
        self.due_ns = NEVER

    def advance(self) -> int:
        return self.times.pop(0)


def test_the_kernel_serves_up_to_the_horizon_of_the_superstep_before_the_last() -> None:
    scheme = RedBlack(Settings(2, 10, 1))
    view, pending = _View([0, 3, 20, 15]), Pending()
    limits, horizons = [], []
    for _ in range(4):
        limits.append(scheme.limit(view))  # type: ignore[arg-type]
        assert scheme.ready(pending, view) == []  # type: ignore[arg-type]
        assert scheme.limit(view) == -1  # type: ignore[arg-type]
        horizons.append(scheme.horizons(view))  # type: ignore[arg-type]
    assert horizons == [10, 13, 30, 30]  # never back
    assert limits == [0, 0, 10, 13]


def test_what_is_under_way_to_a_cpu_keeps_virtual_time_back() -> None:
    run = LocalRun(request_for())
    view: View = run.host.view
    before = view.advance()
    view.under_way_ns = before - 1 if before < NEVER else 7
    assert view.advance() == view.under_way_ns
