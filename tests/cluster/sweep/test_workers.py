"""Who runs the points: a worker that dies takes one point with it, and progress tells how far."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from cluster.progress import SweepProgress


def test_a_worker_that_dies_twice_takes_one_point_with_it_and_the_others_are_kept(sweep, newest):
    example = Path(__file__).resolve().parents[3] / "configs" / "schedulers" / "lottery.py"
    kill = (
        "import multiprocessing, os, signal\n"
        "if multiprocessing.parent_process() is not None:\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    doc, _, rest = example.read_text("utf-8").partition("\nfrom ")
    Path("killer.py").write_text(f"{doc}\n{kill}from {rest}", "utf-8")
    Path("small.yaml").write_text(
        "base: base.yaml\n"
        "axes: {sched.fair: {good: eevdf, bad: './killer.py:Lottery', other: cfs}}\n"
        "measure: [said.done]\n",
        "utf-8",
    )
    found = sweep("--jobs", "2", code=1)
    how = "its process was killed by SIGKILL"
    assert f"smplab: sweep: point 1: {how}; it is run again" in found.err.splitlines()
    assert found.out.splitlines() == [
        *("sched.fair  said.done", "good                6", "bad                 -"),
        *("other               6", f"failed: bad: {how}, 2 times"),
    ]
    assert json.loads((newest() / "sweep.json").read_text())["failed"] == 1


@pytest.mark.slow
def test_a_ctrl_c_ends_the_worker_processes(sweep, monkeypatch):
    import multiprocessing

    from cluster.sweep.directory import SweepDir

    def cut(self, result):
        raise KeyboardInterrupt

    monkeypatch.setattr(SweepDir, "set_down", cut)
    before = set(multiprocessing.active_children())
    sweep("--jobs", "2", code=130)
    assert set(multiprocessing.active_children()) <= before


def test_progress_tells_how_many_points_are_done_and_how_long_the_others_take():
    now = [0.0]
    stream = io.StringIO()
    progress = SweepProgress(200, 50, console=Console(file=stream), clock=lambda: now[0])
    with progress:
        for second in range(1, 31):
            now[0] = float(second)
            progress(second == 3)
        progress.tell("a line")
    assert stream.getvalue().splitlines() == [
        "5 s: 55 of 200 points (27 %), 1 failed, about 2 min left",
        "10 s: 60 of 200 points (30 %), 1 failed, about 2 min left",
        "15 s: 65 of 200 points (32 %), 1 failed, about 2 min left",
        "20 s: 70 of 200 points (35 %), 1 failed, about 2 min left",
        "25 s: 75 of 200 points (37 %), 1 failed, about 2 min left",
        "30 s: 80 of 200 points (40 %), 1 failed, about 2 min left",
        "a line",
    ]


def test_a_ray_that_cannot_be_had_ends_a_sweep_that_can_be_gone_on_with(sweep, newest, monkeypatch):
    from cluster.ray_session import RayUnreachable

    def refuse(address, actors):
        raise RayUnreachable(f"Ray cannot be reached at {address}")

    monkeypatch.setattr("cluster.sweep.ray_workers.RaySession", refuse)
    options = ("--table", "csv", "--engine", "ray", "--address", "host:1")
    assert sweep(*options, code=3).err.splitlines() == [
        "smplab: sweep: joins Ray at host:1",
        f"smplab: workers lost: Ray cannot be reached at host:1; --resume {newest()} goes on",
    ]
    sweep("--table", "csv", "--resume", "latest")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--engine", "cluster"], "--engine: must be local or ray (got 'cluster')"),
        (["--address", "host:1"], "--address is for --engine ray"),
        (["--table", "xlsx"], "--table: must be parquet or csv (got 'xlsx')"),
        (["--resume", "x", "--out", "y"], "--out: a sweep that is gone on with has its directory"),
    ],
)
def test_options_that_mean_nothing_are_refused(sweep, options, why):
    assert sweep(*options, code=2).err == f"smplab: usage: {why}\n"
