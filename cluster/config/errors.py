"""What is wrong with a configuration: problems with a place, a path and a reason."""

from dataclasses import dataclass
from typing import Any, Final

from kernel.trace.printable import printable_line

KeyPath = tuple[str | int, ...]

_GOT_CHARS: Final = 60


@dataclass(slots=True, frozen=True)
class Problem:
    """One finding: ``file:line:col: path: what``.

    ``file`` is the flag instead where a flag said it; ``line`` is 0 where there is no place.
    """

    file: str
    line: int
    column: int
    path: str
    what: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return printable_line(": ".join(part for part in (place, self.path, self.what) if part))


class ConfigError(Exception):
    """A configuration cannot be used. ``problems`` holds every finding, in file order.

    ``programs``: a line for each problem of the programs that it names, if somebody has looked.
    """

    def __init__(self, problems: list[Problem], programs: tuple[str, ...] = ()) -> None:
        problems = sorted(problems, key=lambda problem: (problem.line, problem.column))
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
        self.programs = programs


def dotted(path: KeyPath) -> str:
    """Return ``path`` as ``--set`` takes it: ``workloads.0.params``."""
    return ".".join(str(part) for part in path)


def got(value: Any) -> str:
    """Return ``(got …)`` for a message: the value as written, at most 60 characters of it."""
    if isinstance(value, dict):
        text = "a mapping" if value else "an empty mapping"
    elif isinstance(value, list | tuple):
        text = "a list" if value else "an empty list"
    elif value is None:
        text = "nothing"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int) and value.bit_length() > 200:
        text = f"a number of {value.bit_length()} bits"
    else:
        text = repr(value)
    return f"(got {text if len(text) <= _GOT_CHARS else text[: _GOT_CHARS - 1] + '…'})"
