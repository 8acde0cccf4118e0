"""``smplab calibrate``: measure what this host's kernel costs, as a cost profile."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.cli.writing import check_writable
from cluster.exit_codes import BROKEN, OK, USAGE, CliError

if TYPE_CHECKING:
    from cluster.calibration.solve import Check, Found

QUICK_S = 1.0


def calibrate(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="The profile; else stdout.")
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1, max=86_400, help="How long to measure; three rounds at least.")
    ] = 60.0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Three rounds, whatever they say.")
    ] = False,
    name: Annotated[str, typer.Option(help="Name of the profile.")] = "calibrated",
) -> int:
    """Measure fork, exec, exit, wait, faults, switches, pipes, locks… of this host.

    Small programs run natively on one or two CPUs, and emulated; the costs are those with which
    the emulated ones take as long. The file goes into a configuration: costs: ./costs.yaml. A
    value whose interval is wider than 10 % either way is told to be noisy. Exit codes: 0, 2 wrong
    usage, 3 a program could not be run here.
    """
    import time

    from cluster.calibration.measure import kinds_here, rounds
    from cluster.calibration.profile import host_facts, profile_text
    from cluster.calibration.sides import ProbeError, emulated_numbers, native_numbers
    from cluster.calibration.solve import check, solve
    from cluster.rundir import write_atomically

    _check_place(out, name)
    host = host_facts()
    try:
        samples = rounds(
            kinds_here(),
            native_numbers,
            QUICK_S if quick else seconds,
            time.monotonic,
            _told,
        )
        costs, found = solve(samples, emulated_numbers)
        checks = check(costs, samples, emulated_numbers, found)
    except ProbeError as error:
        raise CliError(BROKEN, "calibrate", str(error)) from None
    finally:
        _done()
    host["rounds"] = str(len(samples))
    host["measured"] = time.strftime("%Y-%m-%d")
    text = profile_text(name, host, found, checks)
    if out is None:
        print(text, end="")
    else:
        write_atomically(out, text.encode())
        for line in table(found, checks):
            print(line)
    _warn(found)
    return OK


def _check_place(out: Path | None, name: str) -> None:
    """Say before a minute of work what would make it worthless.

    Raises:
        CliError: the profile could not be written, or not be read again.
    """
    import re

    from cluster.config.models import NAME_PATTERN

    if not re.search(NAME_PATTERN, name):
        raise CliError(USAGE, "usage", f"--name {name}: letters, digits, '.', '_' and '-' only")
    check_writable(out=out)


def _told(number: int, kind: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[Kround {number}: {kind}", end="", file=sys.stderr, flush=True)


def _done() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def table(found: "list[Found]", checks: "list[Check]") -> list[str]:
    """Return the costs and the checks as lines."""
    lines = [f"{'cost':<18} {'value':>9}  {'interval':>21}  from"]
    for each in found:
        interval = f"{each.low:,} … {each.high:,}"
        mark = " (noisy)" if each.noisy else ""
        lines.append(f"{each.name:<18} {each.value:>9,}  {interval:>21}  {each.step.source}{mark}")
    lines += ["", f"{'not fitted':<58} {'host':>11} {'emulated':>11}  error"]
    for one in checks:
        row = f"{one.step.source:<58} {one.measured.value:>11,.0f} {one.emulated:>11,.0f}"
        lines.append(f"{row}  {one.error:+.1%}")
    return lines


def _warn(found: "list[Found]") -> None:
    noisy = [each.name for each in found if each.noisy]
    if noisy:
        print(
            f"smplab: note: noisy host: {', '.join(noisy)} may be off by more than 10 %; "
            "measure longer (--seconds), or when less runs here",
            file=sys.stderr,
        )


def register(app: typer.Typer) -> None:
    """Add the command ``calibrate`` to ``app``."""
    app.command()(calibrate)
