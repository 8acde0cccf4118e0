"""``smplab accuracy``: which runs are compared, what an error is, what is drawn and refused."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cluster.cli.main import run_command
from cluster.config.accuracy import COMPARED, LATENESS, read_comparison
from cluster.report.accuracy import (
    accuracy_csv,
    accuracy_json,
    accuracy_lines,
    format_error,
    rows_of,
)
from cluster.report.tradeoff import print_tradeoff, tradeoff_html, tradeoff_svg
from cluster.sweep.drive import run_points
from cluster.sync.scheme import BUILTIN, parameter_of, scheme_class

CONFIG = """name: small
engine: ray
machine: {cpus: 8}
workloads:
  - program: fork_exec_storm
    params: {parents: 3, children: 2, compute: "uniform:10us:50us"}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(CONFIG, "utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A comparison of two schemes on two numbers of CPUs with two seeds, run in one process."""
    path = tmp_path_factory.mktemp("compared") / "c.yaml"
    path.write_text(CONFIG, "utf-8")
    found = read_comparison(path, "barrier:200us,exact", "2,3", 2, ())
    return found, run_points(found, 1, timed=True)


def without_wall(experiment, results):
    rows = rows_of(experiment, results)
    plain = json.loads(accuracy_json(experiment, results, rows))
    wall = plain.pop("wall")
    return plain, wall


# -- which runs -------------------------------------------------------------------------------


def test_each_scheme_runs_on_each_number_of_cpus_with_each_seed_the_reference_first(compared):
    found, _ = compared
    assert [(*point.labels, point.seed) for point in found.points] == [
        (cpus, scheme, seed)
        for cpus in ("2", "3")
        for scheme in ("exact", "barrier:200us")
        for seed in (42, 43)
    ]


def test_a_point_is_the_configuration_with_scheme_parameter_cpus_and_seed_put_in(compared):
    config = compared[0].points[-1].load().config
    assert (config.sync.scheme, config.sync.quantum) == ("barrier", 200_000)
    assert (config.machine.cpus, config.seed, config.engine) == (3, 43, "local")
    assert not config.trace.enabled


def test_without_a_list_of_cpus_the_configuration_says_how_many(folder):
    found = read_comparison(Path("c.yaml"), "barrier", None, 1, (("--set", "machine.cpus=5"),))
    assert [point.labels for point in found.points] == [("5", "exact"), ("5", "barrier")]
    assert {point.load().config.machine.cpus for point in found.points} == {5}


def test_a_scheme_of_a_file_takes_a_parameter_behind_its_class(folder):
    shipped = Path(__file__).parent / "sync" / "shuffled.py"
    Path("mine.py").write_text(shipped.read_text("utf-8"), "utf-8")
    found = read_comparison(Path("c.yaml"), "mine.py:Shuffled:30us,mine.py:Shuffled", None, 1, ())
    config = [point.load().config for point in found.points]
    assert [each.sync.scheme for each in config[1:]] == ["mine.py:Shuffled"] * 2
    assert [each.sync.quantum for each in config[1:]] == [30_000, 100_000]


# -- what an error is ---------------------------------------------------------------------------


def result(wall_ns=100, error="", **measures):
    every = dict.fromkeys((*COMPARED, *LATENESS), 10)
    found = {} if error else every | measures
    return {"measures": found, "error": error, "wall_ns": wall_ns, "cpu_ns": 2 * wall_ns}


def rows_from(folder, exact, other):
    found = read_comparison(folder / "c.yaml", "barrier", None, len(exact), ())
    return found, rows_of(found, [*exact, *other])


def test_an_error_is_signed_and_the_median_of_those_of_the_seeds(folder):
    exact = [result(virtual=100), result(virtual=200), result(virtual=1000)]
    other = [result(virtual=90), result(virtual=210), result(virtual=2000)]
    _, rows = rows_from(folder, exact, other)
    assert rows[1].errors["virtual"] == (5.0, -10.0, 100.0)
    assert rows[1].errors["switches"] == (0.0, 0.0, 0.0)
    assert rows[1].values["virtual"] == 210


def test_of_nothing_there_is_no_error_in_per_cent_unless_nothing_was_found_too(folder):
    exact = [result(migrations=0, lock_wait=0, fork_mean=None)]
    _, rows = rows_from(folder, exact, [result(migrations=3, lock_wait=0, fork_mean=5)])
    assert rows[1].errors["migrations"] is None
    assert rows[1].errors["lock_wait"] == (0.0, 0.0, 0.0)
    assert rows[1].errors["fork_mean"] is None


def test_a_seed_in_which_a_run_failed_counts_for_nothing(folder):
    exact = [result(virtual=100), result(error="limit: x")]
    found, rows = rows_from(folder, exact, [result(virtual=110), result(virtual=1)])
    assert rows[1].errors["virtual"] == (10.0, 10.0, 10.0)
    assert (rows[0].runs, rows[0].failed) == (2, 1)
    lines = list(accuracy_lines(found, [*exact, result(), result()], rows))
    assert lines[-1] == "failed: 8 exact seed 43: limit: x"


def test_runs_that_somebody_stopped_are_one_line(folder):
    cut = result(error="interrupted: stopped by Ctrl-C")
    found, rows = rows_from(folder, [result(), cut], [cut, cut])
    lines = list(accuracy_lines(found, [result(), cut, cut, cut], rows))
    assert lines[-1] == "3 of 4 runs were not made: interrupted: stopped by Ctrl-C"
    assert not [line for line in lines if line.startswith("failed: ")]


def test_speed_is_the_hosts_time_for_exact_divided_by_that_for_the_scheme(folder):
    _, rows = rows_from(folder, [result(wall_ns=300)], [result(wall_ns=200)])
    assert (rows[0].speed, rows[1].speed, rows[1].cpu_speed) == (1.0, 1.5, 1.5)
    assert (rows[1].wall_ns, rows[1].cpu_ns) == (200, 400)


# -- what comes of it ---------------------------------------------------------------------------


def test_exact_has_no_causality_violation_and_no_error_and_barrier_has_some(compared):
    rows = rows_of(*compared)
    for row in rows:
        if row.scheme == "exact":
            assert row.values["violations"] == 0
            assert set(row.errors.values()) == {(0.0, 0.0, 0.0)}
    assert any(row.errors["fork_mean"][0] for row in rows)


def test_the_result_is_the_same_for_any_number_of_processes(compared):
    found, alone = compared
    again, _ = without_wall(found, run_points(found, 2, timed=True))
    plain, wall = without_wall(found, alone)
    assert again == plain
    assert "wall_ns" not in json.dumps(plain)
    assert all(time["wall_ns"] > 0 and time["cpu_ns"] > 0 for time in wall["points"])


def test_csv_has_a_line_for_each_run_with_its_own_errors_and_host_times_last(compared):
    rows = list(csv.DictReader(accuracy_csv(*compared).splitlines()))
    assert list(rows[0])[-2:] == ["wall_ns", "cpu_ns"]
    assert len(rows) == 8
    exact, barrier = rows[0], rows[2]
    assert (exact["seed"], barrier["seed"]) == ("42", "42")
    off = (int(barrier["virtual"]) - int(exact["virtual"])) * 100 / int(exact["virtual"])
    assert float(barrier["virtual_error_percent"]) == pytest.approx(off, abs=1e-4)


def test_the_table_has_values_of_exact_and_signed_errors_of_the_others(compared):
    lines = list(accuracy_lines(*compared, rows_of(*compared)))
    heads = lines[0].split()
    assert heads[:5] == ["cpus", "scheme", "makespan", "fork", "wait"]
    assert [line.split()[0] for line in lines[1:]] == ["2", "barrier:200us", "3", "barrier:200us"]
    assert "ms" in lines[1]
    assert any("%" in line for line in (lines[2], lines[4]))


@pytest.mark.parametrize("name", [name for name in BUILTIN if name != "exact"])
def test_every_scheme_that_there_is_can_be_compared_with_its_parameter(folder, name):
    key = parameter_of(scheme_class(name))
    found = read_comparison(folder / "c.yaml", f"{name}:200us" if key else name, "4", 2, ())
    configs = [point.load().config.sync for point in found.points]
    assert [sync.scheme for sync in configs] == ["exact", "exact", name, name]
    assert not key or [getattr(sync, key) for sync in configs[2:]] == [200_000, 200_000]
    rows = rows_of(found, run_points(found, 1, timed=True))
    assert [row.failed for row in rows] == [0, 0]
    assert rows[0].values["violations"] == 0
    assert set(rows[1].errors) == set(COMPARED)


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
def test_on_ray_a_deterministic_scheme_has_the_errors_that_it_has_on_the_local_engine(compared):
    found, local = compared
    path = Path(found.points[0].name)
    on_ray = read_comparison(path, "barrier:200us,exact", "2,3", 2, (), "ray")
    engines = [point.load().config.engine for point in on_ray.points]
    assert engines == ["local", "local", "ray", "ray"] * 2
    results = run_points(on_ray, 1, timed=True)
    assert without_wall(on_ray, results)[0] == without_wall(found, local)[0]
    rows = rows_of(on_ray, results)
    assert [row.cpu_ns is None for row in rows] == [False, True] * 2
    assert all(row.speed for row in rows)
    assert "against speed by wall time" in tradeoff_svg("small", rows).replace("\n", " ")


# -- what is drawn ------------------------------------------------------------------------------


def test_the_file_has_a_panel_for_each_measure_and_a_mark_for_each_row(compared):
    root = ElementTree.fromstring(tradeoff_svg("a < b", rows_of(*compared)))
    space = {"s": "http://www.w3.org/2000/svg"}
    panels = root.findall("s:g", space)
    assert len(panels) == len(COMPARED)
    tips = [tip.text for tip in panels[0].iterfind("s:path/s:title", space)]
    assert [tip.split(":")[0] for tip in tips] == [
        *("exact, 2 CPUs", "barrier"),
        *("exact, 3 CPUs", "barrier"),
    ]
    assert root.find("s:title", space).text == "a < b: error against speed"


def test_lines_join_the_parameters_of_one_scheme_and_begin_at_exact(folder):
    found = read_comparison(folder / "c.yaml", "barrier:1us,free,barrier:1ms", None, 1, ())
    times = (400, 200, 300, 100)
    rows = rows_of(found, [result(wall_ns=each, virtual=each) for each in times])
    drawn = tradeoff_svg("x", rows).split("<g ")[1]
    lines = [line.split('"')[1].split() for line in drawn.splitlines() if "<polyline" in line]
    assert [len(line) for line in lines] == [3, 2]
    assert lines[0][0] == lines[1][0]


@pytest.mark.parametrize(
    ("percent", "said"),
    [
        (0.0, "0"),
        (0.314, "+0.31 %"),
        (-12.0, "-12.00 %"),
        (450.04, "+450.0 %"),
        (7034.6, "+7,035 %"),
    ],
)
def test_an_error_is_told_with_as_many_digits_as_say_something(percent, said):
    assert format_error(percent) == said


def test_the_page_has_the_drawing_and_its_numbers(compared):
    page = tradeoff_html("small", rows_of(*compared))
    assert "<svg" in page
    assert page.count("<tr>") == 5
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_a_terminal_gets_a_letter_for_each_scheme_and_the_number_of_its_cpus(folder, capsys):
    exact = [result(virtual=1000, wall_ns=400)]
    _, rows = rows_from(folder, exact, [result(virtual=1020, wall_ns=100)])
    print_tradeoff(rows)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "error of the makespan in %, against speed by CPU time (exact is 1)"
    (mark,) = [line for line in lines[2:13] if line.rstrip().endswith("a")]
    above = [line for line in lines[2 : lines.index(mark) + 1] if line.split("|")[0].strip()]
    assert above[0].split("|")[0].strip() == "10"  # 2 % lies between 1 and 10
    assert lines[-1] == "a barrier"


def test_what_stands_in_one_place_is_drawn_side_by_side(folder, capsys):
    found = read_comparison(folder / "c.yaml", "barrier,barrier:1ms", None, 1, ())
    print_tradeoff(rows_of(found, [result(), result(), result()]))
    drawn = "".join(line for line in capsys.readouterr().out.splitlines() if "|" in line)
    assert (drawn.count("a"), drawn.count("b")) == (2, 2)  # of makespan and of fork latency


def test_the_command_prints_table_and_curve_and_writes_the_plot(folder, capsys):
    arguments = ["accuracy", "c.yaml", "--schemes", "barrier:50us", "--cpus", "2"]
    assert run_command([*arguments, "--plot", "p.svg"]) == 0
    out = capsys.readouterr().out
    assert "barrier:50us" in out
    assert "error of the makespan" in out
    assert Path("p.svg").read_text("utf-8").startswith("<svg")


def test_a_run_that_fails_is_exit_code_1(folder, capsys):
    arguments = ["accuracy", "c.yaml", "--cpus", "2", "--schemes", "barrier", "--json"]
    assert run_command([*arguments, "--set", "limits.virtual_time=1ms"]) == 1
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["failed"] for row in rows] == [1, 1]
    assert rows[1]["errors_percent"]["virtual"] is None


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--schemes", "barier:1ms"], "--schemes barier:1ms: there is no scheme 'barier' (there "),
        (["--schemes", "barier:1ms"], "; did you mean barrier?"),
        (["--schemes", "exact:1ms"], "--schemes exact:1ms: the scheme exact has no parameter"),
        (["--schemes", "barrier:1"], "--schemes barrier:1: sync.quantum: needs a unit"),
        (["--schemes", "barrier:1h"], "--schemes barrier:1h: sync.quantum: unknown unit h"),
        (["--schemes", "barrier:"], "--schemes barrier:: has an empty parameter"),
        (["--schemes", "barrier,barrier"], "--schemes: barrier is there twice"),
        (["--schemes", "barrier,,exact"], "--schemes: has an empty part"),
        (["--schemes", "auto"], "--schemes auto: there is no scheme 'auto' (there is: exact, "),
        (["--schemes", "no.py:None"], "--schemes no.py:None: no.py: No such file"),
        (["--cpus", "4,x"], "--cpus x: must be a number"),
        (["--cpus", "0x10"], "--cpus 0x10: must be a number"),
        (["--cpus", "04"], "--cpus 04: must be a number"),
        (["--cpus", "0"], "--cpus 0: machine.cpus: must be at least 1 (got 0)"),
        (["--cpus", ""], "--cpus: has an empty part (got '')"),
        (["--cpus", "4,5000"], "--cpus 5000: machine.cpus: must be at most 4096 (got 5000)"),
        (["--set", "machine.cpu=4"], "--set machine.cpu=4: machine.cpu: unknown key"),
        (["--seeds", "0"], "Invalid value for '--seeds'"),
        (["--plot", "p.png"], "--plot: must end in .svg or .html (got p.png)"),
        (["--plot", "none/p.svg"], "--plot: none/p.svg: No such file or directory"),
        (["--json", "--csv"], "--json and --csv: choose one"),
        (["--engine", "rya"], "--engine rya: engine: must be one of local, ray (got 'rya')"),
        (["--engine", "ray", "--jobs", "2"], "--jobs: runs on Ray are made one at a time"),
        (["--engine", "ray", "--schemes", "free"], "--schemes free: sync.scheme: free runs on the"),
        (["--address", "auto"], "--address is for --engine ray"),
    ],
)
def test_wrong_input_is_told_at_its_option_and_nothing_runs(folder, capsys, options, expected):
    assert run_command(["accuracy", "c.yaml", *options]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert expected in found.err


def test_all_that_is_wrong_is_told_at_once(folder, capsys):
    arguments = ["accuracy", "c.yaml", "--schemes", "barier,barrier:1h", "--cpus", "0,2"]
    assert run_command(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert sorted(line.split(": ")[2].split(" ")[0] for line in lines) == [
        "--cpus",
        "--schemes",
        "--schemes",
    ]


def test_cpus_against_a_topology_are_refused_at_the_option(folder, capsys):
    topology = "machine: {topology: {sockets: 1, cores: 4}}"
    Path("c.yaml").write_text(CONFIG.replace("machine: {cpus: 8}", topology), "utf-8")
    assert run_command(["accuracy", "c.yaml", "--cpus", "2"]) == 2
    assert "--cpus 2: machine.cpus: must be 4" in capsys.readouterr().err


def test_what_is_wrong_in_the_configuration_is_told_once_and_there(folder, capsys):
    Path("c.yaml").write_text(CONFIG.replace("children", "childs"), "utf-8")
    assert run_command(["accuracy", "c.yaml", "--cpus", "2,4"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("smplab: config error: c.yaml:6:")
