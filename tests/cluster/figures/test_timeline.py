"""A run as a figure: what is drawn is the run, and it is the same bytes each time."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import smplab

from cluster.export.stream import Records
from cluster.figures.library import figure_bytes
from cluster.figures.states import STATES, states_over_time
from cluster.figures.timeline import condensed, cumulated, run_figure
from cluster.page.history import Histogram, History, Stays
from cluster.trace import TraceReader
from tests.cluster.small_storm import small_storm


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> smplab.Run:
    return small_storm(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def history(run: smplab.Run) -> History:
    with TraceReader(run.path / "trace.smpt") as reader:
        return History(Records(reader))


def report(*words: object, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cluster.entry", "report", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **more},
    )


def test_the_ending_of_the_file_says_what_is_made(run: smplab.Run, tmp_path: Path) -> None:
    assert report(run.path, "-o", tmp_path / "a.svg").returncode == 0
    assert (tmp_path / "a.svg").read_bytes().startswith(b"<?xml")


def words_of(svg: bytes) -> set[str]:
    tag = "{http://www.w3.org/2000/svg}text"
    return {"".join(node.itertext()) for node in ET.fromstring(svg).iter(tag)}


def test_tasks_by_state_add_up_to_the_tasks_there_were(run: smplab.Run, history: History) -> None:
    curves = states_over_time(history)
    assert tuple(curves) == STATES
    lived = sum(
        (history.end_ns if task.end_ns < 0 else task.end_ns) - task.start_ns
        for task in history.tasks
    )
    assert sum(sum(curve.sums) for curve in curves.values()) == pytest.approx(lived, rel=0.02)
    ran = sum(sum(stays.length) for stays in history.stays)
    assert sum(curves["running"].sums) == ran


@pytest.mark.slow
def test_two_makings_in_two_processes_have_the_same_bytes(tmp_path: Path, run: smplab.Run) -> None:
    settings = tmp_path / "matplotlibrc"
    settings.write_text("font.size: 20\nsvg.fonttype: path\n", "utf-8")
    files = [tmp_path / "1.svg", tmp_path / "2.svg"]
    for file, more in zip(files, ({}, {"MATPLOTLIBRC": str(settings), "PYTHONHASHSEED": "7"})):
        done = report(run.path, "--format", "svg", "-o", file, **more)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{file}\n", "")
    assert files[0].read_bytes() == files[1].read_bytes()
    png = figure_bytes(run.plot_timeline(), "png")
    assert png == figure_bytes(run.plot_timeline(), "png")
    assert png.startswith(b"\x89PNG")


def test_texts_stay_texts_and_nothing_of_the_host_is_in_the_file(run: smplab.Run) -> None:
    figure = run.plot_timeline()
    svg = figure_bytes(figure, "svg")
    assert figure_bytes(figure, "svg") == svg
    assert {"Who ran where", "Tasks by state", "How long waits took"} <= words_of(svg)
    assert b"<dc:date>" not in svg
    assert str(run.path).encode() not in svg
    assert figure._repr_svg_().encode() == svg  # what a notebook shows


def test_a_name_with_dollars_and_control_characters_is_no_formula(history: History) -> None:
    [old, *_] = list(history.names)
    history.names = {
        f"$a_{name}\x1b" if name == old else name: at for name, at in history.names.items()
    }
    svg = figure_bytes(run_figure("$x$", history), "svg")
    assert f"$a_{old}\\x1b" in words_of(svg)
    assert "$x$" in words_of(svg)


def test_a_trace_that_was_cut_before_anything_happened_is_drawn_empty() -> None:
    class Nothing:
        cpus = 2
        cpu_of = ()

        def batches(self) -> tuple[()]:
            return ()

    svg = figure_bytes(run_figure("cut", History(Nothing())), "svg")  # type: ignore[arg-type]
    assert "Who ran where" in words_of(svg)


def test_a_lane_of_many_stays_is_drawn_in_columns_that_are_as_busy() -> None:
    stays = Stays()
    for number in range(1000):
        stays.start.append(number * 10)
        stays.length.append(7.0 if number % 2 else 3.0)
        stays.task.append(0)
        stays.name.append(number % 2)
        stays.state.append(0)
    cells = condensed(stays, 10_000, 50)
    assert [cell[2] for cell in cells] == [1] * 50
    assert [cell[3] for cell in cells] == pytest.approx([0.5] * 50)


def test_a_stay_across_columns_is_in_each_of_them() -> None:
    stays = Stays()
    for column, value in zip(("start", "length", "task", "name", "state"), (5, 90, 0, 0, 0)):
        getattr(stays, column).append(value)
    assert [cell[3] for cell in condensed(stays, 100, 10)] == pytest.approx([0.5, *[1.0] * 8, 0.5])


def test_the_share_of_waits_ends_at_all_of_them() -> None:
    histogram = Histogram()
    for value in (0, 5, 5, 1000):
        histogram.add(value)
    places, shares = cumulated(histogram)
    assert (places[0], shares[0]) == (0, 25.0)
    assert (places[-1], shares[-1]) == (1000, 100.0)
    assert places == sorted(places)


def test_what_cannot_be_drawn_is_one_line_and_nothing_is_written(
    tmp_path: Path, run: smplab.Run
) -> None:
    target = tmp_path / "figure.svg"
    plain = small_storm(tmp_path / "runs", **{"trace.enabled": False})
    cases: list[tuple[tuple[Any, ...], str]] = [
        ((plain.path, "--format", "svg"), "has no trace"),
        ((run.path, "--format", "pdf"), "must be html, svg or png (got 'pdf')"),
        ((run.path, "--format", "svg", "--x", "machine.cpus"), "--x is for sweeps"),
    ]
    for words, told in cases:
        done = report(*words, "-o", target)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert told in done.stderr
        assert not target.exists()


def test_without_matplotlib_a_figure_is_refused_in_one_line_and_a_page_is_not(
    tmp_path: Path, run: smplab.Run
) -> None:
    (tmp_path / "matplotlib.py").write_text("raise ImportError('no matplotlib here')\n", "utf-8")
    done = report(run.path, "--format", "svg", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "smplab: usage: --format svg needs matplotlib (no matplotlib here): "
        "pip install 'smplab[figures]'\n"
    )
    page = tmp_path / "page.html"
    assert report(run.path, "-o", page, PYTHONPATH=str(tmp_path)).returncode == 0
