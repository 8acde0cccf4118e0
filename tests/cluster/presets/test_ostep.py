"""OSTEP's homework: the same seed gives what its own simulators print, and the kernel's trees."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from cluster.emulated import Machine, run_emulated
from cluster.presets.registry import preset_of


def table(preset: str) -> Any:
    match = re.search("^TABLE = (.*)$", preset_of(preset).program, re.MULTILINE)
    assert match is not None
    return ast.literal_eval(match[1])


def printed(folder: Path, preset: str, cpus: int = 1) -> str:
    path = folder / "ostep.py"
    path.write_text(preset_of(preset).program)
    return run_emulated(path, [], machine=Machine(cpus=cpus)).stdout.decode()


@pytest.mark.parametrize(
    ("options", "actions"),
    [
        # what fork.py prints with these options
        ("-s 10", "a+b,a+c,c-,a+d,a+e"),
        ("-s 3 -a 8 -f 0.5", "a+b,b+c,c+d,a+e,c-,b-,e-,d-"),
        ("-s 7 -a 12 -f 0.6", "a+b,a+c,b+d,b+e,a+f,e+g,b+h,h-,c+i,c-,a+j,i+k"),
    ],
)
def test_a_seed_gives_the_actions_of_fork_py(options: str, actions: str) -> None:
    found = table(f"ostep:fork {options}")["actions"]
    assert ",".join("+".join(one) if len(one) == 2 else f"{one[0]}-" for one in found) == actions


@pytest.mark.parametrize(
    ("options", "lengths"),
    [("-s 3", [3, 6, 4]), ("-s 9 -j 5 -m 40", [19, 15, 6, 35, 1])],
)
def test_a_seed_gives_the_jobs_of_scheduler_py(options: str, lengths: list[int]) -> None:
    assert [one["length"] for one in table(f"ostep:scheduler {options}")["jobs"]] == lengths


def test_a_seed_gives_the_programs_of_process_run_py() -> None:
    head = table("ostep:process-run -s 3 -l 4:50,3:30")["head"]
    assert head == ["Process 0: cpu io cpu io", "Process 1: io cpu cpu"]


def test_orphans_go_to_the_root_and_their_own_children_stay_with_them(tmp_path: Path) -> None:
    lines = printed(tmp_path, "ostep:fork -A a+b,b+c,c+d,b- -F -P basic").splitlines()
    assert [line.removeprefix(" " * 31) for line in lines[-4:]] == [" a", "    c", "       d", ""]


def test_round_robin_takes_turns_and_times_are_those_of_the_homework(tmp_path: Path) -> None:
    lines = printed(tmp_path, "ostep:scheduler -p RR -l 3,2,1").splitlines()
    assert "Jobs ended in this order: 2 1 0" in lines
    rows = [line for line in lines if "Turnaround" in line]
    found = [[float(number) for number in re.findall(r"\d+\.\d+", row)] for row in rows]
    # scheduler.py: 0, 6, 3; 1, 5, 3; 2, 3, 2. A unit is 5 % less than a slice.
    for row, wanted in zip(found, [(0, 6, 3), (1, 5, 3), (2, 3, 2)], strict=False):
        assert row == pytest.approx(wanted, abs=0.12)


def test_who_waits_for_an_io_leaves_the_cpu_to_others(tmp_path: Path) -> None:
    out = printed(tmp_path, "ostep:process-run -l 5:100,5:0")
    assert "Stats: Total Time 40.0\nStats: CPU Busy 15 (37." in out  # as process-run.py
