"""stress-ng: stressors whose operations are system calls that guest programs have.

Operations are those of a stressor, shared by its workers, as in stress-ng; each worker does as many
as any other.

Deviation: ``switch`` is its method sem-sysv; ``exec`` executes /bin/true, with execve() alone;
calls with which stress-ng provokes errors are left out but for those of ``kill`` and ``fork``.

Source: stress-ng 0.15 and later: the stressor's file, stress-fork.c for ``fork``, and stress-ng(1).
"""

import re
from typing import Final

from cluster.imports.format import filled
from cluster.presets.family import Family, Measures, Preset, benchmark_of
from cluster.presets.options import (
    TEXT,
    Given,
    Option,
    OptionProblems,
    flag,
    read_options,
    refused,
    text,
    whole,
)

MOST_OPS: Final = 100_000_000
MOST_WORKERS: Final = 1000
_MOST_S: Final = 3600.0  # a worker tells its time in 32 bits, in us
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
#: stressor -> short option, what an operation is
_ABOUT: Final = {
    "cpu": ("-c", "a millisecond of CPU time; needs timeout"),
    "exec": ("", "a child that executes /bin/true, and its end"),
    "fork": ("-f", "a child that leaves at once, and its end"),
    "futex": ("", "a wait of 5 us on a futex that is woken all the time"),
    "kill": ("", "eleven signals, most of them refused or ignored"),
    "msg": ("", "a System V message to another process"),
    "pipe": ("-p", "a write to another process"),
    "sem-sysv": ("", "a System V semaphore taken and given back"),
    "switch": ("-s", "a System V semaphore given to another process and taken back"),
    "vfork": ("", "as fork, with vfork()"),
    "yield": ("-y", "sched_yield()"),
    "zombie": ("", "a child that leaves, and is waited for when there are too many"),
}
#: options of stressors: (name, about, default, least, most)
_OWN: Final[dict[str, tuple[tuple[str, str, int | None, int, int], ...]]] = {
    "exec": (("max", "children at once", 4096, 1, 16_000),),
    "fork": (("max", "children at once", 1, 1, 16_000),),
    "vfork": (("max", "children at once", 1, 1, 16_000),),
    "zombie": (("max", "children that nobody has waited for", 8192, 1, 30_000),),
    "pipe": (("data-size", "bytes of a write", 512, 8, 4096),),
    "msg": (("bytes", "bytes of a message", 4, 4, 8192),),
    "sem-sysv": (("procs", "processes of a worker", 2, 2, 64),),
    "yield": (("procs", "processes of a worker; else two for each CPU", None, 1, 10_000),),
}
_NOT_HERE: Final = {
    "clone": "clone: its flags share memory with a child that has a stack of its own",
    "context": "context: it switches between contexts of one thread, without the kernel",
    "wait": "wait: whether a child stops before it is continued is a race, which need not end here",
    "vm": "vm: there is no model of caches and memory bandwidth",
}
#: stressors that the tool does not do as it is done here, or cannot be asked to
_NO_TOOL: Final = {
    "exec": "stress-ng's exec executes itself, in many ways",
    "yield": "stress-ng's yield does not stop at its operations",
}
_GENERAL: Final = (
    text("-t --timeout", "when workers stop, such as 10s, 2m; without a unit seconds", None),
    flag("--metrics", "as without it"),
    flag("--metrics-brief", "as without it"),
    flag("-q --quiet", "as without it"),
    refused("--taskset", "give the machine fewer CPUs, or use a cgroup", TEXT),
    refused("--sched", "the configuration gives tasks their scheduling class", TEXT),
    refused("--sched-prio", "the configuration gives tasks their scheduling class", TEXT),
    refused("--sequential", "name the stressors one by one", TEXT),
    refused("--all", "name the stressors one by one", TEXT),
    refused("--switch-method", "sem-sysv is the only one: pipes here have no packets", TEXT),
    refused("--switch-freq", "not modelled", TEXT),
    refused("--cpu-method", "not modelled: CPU time is CPU time", TEXT),
    refused("-l --cpu-load", "not modelled", TEXT),
    refused("--fork-vm", "advice for pages is not modelled"),
    refused("--vfork-vm", "advice for pages is not modelled"),
    *(refused(f"--{name}", why, TEXT) for name, why in _NOT_HERE.items()),
)
_LINE: Final = re.compile(
    r"^stress-ng: metrc: \[\d+\] ([a-z][a-z0-9-]*) +([0-9. ]+)$", re.MULTILINE
)


def _options() -> tuple[Option, ...]:
    found: list[Option] = []
    for name, (short, about) in _ABOUT.items():
        found.append(whole(f"{short} --{name}".strip(), "workers", None, 1, MOST_WORKERS))
        found.append(whole(f"--{name}-ops", f"{about}, in all", None, 1, MOST_OPS))
        found += [
            whole(f"--{name}-{own}", what, default, least, most)
            for own, what, default, least, most in _OWN.get(name, ())
        ]
    return (*found, *_GENERAL)


