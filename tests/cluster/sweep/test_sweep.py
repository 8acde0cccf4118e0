"""``smplab sweep``: which points an experiment has, what comes of each, and what is refused."""

import csv
import json
from pathlib import Path

import pytest

from cluster.catalogue import CONFIGS
from cluster.cli.main import run_command
from cluster.config.errors import ConfigError
from cluster.config.experiment import read_experiment
from cluster.progress import CheckProgress
from cluster.report.sweep import sweep_csv, sweep_json, sweep_lines
from cluster.sweep.drive import run_points

BASE = "machine: {cpus: 1}\nworkloads: [{program: ./work.py, instances: 2}]\n"
WORK = """import sys
import time

from workloads import guest

guest.compute(10_000_000)
print("done", 3)
print("other words 4")
sys.exit(STATUS)
"""


def work(status):
    return WORK.replace("STATUS", str(status))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE, "utf-8")
    Path("work.py").write_text(work(0), "utf-8")
    Path("fails.py").write_text(work(1), "utf-8")
    return tmp_path


def sweep(capsys, text, *options, code=0):
    Path("e.yaml").write_text(text, "utf-8")
    assert run_command(["sweep", "e.yaml", *options]) == code
    return capsys.readouterr()


CROSSED = """base: base.yaml
axes:
  machine.cpus: [1, 2]
  sched.fair: {new: eevdf, old: o1}
seeds: [5]
measure: [virtual, rate.done, said.done, said.nothing, jain, migrations]
"""


@pytest.fixture(scope="module")
def crossed(tmp_path_factory):
    """The experiment CROSSED and what came of it, run in one process."""
    folder = tmp_path_factory.mktemp("crossed")
    for name, text in {"base.yaml": BASE, "work.py": work(0), "e.yaml": CROSSED}.items():
        (folder / name).write_text(text, "utf-8")
    experiment = read_experiment(folder / "e.yaml")
    return experiment, run_points(experiment, 1)


def test_axes_are_crossed_the_last_one_changing_fastest_and_with_the_seeds(crossed):
    points = json.loads(sweep_json(*crossed))["points"]
    assert [point["index"] for point in points] == list(range(4))
    assert [tuple(point["axes"].values()) for point in points] == [
        (cpus, fair) for cpus in ("1", "2") for fair in ("new", "old")
    ]
    assert [point["seed"] for point in points] == [5] * 4
    assert {point["error"] for point in points} == {""}


def test_a_point_measures_the_run_of_its_configuration(crossed):
    points = json.loads(sweep_json(*crossed))["points"]
    one, two = points[0]["measures"], points[2]["measures"]
    assert 20_000_000 < one["virtual"] < 22_000_000  # two of 10 ms on one CPU
    assert 10_000_000 < two["virtual"] < 12_000_000
    assert (one["said.done"], two["said.done"]) == (6, 6)
    assert one["rate.done"] == 6 * 1_000_000_000 // one["virtual"]
    assert two["migrations"] == 0


def test_the_result_is_the_same_for_any_number_of_processes(crossed):
    experiment, alone = crossed
    seen = []
    assert run_points(experiment, 2, lambda result: seen.append(result["index"])) == alone
    assert sorted(seen) == list(range(4))


def test_the_table_has_a_row_for_each_point(crossed):
    lines = list(sweep_lines(*crossed))
    assert lines[0].split() == [
        *("machine.cpus", "sched.fair", "seed"),
        *("virtual", "rate.done", "said.done", "said.nothing", "jain", "migrations"),
    ]
    assert [line.split()[:3] for line in lines[1:]] == [
        [cpus, fair, "5"] for cpus in "12" for fair in ("new", "old")
    ]
    assert len({line.index("ms") for line in lines[1:]}) == 1


def test_csv_has_numbers_and_nothing_where_there_was_nothing_to_measure(crossed):
    rows = list(csv.DictReader(sweep_csv(*crossed).splitlines()))
    assert len(rows) == 4
    assert rows[0]["said.nothing"] == rows[0]["error"] == ""
    assert (rows[0]["machine.cpus"], rows[0]["sched.fair"], rows[0]["seed"]) == ("1", "new", "5")
    assert int(rows[0]["virtual"]) > 20_000_000


FAILING = """base: base.yaml
axes:
  workloads:
    good: [{program: ./work.py}]
    bad: [{program: ./fails.py, instances: 3}]
measure: [virtual, said.done]
"""


