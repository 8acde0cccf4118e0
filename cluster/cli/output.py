"""``smplab output``: what the guest programs of a run wrote."""

import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from cluster.cli.options import RunArgument
from cluster.cli.trace import print_lines
from cluster.exit_codes import USAGE, CliError

if TYPE_CHECKING:
    from cluster.outputs import OutputReader

_SHOWN = 5


def output(
    run: RunArgument,
    labels: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LABEL]...", help="Programs, as in the list; * and ? stand for more than one."
        ),
    ] = None,
) -> None:
    """List the programs of a run that wrote something, or print what they wrote.

    What a program and its descendants wrote to their standard output comes on ours, what they wrote
    to their standard error on ours. Of several programs each line begins with the label.
    """
    from cluster.outputs import OutputError
    from cluster.rundir import RunDir, RunDirError, run_path

    try:
        with RunDir.open(run_path(run)).outputs() as reader:
            if not reader.complete:
                print(
                    "smplab: note: the run was cut; this is what had been written", file=sys.stderr
                )
            if not labels:
                print_lines(_listing(reader))
                return
            chosen = _chosen(reader, labels, run)
            if len(chosen) == 1:
                _copy(reader, chosen)
            else:
                _copy_lines(reader, chosen)
    except RunDirError as error:
        raise CliError(USAGE, "no run", str(error)) from None
    except OutputError as error:
        raise CliError(USAGE, "bad outputs", str(error)) from None


def in_order(label: str) -> list[tuple[int, str]]:
    """Return the key by which people sort labels: ``storm.9`` before ``storm.10``."""
    parts = re.split(r"(\d+)", label)
    return [(int(part) if part.isdecimal() else -1, part) for part in parts]


def _listing(reader: "OutputReader") -> Iterator[str]:
    from kernel.trace.printable import printable_line

    sizes: dict[str, dict[str, int]] = {}
    for one in reader.outputs:
        sizes.setdefault(one.label, {})[one.stream] = one.size
    if not sizes:
        yield "no program wrote anything"
        return
    shown = {label: printable_line(label) for label in sizes}
    width = max(len("LABEL"), *map(len, shown.values()))
    yield f"{'LABEL':{width}} {'STDOUT':>10} {'STDERR':>10}"
    for label in sorted(sizes, key=in_order):
        of = sizes[label]
        yield f"{shown[label]:{width}} {of.get('stdout', 0):>10} {of.get('stderr', 0):>10}"


def _chosen(reader: "OutputReader", labels: list[str], run: Path) -> set[str]:
    """Return the labels that were asked for; raise CliError for one that is not there."""
    known = reader.labels()
    chosen = set()
    for label in labels:
        found = {label} if label in known else {one for one in known if fnmatchcase(one, label)}
        if not found:
            raise CliError(USAGE, "no output", _missing(label, known, run))
        chosen |= found
    return chosen


def _missing(label: str, known: list[str], run: Path) -> str:
    if not known:
        return f"no program of {run} wrote anything"
    shown = sorted(known, key=in_order)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return f"nothing by {label} in {run}; there is: {', '.join(shown[:_SHOWN])}{more}"


def _stream(name: str) -> IO[bytes] | None:
    stream = sys.stderr if name == "stderr" else sys.stdout
    return None if stream is None else stream.buffer  # None: closed before we were started


def _copy(reader: "OutputReader", chosen: set[str]) -> None:
    """Print the bytes as they are, in the order in which they were written."""
    last = ""
    for piece in reader.pieces(chosen):
        if last and piece.stream != last:
            _flush()
        last = piece.stream
        stream = _stream(piece.stream)
        if stream is not None:
            stream.write(piece.data)
    _flush()


def _copy_lines(reader: "OutputReader", chosen: set[str]) -> None:
    """Print whole lines, each behind the label of who wrote it, when it was complete."""
    rest: dict[tuple[str, str], bytes] = {}
    for piece in reader.pieces(chosen):
        key = (piece.label, piece.stream)
        *lines, rest[key] = (rest.get(key, b"") + piece.data).split(b"\n")
        for line in lines:
            _line(key, line)
    for key, line in rest.items():
        if line:
            _line(key, line)
    _flush()


def _line(key: tuple[str, str], line: bytes) -> None:
    from kernel.trace.printable import printable_line

    label, name = key
    stream = _stream(name)
    if stream is not None:
        stream.write(printable_line(label).encode("utf-8", "replace") + b": " + line + b"\n")


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def register(app: typer.Typer) -> None:
    """Add the command ``output`` to ``app``."""
    app.command()(output)