def _make(words: list[str]) -> Preset:
    given = read_options(_long_form(words), _options())
    timeout_s = _seconds(given)
    stressors = [name for name in _ABOUT if given.values[name] is not None]
    problems = []
    if not stressors:
        problems.append(f"no stressor is named (known: {', '.join(_ABOUT)})")
    for key in given.written:
        owner = next((name for name in _ABOUT if key.startswith(f"{name}-")), "")
        if key not in _ABOUT and owner and owner not in stressors:
            problems.append(f"--{key}: there is no --{owner} N")
    for name in stressors:
        ops = given.values[f"{name}-ops"]
        if name == "cpu" and (ops is not None or not timeout_s):
            problems.append("--cpu: needs --timeout, and no --cpu-ops: theirs is arithmetic")
        elif ops is None and not timeout_s:
            problems.append(f"--{name}: needs --{name}-ops or --timeout: else it never ends")
    if sum(given.number(name) for name in stressors) > MOST_WORKERS:
        problems.append(f"more than {MOST_WORKERS} workers")
    if problems:
        raise OptionProblems(problems)
    table = {
        "timeout": timeout_s,
        "stressors": [_stressor(name, given) for name in stressors],
    }
    why = "; ".join(
        _NO_TOOL[name]
        for name in stressors
        if name in _NO_TOOL and (name != "yield" or not timeout_s)
    )
    command = () if why else _command(stressors, given, timeout_s)
    return Preset(filled("_stress_ng", table), command, _read, why)


def _long_form(words: list[str]) -> list[str]:
    """Return the words as on stress-ng's command line: ``fork --ops=9`` is ``--fork-ops=9``."""
    if not words or words[0].startswith("-"):
        return words
    if words[0] in _NOT_HERE:
        raise OptionProblems([_NOT_HERE[words[0]]])
    name, rest = benchmark_of(words, tuple(_ABOUT), "stressor")
    found = []
    workers = [f"--{name}", "1"]
    for word in rest:
        key, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or key == "timeout" or key.startswith("metrics"):
            found.append(word)
        elif key == "workers":
            workers = [f"--{name}{equals}{value}"]
        else:
            found.append(f"--{name}-{key}{equals}{value}")
    return [*workers, *found]


def _seconds(given: Given) -> float:
    """Return the timeout in seconds; 0: there is none."""
    if given.values["timeout"] is None:
        return 0.0
    written = given.text("timeout")
    number, unit = (written[:-1], written[-1]) if written[-1:] in _UNITS else (written, "s")
    try:
        seconds = float(number) * _UNITS[unit]
    except ValueError:
        seconds = 0.0
    if not 0.001 <= seconds <= _MOST_S:
        raise OptionProblems(
            [f"--timeout: must be a time of at most an hour, such as 10s (got {written!r})"]
        )
    return seconds


def _stressor(name: str, given: Given) -> dict[str, int | str]:
    workers = given.number(name)
    ops = given.values[f"{name}-ops"]
    own = {key: given.values[f"{name}-{key}"] or 0 for key, *_ in _OWN.get(name, ())}
    each = -(-int(ops) // workers) if ops is not None else 0
    return {"name": name, "workers": workers, "ops": each, **own}


def _command(stressors: list[str], given: Given, timeout_s: float) -> tuple[str, ...]:
    words = ["stress-ng", "--metrics-brief"]
    for name in stressors:
        words += [f"--{name}", str(given.number(name))]
        keys = ("ops", *(key for key, *_ in _OWN.get(name, ())))
        for key in (f"{name}-{key}" for key in keys):
            if key in given.written:
                words += [f"--{key}", str(given.number(key))]
        if name == "switch":
            words += ["--switch-method", "sem-sysv"]
    return (*words, "--timeout", f"{timeout_s:g}s") if timeout_s else tuple(words)


def _read(output: str) -> Measures:
    """Return time and rate of each stressor; the tool's rate is more exact than its time."""
    found: Measures = {}
    lines = _LINE.findall(output)
    for name, numbers in lines:
        ops, _, *rest = (float(number) for number in numbers.split())
        if name not in _ABOUT or not rest:
            continue
        rate = rest[2] if len(rest) >= 4 else rest[-1]
        before = "" if len(lines) == 1 else f"{name} "
        if rate:
            found[f"{before}time"] = ops / rate
            if name != "cpu":
                found[f"{before}ops/s"] = rate
    return found


def _rows() -> tuple[tuple[str, str], ...]:
    rows: list[tuple[str, str]] = [
        ("STRESSOR,ops=N", "operations in all; workers=N, timeout=T and those below as well"),
        ("--STRESSOR N …", "as for stress-ng: --fork 2 --fork-ops 100 --pipe 1 --timeout 1s"),
    ]
    for name, (_, about) in _ABOUT.items():
        rows.append((name, f"an operation is {about}"))
        for own in _OWN.get(name, ()):
            option = whole(*own).shown()
            rows.append((f"  {own[0]}=N", option[1]))
    return tuple(rows)


FAMILY: Final = Family(
    "stressng",
    "stress-ng: workers that make processes, switch, send and wait",
    _make,
    _rows(),
    ("stressng:fork,ops=10000", "stressng:--pipe 2 --pipe-ops 1000 --switch 1 --timeout 1s"),
)
