"""``smplab diff``: run guest programs on the host's kernel and emulated, and compare.

``smplab diff [OPTIONS] PROGRAM... [-- ARG...]``: programs and folders of programs; what follows
``--`` are the arguments of each program.

What befalls one program is its verdict: a host run that fails, even an internal error of the
emulator, ends nothing else. Ctrl-C ends the comparison with the table so far.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperCommand

from cluster.exit_codes import (
    BROKEN,
    FAILED,
    INCONCLUSIVE,
    INVARIANT,
    OK,
    USAGE,
    CliError,
)

if TYPE_CHECKING:
    from cluster.diff import Plan, Progress
    from cluster.diff_report import Row

_ARGUMENTS: Final = "smplab.program_arguments"
_MAX_SEEDS: Final = 100_000
_BOTH_SCHEMES: Final = ("exact", "barrier")
_MAX_RUNS: Final = 10_000
# verdict -> exit code, the worst first; what is not here says why a program was not compared
_CODES: Final = {
    "invariant violated": INVARIANT,
    "internal error": BROKEN,
    "host run failed": BROKEN,
    "emulated run failed": BROKEN,
    "": USAGE,
    "different": FAILED,
    "inconclusive": INCONCLUSIVE,
    "same": OK,
}


class DiffCommand(TyperCommand):
    """Keeps what follows ``--`` apart: it is for the programs, not for us."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the programs' arguments away, then parse as always."""
        if "--" in args:
            place = args.index("--")
            ctx.meta[_ARGUMENTS] = args[place + 1 :]
            args = args[:place]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("diff", cls=DiffCommand)(diff)


