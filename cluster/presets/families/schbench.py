"""schbench: latencies of wake-ups, and of requests that sleep and compute.

A request multiplies matrices; its CPU time here is half a nanosecond for each product of two
numbers, as on a CPU of 2.8 GHz, however large the footprint: there is no model of caches.

Deviation: threads are processes; there are no locks for each CPU, as with ``-L``.

Source: schbench.c of masoncl/schbench (1.0 and later): options, who wakes whom, what is counted.
"""

import re
from math import isqrt
from typing import Final

from cluster.imports.format import filled
from cluster.presets.family import Family, Measures, Preset
from cluster.presets.options import TEXT, OptionProblems, flag, read_options, refused, whole

_MOST_THREADS: Final = 4096
_ONCE: Final = "latencies are printed once, at the end, of all of the run"
_PLACE: Final = "cgroups and topologies of the configuration say which CPUs there are"
OPTIONS: Final = (
    whole("-m --message-threads", "message threads", 1, 1, 1000),
    whole("-t --threads", "workers of each", 8, 1, 4000),
    whole("-r --runtime", "seconds", 30, 1, 86_400),
    whole("-n --operations", "matrices to multiply for a request", 5, 1, 100_000),
    whole("-F --cache_footprint", "KiB of three matrices", 256, 1, 65_536),
    whole("-s --sleep_usec", "microseconds that a request sleeps first", 100, 0, 10_000_000),
    whole(
        "-R --rps", "requests a second of a message thread; 0: as many as there are", 0, 0, 10**6
    ),
    flag("-L --no-locking", "as without it: there are no locks for each CPU"),
    refused("-p --pipe", "its copies go through caches, of which there is no model", TEXT),
    refused("-A --auto-rps", "name a rate: -R", TEXT),
    refused("-C --calibrate", "CPU time needs no calibration here"),
    refused("-w --warmuptime", _ONCE, TEXT),
    refused("-i --intervaltime", _ONCE, TEXT),
    refused("-z --zerotime", _ONCE, TEXT),
    refused("-j --json", "smplab compare --host has --json", TEXT),
    refused("-J --jobname", "smplab compare --host has --json", TEXT),
    refused("-M --message-cpus", _PLACE, TEXT),
    refused("-W --worker-cpus", _PLACE, TEXT),
    refused("-P --pin", _PLACE, TEXT),
)
_SECTION: Final = re.compile(
    r"^(Wakeup|Request) Latencies percentiles .*\n((?:[ \t*]+.*\n)*)", re.M
)
_LATENCY: Final = re.compile(r"(\d+\.\d)th: +(\d+)")
_RATE: Final = re.compile(r"^average rps: ([0-9.]+)", re.M)


def _make(words: list[str]) -> Preset:
    if words and not words[0].startswith("-"):
        words = [f"--{words[0]}", *words[1:]]
    given = read_options(words, OPTIONS)
    messages, workers = given.number("message-threads"), given.number("threads")
    if messages * (workers + 1) > _MOST_THREADS:
        raise OptionProblems([f"{messages * (workers + 1)} threads: at most {_MOST_THREADS}"])
    side = isqrt(given.number("cache_footprint") * 1024 // 3 // 8)
    table = {
        "messages": messages,
        "workers": workers,
        "runtime": given.number("runtime"),
        "sleep_us": given.number("sleep_usec"),
        "compute_ns": given.number("operations") * side**3 // 2,
        "rate": given.number("rps"),
    }
    tool = ("schbench", *words)
    if "threads" not in given.written:
        tool = (*tool, "-t", str(workers))
    return Preset(filled("_schbench", table), tool, _read)


def _read(output: str) -> Measures:
    """Return the latencies that schbench has printed last, in seconds, and its rate."""
    found: Measures = {}
    for section, lines in _SECTION.findall(output):
        for percent, us in _LATENCY.findall(lines):
            found[f"{section.lower()} {percent.removesuffix('.0')}%"] = int(us) / 1e6
    rate = _RATE.search(output)
    return {**found, "requests/s": float(rate[1])} if rate is not None else {}


FAMILY: Final = Family(
    "schbench",
    "schbench: latencies of wake-ups, and of requests that sleep and compute",
    _make,
    tuple(option.shown() for option in OPTIONS if not option.why_not),
    ("schbench:-m 2 -t 4 -r 1", "schbench:threads=8,rps=200,runtime=5"),
)
