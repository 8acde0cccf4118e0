"""What a family of presets is: a ``Family`` in a module of ``cluster.presets.families``.

A family gets the words after its name and returns a ``Preset``: the text of a guest program
(``docs/guest-language.md``), and how the tool itself is asked for the same. The program prints what
the tool prints, as far as that is of use, so that one reader takes the times of both.
"""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cluster.presets.options import OptionProblems

#: what a program takes natively and emulated beside its table: whether it prints times
QUIET: Final = "report=plain"

Measures = dict[str, float]
Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Preset:
    """One preset.

    Attributes:
        program: the text of the guest program.
        tool: command of the real tool that does the same, and prints its times.
        no_tool: where ``tool`` is empty: why there is none.
        timed: whether it prints times.
        read: takes what the program or the tool has printed, standard output and error; returns
            its measures, by name, in the order of a table: times in s, rates (their names end with
            ``/s``) in 1/s. Empty: there are none in it.
    """

    program: str
    tool: tuple[str, ...]
    read: Callable[[str], Measures]
    no_tool: str = ""
    timed: bool = True


@dataclass(frozen=True, slots=True)
class Family:
    """Presets of one tool.

    Attributes:
        name: what stands before the colon.
        summary: one line, for listings.
        make: gets the words; returns the preset, or raises OptionProblems.
        rows: what can be asked for, and what it means.
        examples: whole presets.
    """

    name: str
    summary: str
    make: Callable[[list[str]], Preset]
    rows: Rows
    examples: tuple[str, ...]


def measures_of(seconds: str | None, count: int, rate: str) -> Measures:
    """Return a time that was read, in s, and the rate at which ``count`` things were done in it.

    Args:
        seconds: None: nothing was read, and so there are no measures.
        count: of what was done.
        rate: what that is called. A time that is printed as 0 has no rate.
    """
    if seconds is None:
        return {}
    took = float(seconds)
    return {"time": took, **({rate: count / took} if took else {})}


def words_of(text: str) -> list[str]:
    """Return the words of what stands after the colon.

    They are those of a shell. The first may be several with commas between them: in
    ``fork,ops=10`` all but the first then stand for long options (``fork --ops=10``), as do all
    that have a value.

    Raises:
        OptionProblems: a quote does not end.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise OptionProblems([f"{text}: {str(error).lower()}"]) from None
    if not words or words[0].startswith("-"):
        return words
    parts: list[str] = []
    for number, part in enumerate(words[0].split(",")):
        after_flag = bool(parts) and parts[-1].startswith("-") and not parts[-1].startswith("--")
        if part.startswith("-") or after_flag or (number == 0 and "=" not in part):
            parts.append(part)
        else:
            parts.append(f"--{part}")
    return parts + words[1:]


def benchmark_of(words: Sequence[str], known: Sequence[str], what: str) -> tuple[str, list[str]]:
    """Return the first word, which must be one of ``known``, and the rest.

    Raises:
        OptionProblems: it is none of them; says what there is.
    """
    first = words[0] if words else ""
    if first in known:
        return first, list(words[1:])
    found = f"no {what} {first!r}" if first and not first.startswith("-") else f"no {what} is named"
    raise OptionProblems([f"{found} (known: {', '.join(known)})"])
