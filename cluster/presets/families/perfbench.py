"""perf bench: sched pipe, sched messaging, and system calls.

The collection (``sched``, ``syscall``) may be left out.

Source: Linux tools/perf/bench/sched-pipe.c, sched-messaging.c, syscall.c.
"""

import re
from typing import Final

from cluster.imports.format import filled
from cluster.presets.family import Family, Measures, Preset, benchmark_of, measures_of
from cluster.presets.messaging import messages, messaging
from cluster.presets.options import Given, Option, flag, read_options, refused, whole

_LOOPS: Final = 100_000_000
_MESSAGING: Final = (
    whole("-g --group", "groups of 20 senders and 20 receivers", 10, 1, 750),
    whole("-l --nr_loops", "messages of each sender to each receiver", 100, 1, 1_000_000),
    flag("-p --pipe", "pipes instead of socket pairs"),
    flag("-t --thread", "threads instead of processes"),
)
_PIPE: Final = (
    whole("-l --loop", "bytes to and fro", 1_000_000, 1, _LOOPS),
    flag("-T --threaded", "threads instead of processes"),
    refused("-n --nonblocking", "what waits in epoll is not modelled"),
    refused("-G --cgroups", "name the group in the configuration: cgroup of the workload", "text"),
)
#: benchmark -> collection, options, what it calls
_BENCHMARKS: Final[dict[str, tuple[str, tuple[Option, ...], str]]] = {
    "pipe": ("sched", _PIPE, "pipe operations between two {}"),
    "messaging": ("sched", _MESSAGING, ""),
    "basic": ("syscall", (whole("-l --loop", "calls", 10_000_000, 1, _LOOPS),), "getppid() calls"),
    "getpgid": (
        "syscall",
        (whole("-l --loop", "calls", 10_000_000, 1, _LOOPS),),
        "getpgid() calls",
    ),
    "fork": ("syscall", (whole("-l --loop", "forks", 10_000, 1, _LOOPS),), "fork() calls"),
    "execve": (
        "syscall",
        (whole("-l --loop", "forks with execve()", 10_000, 1, _LOOPS),),
        "execve() calls",
    ),
}
_ABOUT: Final = {
    "pipe": "two processes send each other a word to and fro",
    "messaging": "hackbench, with its own options",
    "basic": "getppid()",
    "getpgid": "getpgid(0)",
    "fork": "a child that leaves at once, and waitpid()",
    "execve": "a child that executes /bin/true, and waitpid()",
}
_TIME: Final = re.compile(r"Total time: +([0-9.]+) \[sec\]")


def _make(words: list[str]) -> Preset:
    collection = words[0] if words and words[0] in ("sched", "syscall") else ""
    rest = words[1:] if collection else words
    known = [name for name, (of, _, _) in _BENCHMARKS.items() if collection in ("", of)]
    # a collection alone, in the short form: its benchmark stands as a long option
    rest = [word.removeprefix("--") if not number else word for number, word in enumerate(rest)]
    name, rest = benchmark_of(rest, known, "benchmark of perf bench")
    collection, options, calls = _BENCHMARKS[name]
    given = read_options(rest, options)
    tool = ("perf", "bench", collection, name, *rest)
    if name == "messaging":
        return _messaging(given, tool)
    threads = name == "pipe" and given.flag("threaded")
    loops = given.number("loop")
    what = calls.format("threads" if threads else "processes")
    head = [f"# Running '{collection}/{name}' benchmark:", f"# Executed {loops} {what}"]
    table = {"benchmark": name, "loops": loops, "threads": threads, "head": head}

    def read(output: str) -> Measures:
        match = _TIME.search(output)
        return measures_of(match and match[1], loops, "ops/s")

    return Preset(filled("_perf_bench", table), tool, read)


def _messaging(given: Given, tool: tuple[str, ...]) -> Preset:
    same = Given(
        {
            "groups": given.number("group"),
            "loops": given.number("nr_loops"),
            "fds": 20,
            "datasize": 100,
            "pipe": given.flag("pipe"),
            "threads": given.flag("thread"),
        }
    )
    kind = "threads" if given.flag("thread") else "processes"
    groups = given.number("group")
    head = [
        "# Running 'sched/messaging' benchmark:",
        f"# 20 sender and receiver {kind} per group",
        f"# {groups} groups == {40 * groups} {kind} run",
        "",
    ]

    def read(output: str) -> Measures:
        match = _TIME.search(output)
        return measures_of(match and match[1], messages(same), "messages/s")

    return Preset(messaging(same, head, (f"{'Total time':>15}: ", " [sec]")), tool, read)


def _rows() -> tuple[tuple[str, str], ...]:
    rows = []
    for name, (collection, options, _) in _BENCHMARKS.items():
        rows.append((name, f"{collection} {name}: {_ABOUT[name]}"))
        rows += [
            (f"  {names}", about)
            for names, about in (option.shown() for option in options if not option.why_not)
        ]
    return tuple(rows)


FAMILY: Final = Family(
    "perfbench",
    "perf bench: messages, pipes and system calls",
    _make,
    _rows(),
    ("perfbench:pipe", "perfbench:sched messaging -g 2 -l 50 -p", "perfbench:fork,loop=100"),
)
