"""``smplab compare --host PRESET``: emulated, native and, where it is installed, the real tool."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.exit_codes import BROKEN, OK, USAGE, CliError

if TYPE_CHECKING:
    from cluster.prediction.beside import Beside, Row

REPEAT = 6  # of fewer the interval of ranks has less than 95 %
TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What goes with ``--host``; None: not given."""

    costs: Path | None = None
    cpus: int | None = None
    repeat: int | None = None
    timeout: float | None = None
    settings: list[str] | None = None

    def given(self) -> list[str]:
        """Return the options that were given, as they are written."""
        values = {
            "--costs": self.costs,
            "--cpus": self.cpus,
            "--repeat": self.repeat,
            "--timeout": self.timeout,
            "--set": self.settings,
        }
        return [name for name, value in values.items() if value is not None]


def compare_host(named: Sequence[str], options: HostOptions, as_json: bool, as_csv: bool) -> int:
    """Run one preset on all sides and print the table.

    Raises:
        CliError: it is no preset, cannot run natively, or a run broke.
    """
    from cluster.calibration.sides import ProbeError, usable_cpus
    from cluster.cli.predict import for_both_sides
    from cluster.cli.presets import preset_named
    from cluster.prediction.beside import NothingRead, beside, emulated_measures
    from cluster.prediction.emulated import EmulatedError

    if len(named) != 1:
        raise CliError(USAGE, "usage", "--host: name one preset")
    preset = preset_named(Path(named[0]))
    if preset is None:
        what = "no preset (smplab list presets); smplab predict compares a configuration"
        raise CliError(USAGE, "usage", f"--host: {named[0]}: {what}")
    if not preset.timed:
        raise CliError(USAGE, "usage", f"--host: {named[0]}: prints no times of this host")
    here = usable_cpus()
    cpus = options.cpus if options.cpus is not None else len(here)
    loaded, spec = for_both_sides(Path(named[0]), options.costs, cpus, options.settings, ())
    try:
        emulated = emulated_measures(loaded, spec, preset)
        found = beside(
            preset,
            emulated,
            here[-spec.cpus :],
            options.repeat or REPEAT,
            options.timeout or TIMEOUT_S,
        )
    except (EmulatedError, NothingRead, ProbeError) as error:
        raise CliError(BROKEN, "compare", str(error)) from None
    if as_json:
        print(json.dumps({"preset": named[0], "cpus": spec.cpus, **_data(found)}, indent=2))
    elif as_csv:
        print(_csv(found), end="")
    else:
        profile = loaded.config.costs.profile
        count = "1 CPU" if cpus == 1 else f"{cpus} CPUs"
        for line in table(found, f"{named[0]}, {count}, costs of {profile}"):
            print(line)
    return OK


def table(found: "Beside", title: str) -> list[str]:
    """Return the rows as lines, a measure after the other, and the notes."""
    from cluster.cli.predict import shown

    width = max(len(row.measure) for row in found.rows)
    sides = max(len(row.side) for row in found.rows)
    coverage = min((row.found.coverage for row in found.rows if row.runs > 1), default=0.0)
    head = f"{coverage:.0%} interval" if coverage else ""
    lines = [title, f"{'':<{width}}  {'':<{sides}} {'median':>14}  {head:<29}  emulated is off by"]
    emulated = {row.measure: row.found.value for row in found.rows if row.side == "emulated"}
    measure = ""
    for row in found.rows:
        unit = "/s" if row.measure.endswith("/s") else "ns"
        first = row.measure if row.measure != measure else ""
        measure = row.measure
        ends = ""
        if row.runs > 1:
            ends = f"{shown(row.found.low, unit)} … {shown(row.found.high, unit)}"
        off = ""
        if row.side != "emulated" and row.measure in emulated and row.found.value:
            off = f"{emulated[row.measure] / row.found.value - 1:+.1%}"
        value = shown(row.found.value, unit)
        line = f"{first:<{width}}  {row.side:<{sides}} {value:>14}  {ends:<29}  {off:>9}"
        lines.append(line.rstrip())
    return lines + found.notes


def _values(row: "Row") -> dict[str, str | int | float]:
    one = row.found
    return {
        "measure": row.measure,
        "side": row.side,
        "runs": row.runs,
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "coverage": one.coverage,
    }


def _data(found: "Beside") -> dict[str, object]:
    return {"rows": [_values(row) for row in found.rows], "notes": found.notes}


def _csv(found: "Beside") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(_values(found.rows[0])), lineterminator="\n")
    writer.writeheader()
    writer.writerows(_values(row) for row in found.rows)
    return out.getvalue()
