"""hackbench of rt-tests: groups of processes that send each other messages.

Source: rt-tests 2.4, src/hackbench/hackbench.c and hackbench(8).
"""

import re
from typing import Final

from cluster.imports.format import filled
from cluster.presets.family import Family, Measures, Preset
from cluster.presets.options import (
    TEXT,
    Given,
    OptionProblems,
    flag,
    read_options,
    refused,
    whole,
)

MOST_TASKS: Final = 30_000  # of a pid_max of 32,768
OPTIONS: Final = (
    whole("-g --groups", "groups", 10, 1, 1000),
    whole("-l --loops", "messages of each sender to each receiver", 100, 1, 1_000_000),
    whole("-f --fds", "senders of a group, and receivers", 20, 1, 400),
    whole("-s --datasize", "bytes of a message", 100, 1, 1 << 20),
    flag("-p --pipe", "pipes instead of socket pairs"),
    flag("-T --threads", "threads instead of processes"),
    flag("-P --process", "processes (as without it)"),
    refused("-i --inet", "the emulated machine has no network"),
    refused("-F --fifo", "the configuration gives tasks their scheduling class", TEXT),
)
_TIME: Final = re.compile(r"^Time: +([0-9.]+)$", re.MULTILINE)


def messaging(given: Given, head: list[str], time: tuple[str, str]) -> str:
    """Return the program for groups that send messages, which perf bench has, too.

    Args:
        given: has ``groups``, ``loops``, ``fds``, ``datasize``, ``pipe`` and ``threads``.
        head: lines to print first.
        time: what stands before and after the seconds, in the last line.

    Raises:
        OptionProblems: there would be too many tasks.
    """
    tasks = 2 * given.number("groups") * given.number("fds")
    if tasks > MOST_TASKS:
        raise OptionProblems([f"{tasks:,} tasks: at most {MOST_TASKS:,} (groups * fds * 2)"])
    table = {
        "groups": given.number("groups"),
        "loops": given.number("loops"),
        "fds": given.number("fds"),
        "size": given.number("datasize"),
        "pipe": given.flag("pipe"),
        "threads": given.flag("threads"),
        "head": head,
        "time": list(time),
    }
    return filled("_messaging", table)


def messages(given: Given) -> int:
    """Return how many messages are sent in all."""
    return given.number("groups") * given.number("fds") ** 2 * given.number("loops")


def _make(words: list[str]) -> Preset:
    if words and not words[0].startswith("-"):
        words = [f"--{words[0]}", *words[1:]]
    given = read_options(words, OPTIONS)
    groups, fds, loops = given.number("groups"), given.number("fds"), given.number("loops")
    mode = "threaded" if given.flag("threads") else "process"
    head = [
        f"Running in {mode} mode with {groups} groups using {2 * fds} file descriptors each "
        f"(== {2 * groups * fds} tasks)",
        f"Each sender will pass {loops} messages of {given.number('datasize')} bytes",
    ]

    def read(output: str) -> Measures:
        return measures_of(_TIME.search(output), messages(given))

    return Preset(messaging(given, head, ("Time: ", "")), ("hackbench", *words), read)


def measures_of(match: "re.Match[str] | None", operations: int) -> Measures:
    """Return the time that was found, and the rate of so many operations in it."""
    if match is None:
        return {}
    seconds = float(match[1])
    return {"time": seconds, **({"messages/s": operations / seconds} if seconds else {})}


FAMILY: Final = Family(
    "hackbench",
    "hackbench of rt-tests: groups of processes that send each other messages",
    _make,
    tuple(option.shown() for option in OPTIONS if not option.why_not),
    ("hackbench:-p -g 10 -l 1000", "hackbench:pipe,groups=2,loops=100"),
)