def diff(
    context: typer.Context,
    programs: Annotated[
        list[Path],
        typer.Argument(
            metavar="PROGRAM... [-- ARG...]", help="Guest programs, folders of them, presets."
        ),
    ],
    runs: Annotated[
        int, typer.Option(min=1, max=_MAX_RUNS, help="Host runs of each program, at least.")
    ] = 1,
    max_runs: Annotated[
        int,
        typer.Option(
            min=1,
            max=_MAX_RUNS,
            help="Host runs at most, while an emulated outcome is not among the host's and the "
            "host still shows new ones.",
        ),
    ] = 100,
    seeds: Annotated[
        int, typer.Option(min=1, max=_MAX_SEEDS, help="How many seeds; at step: schedules.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="The first seed.")] = 42,
    cpus: Annotated[str, typer.Option(help="CPUs of the emulated machines.")] = "1,2,8",
    granularity: Annotated[
        str, typer.Option(help="syscall, step or both: syscall,step.")
    ] = "syscall,step",
    scheme: Annotated[
        str,
        typer.Option(
            help="exact, barrier or both: exact,barrier; or others: lax, FILE.py:CLASS, installed."
        ),
    ] = "exact",
    check: Annotated[
        bool, typer.Option("--check", help="Check all invariants while running, too.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.1, max=1e6, help="Seconds for each run.")] = 60.0,
    unbuffered: Annotated[
        bool, typer.Option("-u", help="Both sides as python3 -u: streams are not buffered.")
    ] = False,
    stdin: Annotated[
        Path | None, typer.Option(help="A file: the standard input of both sides.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> int:
    """Run each PROGRAM on this host's kernel and emulated; compare the sets of outcomes.

    An outcome is standard output and error, exit status and process tree. Every outcome of the
    emulator must be one of the host's. Emulated runs: every combination of CPUs, seeds,
    granularities and schemes. What follows -- are the arguments of each program.

    Exits 0 if all agree, 1 if one differs, 5 if one is inconclusive (the host has not shown all
    that it can do), 2 if one cannot be compared (outside the guest language, not emulated), 3 if
    the host could not run one or the emulator broke, 4 if an invariant does not hold, 130 on
    Ctrl-C; of several the worst: 4, 3, 2, 1, 5.
    """
    from cluster.cli.common import check_machine_options, read_stdin
    from cluster.cli.presets import as_files
    from cluster.diff import Plan
    from cluster.emulated import GRANULARITIES

    check_machine_options(1, seed)
    plan = Plan(
        cpus=_list("--cpus", cpus, _cpus),
        seeds=tuple(range(seed, seed + seeds)),
        granularities=_list(
            "--granularity", _both(granularity, GRANULARITIES), _one_of(GRANULARITIES)
        ),
        schemes=_list("--scheme", _both(scheme, _BOTH_SCHEMES), _scheme),
        runs=runs,
        max_runs=max(runs, max_runs),
        check=check,
        timeout_s=timeout,
        unbuffered=unbuffered,
        stdin=None if stdin is None else read_stdin(stdin),
    )
    arguments = context.meta.get(_ARGUMENTS, [])
    with as_files(programs) as files:
        return _compare_all(files, list(map(str, programs)), arguments, plan, as_json)


def _compare_all(
    places: Sequence[Path],
    names: Sequence[str],
    arguments: Sequence[str],
    plan: "Plan",
    as_json: bool,
) -> int:
    """Compare every program, print the report, and return the exit code.

    Args:
        places: programs and folders of them.
        names: what the user calls each.
    """
    from cluster.cli.interrupts import interruption

    called = dict(zip(places, names))
    named = [(file, called.get(file, str(file))) for file in find_programs(places)]
    rows: list[Row] = []
    try:
        _compare(named, arguments, plan, rows, details=not as_json)
    except KeyboardInterrupt:
        code, message = interruption()
        _print_report(rows, as_json)
        left = f"{len(rows)} of {len(named)} programs compared"
        raise CliError(code, "interrupted", f"{message}, {left}") from None
    _print_report(rows, as_json)
    return _exit_code(rows)


def _compare(
    files: Sequence[tuple[Path, str]],
    arguments: Sequence[str],
    plan: "Plan",
    rows: list["Row"],
    *,
    details: bool,
) -> None:
    """Add to ``rows`` what becomes of each program; print ``details`` as they come.

    What has been added stays if Ctrl-C ends it.
    """
    from cluster.diff_report import render_details
    from cluster.progress import DiffProgress

    with DiffProgress(len(files)) as progress:
        for file, name in files:
            progress.next(name)
            row = replace(_diff_one(file, arguments, plan, progress.tell), program=name)
            rows.append(row)
            if details and (text := render_details(row)):
                progress.clear()
                sys.stdout.write(text + "\n")
                sys.stdout.flush()


def _print_report(rows: Sequence["Row"], as_json: bool) -> None:
    from cluster.diff_report import render_table, to_json

    text = json.dumps(to_json(rows), indent=1) if as_json else render_table(rows)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def find_programs(paths: Sequence[Path]) -> list[Path]:
    """Return the programs that the user named: files as they are, and those of folders, sorted.

    Raises:
        CliError: there is no such file, or a folder without programs.
    """
    files = []
    for path in paths:
        if path.is_dir():
            found = sorted(path.rglob("*.py"))
            if not found:
                raise CliError(USAGE, "usage", f"{path}: no programs (*.py) in this folder")
            files += found
        elif path.exists():
            files.append(path)
        else:
            hint = "" if path.suffix == ".py" else "; arguments of the program go after --"
            raise CliError(USAGE, "usage", f"{path}: no such file{hint}")
    return files


def _diff_one(file: Path, arguments: Sequence[str], plan: "Plan", progress: "Progress") -> "Row":
    """Compare one program; whatever goes wrong with it is its verdict."""
    from cluster.config.errors import ConfigError
    from cluster.diff import NotCompared, diff_program
    from cluster.diff_report import Failure
    from cluster.native import NativeError
    from workloads.language.errors import GuestProgramError

    try:
        return diff_program(file, arguments, plan, progress=progress)
    except NotCompared as error:
        return Failure(str(file), error.kind, error.message)
    except NativeError as error:
        return Failure(str(file), "host run failed", str(error))
    except GuestProgramError as error:
        return Failure(str(file), "guest program", str(error))
    except ConfigError as error:
        return Failure(str(file), "config error", str(error))
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("SMPLAB_TRACEBACK") == "1":
            raise
        what = " ".join(str(error).split())[:500]
        return Failure(str(file), "internal error", f"{type(error).__name__}: {what}")


def _exit_code(rows: Sequence["Row"]) -> int:
    from cluster.diff_report import verdict

    found = {verdict(row) if verdict(row) in _CODES else "" for row in rows}
    return next(code for one, code in _CODES.items() if one in found)


def _list(option: str, text: str, convert: Callable[[str], Any]) -> tuple[Any, ...]:
    """Return the parts of a list like ``1,2,8``, each once, in the order they are given in."""
    try:
        values = [convert(part.strip()) for part in text.split(",")]
    except ValueError as error:
        raise CliError(USAGE, "usage", f"{option}: {error}") from None
    return tuple(dict.fromkeys(values))


def _cpus(text: str) -> int:
    from cluster.cli.common import check_machine_options

    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError(f"must be numbers with commas between (got {text!r})")
    check_machine_options(int(text), 0)
    return int(text)


def _scheme(name: str) -> str:
    """Return the name of a scheme that the local engine has, or that comes from outside."""
    from cluster.sync.scheme import SchemeError, scheme_class

    try:
        engines = scheme_class(name).engines
    except SchemeError as error:
        raise ValueError(str(error)) from None
    if name == "slack":
        raise ValueError("slack needs a bound, which only configurations have: take lax")
    if "local" not in engines:
        raise ValueError(f"{name} runs on {', '.join(sorted(engines))}, not on the local engine")
    return name


def _both(text: str, known: Sequence[str]) -> str:
    """Return ``text``, or all there is for "both"."""
    return ",".join(known) if text.strip() == "both" else text


def _one_of(known: Sequence[str]) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return text

    return convert
