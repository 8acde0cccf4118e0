"""What is shown, as lines."""

import re
from pathlib import Path

import pytest
import smplab

from cluster.top.machine import Machine, Window
from cluster.top.session import Session, once, usual_speed
from cluster.top.source import Source
from cluster.top.view import Looks, Shown, lines_of
from tests.cluster.small_storm import small_storm


def _shown(path: Path, at_ns: int) -> Shown:
    return once(Session(Source(path), at_ns=at_ns, speed_ns=10_000))


def _text(shown: Shown, looks: Looks, width: int, height: int | None) -> list[str]:
    return [line.plain for line in lines_of(shown, looks, width, height)]


def test_a_frame_has_cpus_locks_tasks_and_rates(storm: smplab.Run) -> None:
    lines = _text(_shown(storm.path, 2_000_000), Looks(), 120, None)
    text = "\n".join(lines)
    assert lines[0] == "fork_exec_storm  done  stopped"
    assert "2.000 ms of " in lines[1]
    assert "forks" in text and "per virtual second" in text
    assert "LOCK" in text and "tasklist_lock" in text
    assert "COMMAND" in text and "init" in text


@pytest.mark.parametrize(("width", "height"), [(20, 8), (40, 10), (80, 24), (120, 40), (300, 100)])
def test_a_frame_fits_its_screen(storm: smplab.Run, width: int, height: int) -> None:
    lines = _text(_shown(storm.path, 2_000_000), Looks(), width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= max(width, 40)


def test_64_cpus_have_room_on_an_ordinary_screen_with_who_runs(tmp_path: Path) -> None:
    run = small_storm(tmp_path, **{"machine.cpus": 64})
    shown = _shown(run.path, 2_000_000)
    small = "\n".join(_text(shown, Looks(), 120, 44))
    tiny = "\n".join(_text(shown, Looks(), 80, 24))
    for cpu in range(64):
        for text in (small, tiny):
            assert re.search(rf"(^| ){cpu} +\d+% +\d", text, re.MULTILINE)
    running = [comm for pid, comm in shown.machine.current if pid]
    assert running and all(comm in small for comm in running)


def test_cpus_without_room_are_shown_page_by_page() -> None:
    machine = Machine([*range(4096), None])
    shown = Shown("m", (), machine, Window(machine, machine.beginning()), 1, ())
    first = _text(shown, Looks(), 80, 24)[5]
    second = _text(shown, Looks(first_cpu=1), 80, 24)[5]
    assert "CPUs 0 to" in first and "of 4096" in first
    assert "CPUs 0 to" not in second and "of 4096" in second


def test_names_steer_no_terminal(storm: smplab.Run) -> None:
    shown = _shown(storm.path, 2_000_000)
    shown.name = "bad\x1b[2J"
    for row in shown.machine.table.tasks.values():
        row.comm = "evil\x1b]0;x\x07"
    shown.machine.current[0] = (99, "worse\x1b[31m")
    assert "\x1b" not in "\n".join(_text(shown, Looks(), 120, None))


@pytest.mark.parametrize(
    ("end_ns", "speed_ns"), [(0, 10), (94_289_844, 2_000_000), (30_000_000_000, 1_000_000_000)]
)
def test_the_usual_speed_is_a_round_one(end_ns: int, speed_ns: int) -> None:
    assert usual_speed(end_ns) == speed_ns