def test_a_point_that_fails_is_named_and_the_others_are_kept(folder, capsys):
    out = sweep(capsys, FAILING, code=1).out.splitlines()
    assert out[-1] == "failed: bad: 3 of 3 programs did not exit with 0"
    assert out[2].split() == ["bad", "-", "-"]
    points = json.loads(sweep(capsys, FAILING, "--json", code=1).out)["points"]
    assert points[0]["measures"]["said.done"] == 3
    assert points[1]["measures"] == {}
    assert "3 of 3" in points[1]["error"]


LIMITED = """base: base.yaml
axes: {limits.virtual_time: {short: 5ms, long: 1s}}
measure: [virtual]
"""


def test_a_limit_ends_one_point_only(folder, capsys):
    points = json.loads(sweep(capsys, LIMITED, "--json", code=1).out)["points"]
    assert [bool(point["error"]) for point in points] == [True, False]
    assert points[0]["error"].startswith("limit: ")
    csv_text = sweep(capsys, LIMITED, "--csv", code=1).out
    assert csv_text.splitlines()[0] == "index,limits.virtual_time,seed,virtual,error"


OK = "base: base.yaml\naxes: {machine.cpus: [1]}\nmeasure: [virtual]\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OK.replace("base: base.yaml\n", ""), ["e.yaml:1:1: base: is required"]),
        (OK + "sedes: [1]\n", ["e.yaml:4:1: sedes: unknown key (did you mean seeds?)"]),
        (
            OK.replace("virtual", "speed, virtual, virtual"),
            [
                "e.yaml:3:11: measure.0: must be one of virtual, wait_p50, wait_p95, wait_p99, "
                "wait_max, jain, migrations, switches, fork_mean, queue_mean, lock_wait, "
                "violations, late_mean, late_p99, late_max, summary.PATH, said.WORD or rate.WORD "
                "(got 'speed')",
                "e.yaml:3:27: measure.2: is there twice (got 'virtual')",
            ],
        ),
        (
            OK.replace("machine.cpus: [1]", "machine.cpu: [1]"),
            ["e.yaml:2:8: axes.machine.cpu: unknown key (did you mean cpus?)"],
        ),
        (
            OK.replace("[1]", "[1, 0, 5000]"),
            [
                "e.yaml:2:26: axes.machine.cpus.1: must be at least 1 (got 0)",
                "e.yaml:2:29: axes.machine.cpus.2: must be at most 4096 (got 5000)",
            ],
        ),
        (
            OK.replace("[1]", "[1, 1, [2]]"),
            [
                "e.yaml:2:26: axes.machine.cpus.1: is there twice (got 1)",
                "e.yaml:2:29: axes.machine.cpus.2: must be a scalar; in a mapping each value has "
                "a name (got a list)",
            ],
        ),
        (
            OK.replace("[1]", "4"),
            [
                "e.yaml:2:22: axes.machine.cpus: must be a list of values, a mapping, or a range "
                "as in 1..8 or 1..64 times 2 (got 4)"
            ],
        ),
        (
            OK.replace("machine.cpus: [1]", "workloads: {a: [{program: ./work.py, tims: 3}]}"),
            [
                "e.yaml:2:45: axes.workloads.a.0.tims: unknown key (known here: import, preset, "
                "program, params, args, instances, start, every, arrivals, env, stdin, cgroup, "
                "unbuffered)"
            ],
        ),
        (
            OK.replace("machine.cpus: [1]", "workloads.0.program: [./no.py, ./work.py, ./none.py]"),
            [
                "e.yaml:2:30: axes.workloads.0.program.0: ./no.py: No such file or directory",
                "e.yaml:2:50: axes.workloads.0.program.2: ./none.py: No such file or directory",
            ],
        ),
        (
            OK.replace("machine.cpus: [1]", "workloads.3.instances: [1]"),
            ["e.yaml:2:8: axes.workloads.3.instances: the base has no workloads.3"],
        ),
        (
            OK.replace("machine.cpus: [1]", "seed: [1]"),
            ["e.yaml:2:8: axes.seed: seeds have a key of their own: seeds"],
        ),
        (
            OK.replace("machine.cpus: [1]", "engine: [ray]"),
            ["e.yaml:2:17: axes.engine.0: the points of a sweep have the engine local (got 'ray')"],
        ),
        (
            OK.replace("base.yaml", "none.yaml"),
            ["e.yaml:1:7: base: none.yaml: No such file or directory"],
        ),
    ],
)
def test_wrong_input_is_told_where_it_is_and_nothing_runs(folder, capsys, text, expected):
    found = sweep(capsys, text, code=2)
    assert found.out == ""
    assert found.err.splitlines() == [f"smplab: config error: {line}" for line in expected]


