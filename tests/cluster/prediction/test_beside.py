"""A preset on all sides: who is asked, and what is told of a tool that is not there."""

import os
import shutil

import pytest

from cluster.calibration.sides import ProbeError
from cluster.prediction.beside import NothingRead, beside, rows_of
from cluster.presets.family import Measures, Preset
from cluster.presets.registry import preset_of

HERE = sorted(os.sched_getaffinity(0))[-1:]
SAYS = 'import os\nos.write(1, b"Time: 0.25\\n")\n'


def read(output: str) -> Measures:
    return {"time": float(output.split()[1])} if output.startswith("Time:") else {}


def preset(*tool: str, program: str = SAYS, why: str = "") -> Preset:
    return Preset(program, tool, read, why)


def test_rows_have_the_sides_of_a_measure_together_and_times_in_ns() -> None:
    sides = {
        "emulated": [{"time": 0.5, "ops/s": 4.0}],
        "native": [{"time": 1.0, "ops/s": 2.0}, {"time": 3.0, "ops/s": 1.0}],
    }
    found = [(row.measure, row.side, row.runs, row.found.value) for row in rows_of(sides)]
    assert found == [
        ("time", "emulated", 1, 0.5e9),
        ("time", "native", 2, 2.0e9),
        ("ops/s", "emulated", 1, 4.0),
        ("ops/s", "native", 2, 1.5),
    ]


def test_program_and_tool_are_run_as_often_as_wanted() -> None:
    found = beside(preset("sh", "-c", "echo Time: 0.5"), {"time": 0.1}, HERE, 2, 60)
    assert [(row.side, row.runs, row.found.value) for row in found.rows] == [
        ("emulated", 1, 0.1e9),
        ("native", 2, 0.25e9),
        ("sh", 2, 0.5e9),
    ]
    assert found.notes == []


@pytest.mark.parametrize(
    ("tool", "note"),
    [
        (("no-such-tool",), "no-such-tool is not installed here"),
        (("sh", "-c", "echo too old >&2; exit 3"), "sh ended with 3: too old"),
        (("sh", "-c", "echo nothing"), "sh has printed no times"),
        ((), "no real tool beside it: there is none"),
    ],
)
def test_a_tool_that_cannot_be_had_is_told_and_the_others_remain(
    tool: tuple[str, ...], note: str
) -> None:
    found = beside(preset(*tool, why="there is none"), {"time": 0.1}, HERE, 1, 60)
    assert [row.side for row in found.rows] == ["emulated", "native"]
    assert found.notes == [note]


def test_a_native_program_that_fails_or_says_nothing_ends_it() -> None:
    with pytest.raises(ProbeError, match="the native program ended with 3: bad"):
        beside(
            preset(program="import sys\nsys.stderr.write('bad\\n')\nsys.exit(3)\n"), {}, HERE, 1, 60
        )
    with pytest.raises(NothingRead, match="the native program has printed no times"):
        beside(preset(program="print()\n"), {}, HERE, 1, 60)


@pytest.mark.native
@pytest.mark.parametrize(
    "text", ["hackbench:-p -g 1 -l 50", "perfbench:pipe -l 500", "stressng:msg,ops=500"]
)
def test_an_installed_tool_is_understood(text: str) -> None:
    one = preset_of(text)
    if shutil.which(one.tool[0]) is None:
        pytest.skip(f"{one.tool[0]} is not installed")
    found = beside(one, {"time": 0.1}, HERE, 1, 60)
    if any("ended with" in note for note in found.notes):
        pytest.skip(found.notes[0])  # perf is for another kernel
    assert found.notes == []
    assert one.tool[0] in {row.side for row in found.rows}
