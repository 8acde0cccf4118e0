"""A preset emulated, natively and as the real tool: what each says of itself, side by side.

All three print times in the tool's words (``Preset.read``), so they count from the same moment on
and none has the start of an interpreter in it. The host's two take turns, so that both meet the
same load; as in a prediction they take precedence over it as far as that is allowed.
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cluster.calibration.estimate import Estimate, estimate
from cluster.calibration.sides import ProbeError, environment, run_first
from cluster.engine import run_machine
from cluster.native import python3
from cluster.prediction.emulated import ended_well
from cluster.request import request_of

if TYPE_CHECKING:
    from cluster.config import Loaded
    from cluster.presets.family import Measures, Preset
    from kernel.machine import MachineSpec

EMULATED: Final = "emulated"
NATIVE: Final = "native"


class NothingRead(Exception):
    """A program has printed no times."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of one side. Times in ns; rates, whose names end with ``/s``, in 1/s."""

    measure: str
    side: str
    runs: int
    found: Estimate


@dataclass(frozen=True, slots=True)
class Beside:
    """What was found, and what is to be said of it."""

    rows: list[Row]
    notes: list[str]


def emulated_measures(loaded: "Loaded", spec: "MachineSpec", preset: "Preset") -> "Measures":
    """Run the configuration that ``preset`` stands for; return its measures.

    Raises:
        EmulatedError: it did not come to its end.
        NothingRead: it has printed no times.
    """
    request = request_of(loaded, spec)
    request.checkpoint = None
    result = ended_well(run_machine(request))
    printed = [data for name, data in result.outputs.items() if name.endswith(".stdout")]
    return _read(preset, b"".join(printed), "the emulated program")


def beside(
    preset: "Preset",
    emulated: "Measures",
    cpus: Sequence[int],
    repeat: int,
    timeout_s: float,
) -> Beside:
    """Run the program of a preset and its tool on the host; return all three sides.

    Args:
        preset: what to run.
        emulated: what the emulated run has said.
        cpus: of this host, which both may use.
        repeat: how often each is run.
        timeout_s: after which a run is ended.

    Raises:
        ProbeError: the native program did not end well.
        NothingRead: it has printed no times.
    """
    tool, notes = _tool(preset)
    native: list[Measures] = []
    real: list[Measures] = []
    with tempfile.TemporaryDirectory(prefix="smplab-compare-") as folder:
        program = Path(folder, "preset.py")
        program.write_text(preset.program, "utf-8")
        for _ in range(repeat):
            out, _ = run_first((python3(), str(program)), cpus, timeout_s, "the native program")
            native.append(_read(preset, out, "the native program"))
            if tool:
                try:
                    out, err = run_first(tool, cpus, timeout_s, tool[0])
                    real.append(_read(preset, out + b"\n" + err, tool[0]))
                except (ProbeError, NothingRead) as error:
                    tool, real, notes = (), [], [str(error)]
    sides = {EMULATED: [emulated], NATIVE: native, **({tool[0]: real} if tool else {})}
    return Beside(rows_of(sides), notes)


def rows_of(sides: "dict[str, list[Measures]]") -> list[Row]:
    """Return a row for each measure and side, the sides of a measure together."""
    measures = dict.fromkeys(name for runs in sides.values() for run in runs for name in run)
    rows = []
    for name in measures:
        factor = 1.0 if name.endswith("/s") else 1e9
        for side, runs in sides.items():
            samples = [run[name] * factor for run in runs if name in run]
            if samples:
                rows.append(Row(name, side, len(samples), estimate(samples)))
    return rows


def _tool(preset: "Preset") -> tuple[tuple[str, ...], list[str]]:
    """Return the tool's command, empty where it cannot be run here, and why that is."""
    if not preset.tool:
        return (), [f"no real tool beside it: {preset.no_tool}"]
    if shutil.which(preset.tool[0], path=environment()["PATH"]) is None:
        return (), [f"{preset.tool[0]} is not installed here"]
    return preset.tool, []


def _read(preset: "Preset", printed: bytes, named: str) -> "Measures":
    found = preset.read(printed.decode(errors="replace"))
    if not found:
        raise NothingRead(f"{named} has printed no times")
    return found