def test_what_is_wrong_in_the_base_is_told_once_and_there(folder, capsys):
    Path("base.yaml").write_text(BASE.replace("{cpus: 1}", "{cpus: 1, memry: 1}"), "utf-8")
    err = sweep(capsys, OK.replace("machine.cpus: [1]", "linux: [6.12, 2.6.34]"), code=2).err
    lines = err.splitlines()
    assert [line for line in lines if "memry" in line] == [
        "smplab: config error: base.yaml:1:20: machine.memry: unknown key (did you mean memory?)"
    ]


def test_a_program_outside_the_guest_language_is_refused_before_anything_runs(folder, capsys):
    Path("work.py").write_text("class A:\n    pass\n", "utf-8")
    found = sweep(capsys, OK, code=2)
    assert found.out == ""
    assert "smplab: guest program: work.py:1:1:" in found.err


def test_validate_checks_every_point_of_an_experiment_and_run_names_the_command(folder, capsys):
    path = folder / "valid.yaml"
    path.write_text("base: base.yaml\naxes: {sched.fair: [cfs, eevdf]}\nmeasure: [virtual]\n")
    assert run_command(["validate", str(path)]) == 0
    said = f"{path}: valid: an experiment of 2 runs; smplab sweep runs them\n"
    assert capsys.readouterr().out == said
    assert run_command(["run", str(path)]) == 2
    assert f"{path}: an experiment: smplab sweep runs it" in capsys.readouterr().err
    path.write_text("base: base.yaml\naxes: {sched.fair: [cfs, eevdv]}\nmeasure: [virtual]\n")
    assert run_command(["validate", str(path)]) == 2
    assert f"{path}:2:26: axes.sched.fair.1" in capsys.readouterr().err


def test_who_stops_the_check_is_told_that_nothing_had_begun(folder, capsys, monkeypatch):
    def cut(self, done, total):
        assert (done, total) == (0, 1)
        raise KeyboardInterrupt

    monkeypatch.setattr(CheckProgress, "__call__", cut)
    found = sweep(capsys, OK, code=130)
    assert found.err == "smplab: interrupted: stopped by Ctrl-C; nothing had begun\n"
    assert not Path("runs").exists()


def test_the_name_of_a_shipped_experiment_is_told_with_its_folder(folder, capsys):
    assert run_command(["sweep", "zombies"]) == 2
    assert "(did you mean experiments/zombies?)" in capsys.readouterr().err


def test_json_and_csv_at_once_are_refused(folder, capsys):
    assert "choose one" in sweep(capsys, OK, "--json", "--csv", code=2).err


def test_the_shipped_comparison_has_four_schedulers_under_four_mixes():
    found = read_experiment(CONFIGS / "experiments" / "schedulers.yaml")
    assert found.axes == ("workloads", "sched.fair")
    assert len({point.labels for point in found.points}) == len(found.points) == 16


EXPERIMENTS = sorted((CONFIGS / "experiments").glob("*.yaml"))


@pytest.mark.parametrize(
    "path", [path for path in EXPERIMENTS if path.stem != "base"], ids=lambda path: path.stem
)
def test_every_shipped_experiment_is_valid_and_a_page_shows_it(path):
    assert read_experiment(path).name == path.stem
    command = f"$ smplab sweep configs/experiments/{path.name}"
    pages = (Path(__file__).resolve().parents[3] / "docs" / "experiments").glob("*.md")
    assert [page for page in pages if command in page.read_text("utf-8").splitlines()]


def test_an_experiment_that_is_no_mapping_is_refused(folder):
    Path("e.yaml").write_text("- 1\n", "utf-8")
    with pytest.raises(ConfigError, match="must be a mapping"):
        read_experiment(Path("e.yaml"))


def test_what_is_counted_needs_no_trace_and_what_is_read_from_one_does(folder, capsys):
    Path("base.yaml").write_text(f"{BASE}trace: {{enabled: false}}\n", "utf-8")
    counted = "[virtual, fork_mean, queue_mean, lock_wait, violations, late_max]"
    text = OK.replace("[virtual]", counted)
    measures = json.loads(sweep(capsys, text, "--json").out)["points"][0]["measures"]
    assert measures["fork_mean"] > 0
    assert measures["queue_mean"] > 0
    assert (measures["violations"], measures["late_max"]) == (0, None)
    err = sweep(capsys, OK.replace("virtual", "virtual, wait_max"), code=2).err
    assert "base.yaml:3:18: trace.enabled: wait_max: a sweep measures from the trace" in err
