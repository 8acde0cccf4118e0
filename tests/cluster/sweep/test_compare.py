"""``smplab compare``: what is a sample, which differences are told, and what is refused."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from cluster.cli.main import run_command
from cluster.sweep.differences import compare, read_samples
from cluster.sweep.intervals import NONE, PAIRED, WELCH

TEXT = """name: small
base: base.yaml
axes:
  sched.fair: [eevdf, cfs]
  machine.cpus: 1..2
seeds: 1..2
measure: [virtual, said.done, late_max]
"""


@pytest.fixture
def swept(sweep, newest):
    """Return ``swept(text)``: the directory of its sweep, in which some numbers are made up."""

    def make(text=TEXT):
        Path("small.yaml").write_text(text, "utf-8")
        sweep("--table", "csv")
        path = newest()
        for index, labels in enumerate(json.loads((path / "sweep.json").read_text())["labels"]):
            point = path / "points" / f"{index:05d}.json"
            data = json.loads(point.read_text())
            slow = 100 if "cfs" in labels else 0
            data["measures"]["virtual"] = 1000 * data["seed"] + slow + (index == 0)
            point.write_text(json.dumps(data))
        return path

    return make


@pytest.fixture
def told(folder, capsys):
    """Return ``told(*words, code=0)``: what the command printed."""

    def run(*words, code=0):
        capsys.readouterr()
        assert run_command(["compare", *map(str, words)]) == code
        return capsys.readouterr()

    return run


def test_the_values_of_an_axis_are_compared_at_every_point_of_the_others(swept, told):
    rows = json.loads(told(swept(), "--by", "sched.fair", "--json").out)["rows"]
    virtual = [row for row in rows if row["measure"] == "virtual"]
    assert [row["axes"] for row in virtual] == [{"machine.cpus": "1"}, {"machine.cpus": "2"}]
    assert [(row["b"], row["test"], row["runs_a"]) for row in virtual] == [
        ("sched.fair=cfs", PAIRED, 2)
    ] * 2
    assert [row["difference"] for row in virtual] == [99.5, 100]
    assert (virtual[1]["low"], virtual[1]["high"]) == (100, 100)
    assert not [row for row in rows if row["measure"] == "late_max"]  # nothing was late


def test_points_of_a_sweep_are_named_by_their_axes(swept, told):
    path = swept()
    found = told(f"{path}:sched.fair=eevdf,machine.cpus=2", f"{path}:sched.fair=cfs,machine.cpus=2")
    lines = found.out.splitlines()
    assert lines[0] == f"A: {path}:sched.fair=eevdf,machine.cpus=2"
    assert lines[3].split() == [
        *("virtual", "1.500", "us", "1.600", "us", "100", "ns", "+6.67"),
        *("100", "ns", "to", "100", "ns", "*", "2", "paired"),
    ]
    assert lines[4].split()[:5] == ["said.done", "6", "6", "0", "+0.00"]


def test_sweeps_with_other_seeds_are_independent_samples(swept, told):
    one, two = swept(), swept(TEXT.replace("seeds: 1..2", "seeds: 2..4"))
    rows = json.loads(told(one, two, "--json", "--measure", "virtual").out)["rows"]
    assert len(rows) == 4
    assert {(row["test"], row["runs_a"], row["runs_b"]) for row in rows} == {(WELCH, 2, 3)}


def test_points_that_one_side_has_not_or_that_failed_are_noted(swept, told):
    one, two = swept(), swept(TEXT.replace("1..2\nseeds", "2..3\nseeds"))
    for seed in (0, 1):
        (one / "points" / f"0000{2 + seed}.json").unlink()
    found = json.loads(told(one, two, "--json").out)
    assert [
        tuple(row["axes"].values()) for row in found["rows"] if row["measure"] == "virtual"
    ] == [("cfs", "2")]
    assert found["notes"] == [
        f"5 points are in one of {one} and {two} only",
        f"{one}: 2 points have no result",
    ]


RUN = """engine: local
machine: {cpus: 1}
workloads: [{program: ./work.py}]
trace: {enabled: false}
"""


def run(config, *options):
    Path("c.yaml").write_text(config, "utf-8")
    known = set(Path("runs").iterdir()) if Path("runs").exists() else set()
    assert run_command(["run", "c.yaml", "-q", *options]) == 0
    return next(path for path in Path("runs").iterdir() if path not in known)


def test_runs_that_differ_in_the_seed_alone_are_one_sample(folder, told):
    runs = [
        run(RUN, "--set", f"seed={seed}", "--set", f"machine.cpus={cpus}")
        for cpus in (1, 2)
        for seed in (1, 2)
    ]
    found = compare(read_samples(list(map(str, runs)), None, ()), ())
    assert [len(sample.cells[()]) for sample in found.samples] == [2, 2]
    assert {row.difference.test for row in found.rows} == {PAIRED}
    told(*runs[:2], code=2)
    out = told(runs[0], runs[2], "--measure", "summary.lifecycles.forks, virtual").out
    assert [line.split()[0] for line in out.splitlines()[3:5]] == [
        "summary.lifecycles.forks",
        "virtual",
    ]
    assert "no intervals: there is one seed of each" in out
    assert (
        compare(read_samples([str(runs[0]), str(runs[2])], None, ()), ()).rows[0].difference.test
        == NONE
    )


def test_csv_has_a_line_for_each_difference(swept, told):
    rows = list(csv.DictReader(told(swept(), "--by", "sched.fair", "--csv").out.splitlines()))
    assert [row["measure"] for row in rows] == ["virtual", "said.done"] * 2
    assert (rows[0]["b"], rows[0]["machine.cpus"], rows[0]["test"]) == (
        "sched.fair=cfs",
        "1",
        PAIRED,
    )


def test_what_cannot_be_compared_is_refused_with_the_reason(swept, told):
    path = swept()
    Path("empty").mkdir()
    wrong = {
        ("nothing", "empty"): [
            "nothing is no directory",
            "empty is no run directory: it has no manifest.json",
        ],
        (path,): [
            "there is nothing to compare: name two runs or sweeps, or --by an axis of one sweep "
            "(runs that differ in their seed alone are one sample)"
        ],
        (path, "--by", "nothing"): [
            "--by: no axis nothing that is free (there is: sched.fair, machine.cpus)"
        ],
        (path, path, "--measure", "speed"): [
            "--measure: speed (there is: virtual, said.done, late_max)"
        ],
        (path, f"{path}:nothing=1"): [
            f"{path}:nothing=1: no axis nothing (there is: sched.fair, machine.cpus)"
        ],
        (f"{path}:machine.cpus=7,foo=4", f"{path}:nothing=1"): [
            f"{path}:machine.cpus=7,foo=4: machine.cpus has no value 7 (there is: 1, 2)",
            f"{path}:machine.cpus=7,foo=4: no axis foo (there is: sched.fair, machine.cpus)",
            f"{path}:nothing=1: no axis nothing (there is: sched.fair, machine.cpus)",
        ],
        (path, f"{path}:sched.fair=o1"): [
            f"{path}:sched.fair=o1: sched.fair has no value o1 (there is: eevdf, cfs)"
        ],
        (path, f"{path}:sched.fair"): [
            f"{path}:sched.fair: expected AXIS=VALUE after the colon, found 'sched.fair'"
        ],
        (path, f"{path}:sched.fair=cfs"): [
            f"{path} and {path}:sched.fair=cfs have not the same axes: sched.fair, machine.cpus "
            "and machine.cpus"
        ],
    }
    for words, expected in wrong.items():
        found = told(*words, code=2)
        assert found.out == ""
        assert found.err.splitlines() == [f"smplab: compare: {line}" for line in expected]


def test_a_sweep_that_is_not_complete_is_compared_as_far_as_it_is(swept, told):
    path = swept()
    manifest = json.loads((path / "sweep.json").read_text())
    (path / "sweep.json").write_text(json.dumps({**manifest, "complete": False}))
    (path / "points" / "00007.json").unlink()
    found = told(path, "--by", "sched.fair").out
    assert found.splitlines()[-1] == "sched.fair=cfs: 1 point has no result"


def test_a_sweep_without_any_result_is_refused_as_it_is_by_report(swept, told, capsys):
    path = swept()
    shutil.rmtree(path / "points")
    line = f"{path}: no point has a result\n"
    assert told(path, path, code=2).err == f"smplab: compare: {line}"
    assert run_command(["report", str(path)]) == 2
    assert capsys.readouterr().err == f"smplab: report: {line}"
    found = told(path, "--by", "sched.fair", code=2).err
    assert found == "smplab: compare: sched.fair=eevdf, sched.fair=cfs: no point has a result\n"


def test_where_a_run_is_wanted_a_sweep_is_said_to_be_one(folder, capsys):
    Path("s").mkdir()
    Path("s/sweep.json").write_text("{}")
    told = "s is a sweep, and no run directory: smplab compare and smplab report read it\n"
    for words in (["export"], ["top", "--once"], ["ps"]):
        assert run_command([*words, "s"]) == 2
        assert capsys.readouterr().err.endswith(told)
