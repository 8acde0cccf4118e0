"""hackbench of rt-tests: groups of processes that send each other messages.

Source: rt-tests 2.4, src/hackbench/hackbench.c and hackbench(8).
"""

import re
from typing import Final

from cluster.presets.family import Family, Measures, Preset, measures_of
from cluster.presets.messaging import messages, messaging
from cluster.presets.options import OptionProblems, flag, read_options, refused, whole

OPTIONS: Final = (
    whole("-g --groups", "groups", 10, 1, 1000),
    whole("-l --loops", "messages of each sender to each receiver", 100, 1, 1_000_000),
    whole("-f --fds", "senders of a group, and receivers", 20, 1, 400),
    whole("-s --datasize", "bytes of a message", 100, 1, 1_000_000),
    flag("-p --pipe", "pipes instead of socket pairs"),
    flag("-T --threads", "threads instead of processes"),
    flag("-P --process", "processes (as without it)"),
    refused("-i --inet", "the emulated machine has no network"),
    refused("-F --fifo", "the configuration gives tasks their scheduling class"),
)
_TIME: Final = re.compile(r"^Time: +([0-9.]+)$", re.MULTILINE)


def _make(words: list[str]) -> Preset:
    if words and not words[0].startswith("-"):
        words = [f"--{words[0]}", *words[1:]]
    given = read_options(words, OPTIONS)
    if given.flag("threads") and given.flag("process"):
        raise OptionProblems(["-T and -P: name one"])
    groups, fds, loops = given.number("groups"), given.number("fds"), given.number("loops")
    mode = "threaded" if given.flag("threads") else "process"
    head = [
        f"Running in {mode} mode with {groups} groups using {2 * fds} file descriptors each "
        f"(== {2 * groups * fds} tasks)",
        f"Each sender will pass {loops} messages of {given.number('datasize')} bytes",
    ]

    def read(output: str) -> Measures:
        match = _TIME.search(output)
        return measures_of(match and match[1], messages(given), "messages/s")

    return Preset(messaging(given, head, ("Time: ", "")), ("hackbench", *words), read)


FAMILY: Final = Family(
    "hackbench",
    "hackbench of rt-tests: groups of processes that send each other messages",
    _make,
    tuple(option.shown() for option in OPTIONS if not option.why_not),
    ("hackbench:-p -g 10 -l 1000", "hackbench:pipe,groups=2,loops=100"),
)
