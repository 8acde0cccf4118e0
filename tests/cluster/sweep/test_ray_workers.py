"""A sweep whose points are tasks of Ray: the same table, and the same way of failing."""

from pathlib import Path

import pytest

from cluster.config.experiment import read_experiment
from cluster.sweep.drive import run_points
from cluster.sweep.measure import task_of
from cluster.sweep.ray_workers import OnRay
from cluster.sweep.workers import WorkersLost

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def test_ray_gives_the_same_table_as_processes_of_this_host(sweep, newest, local_ray):
    sweep("--table", "csv")
    alone = (newest() / "results.csv").read_bytes()
    sweep("--table", "csv", "--engine", "ray", "--jobs", "3")
    assert (newest() / "results.csv").read_bytes() == alone


def test_a_task_needs_no_file_of_the_drivers_host(folder, local_ray):
    experiment = read_experiment(Path("small.yaml"))
    expected = run_points(experiment, 1)
    tasks = [task_of(experiment, point) for point in experiment.points]
    for name in ("work.py", "base.yaml", "small.yaml"):
        Path(name).unlink()
    results = list(OnRay("local", None, lambda _: None).results(tasks))
    assert sorted(results, key=lambda result: result["index"]) == expected


def test_a_host_of_another_smplab_is_refused(folder, local_ray, monkeypatch):
    monkeypatch.setattr("cluster.sweep.ray_workers.code_digest", lambda: "another")
    experiment = read_experiment(Path("small.yaml"))
    tasks = (task_of(experiment, point) for point in experiment.points)
    with pytest.raises(WorkersLost, match="has another smplab than this one"):
        list(OnRay("local", 1, lambda _: None).results(tasks))
