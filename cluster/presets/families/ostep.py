"""Homework of OSTEP ("Operating Systems: Three Easy Pieces") with real processes.

The simulators print what a machine of their own would do; here the processes are there, and what is
printed is what the kernel did. The same seed gives the same actions, jobs and programs as theirs.

Source: fork.py (cpu-api), scheduler.py (cpu-sched) and process-run.py (cpu-intro) of
ostep-homework: their options, and in which order they draw random numbers.
"""

import random
import re
import string
from collections.abc import Sequence
from typing import Final

from cluster.imports.format import filled
from cluster.presets.family import Family, Measures, Preset, benchmark_of
from cluster.presets.options import (
    Given,
    Option,
    OptionProblems,
    flag,
    read_options,
    refused,
    text,
    whole,
)

_NAMES: Final = string.ascii_lowercase + string.ascii_uppercase
_MOST_ACTIONS: Final = 50
_MOST_JOBS: Final = 100
_MOST_UNITS: Final = 10_000
_MOST_SLICES: Final = 19  # of one job: a unit is 5 % less than a slice, so 20 units end in the 19th
_UNIT_NS: Final = 10_000_000
_ROOT: Final = "a"
_SIGNS: Final = {"basic": "", "line1": "|-+|", "line2": "|_||", "fancy": "│─├└"}
_ANSWERS: Final = "-c"
_SEED: Final = whole("-s --seed", "seed of the random numbers", 0, 0, 1 << 62)

_FORK: Final = (
    _SEED,
    text("-f --forks", "part of the actions that are forks", "0.7"),
    text("-A --action_list", "actions: a+b (a forks b) or b- (b ends), with commas", ""),
    whole("-a --actions", "how many actions", 5, 0, _MOST_ACTIONS),
    text("-P --print_style", "how trees are drawn", "fancy", " ".join(_SIGNS)),
    flag("-F --final_only", "only the last tree"),
    flag("-L --leaf_only", "who has children does not end"),
    flag(f"{_ANSWERS} --compute", "as without it: answers are printed"),
    refused("-t --show_tree", "nothing is asked here: actions and trees are printed"),
    refused("-R --local_reparent", "Linux gives orphans to init or a subreaper, here to the root"),
)
_SCHEDULER: Final = (
    _SEED,
    whole("-j --jobs", "how many jobs", 3, 1, _MOST_JOBS),
    text("-l --jlist", "run times of jobs, with commas, instead of random ones", ""),
    whole("-m --maxlen", "longest run time", 10, 1, _MOST_UNITS),
    text("-p --policy", "order of jobs", "FIFO", "FIFO SJF RR"),
    whole("-q --quantum", "units of a slice, for RR", 1, 1, 1000),
    flag(f"{_ANSWERS} --compute", "as without it: answers are printed"),
)
_RUN: Final = (
    _SEED,
    text(
        "-l --processlist",
        "X:Y,…: X instructions, Y % of which use the CPU",
        "",
    ),
    text("-P --program", "instead: c7,i,c1:c3,… (compute 7, I/O, …), processes with colons", ""),
    whole("-L --iolength", "units of an I/O", 5, 0, 1000),
    text("-S --switch", "when the CPU is given away", "SWITCH_ON_IO", "SWITCH_ON_IO"),
    text("-I --iodone", "when who waited for I/O goes on", "IO_RUN_LATER", "IO_RUN_LATER"),
    flag(f"{_ANSWERS} --compute", "as without it: answers are printed"),
    flag("-p --printstats", "as without it"),
)
_SIMULATORS: Final[dict[str, tuple[str, tuple[Option, ...]]]] = {
    "fork": ("a tree of processes that fork and end: fork.py", _FORK),
    "scheduler": ("jobs on one CPU under a policy: scheduler.py", _SCHEDULER),
    "process-run": ("processes that compute and wait for I/O: process-run.py", _RUN),
}


def _make(words: list[str]) -> Preset:
    name, rest = benchmark_of(words, tuple(_SIMULATORS), "simulator of OSTEP")
    given = read_options(rest, _SIMULATORS[name][1])
    makers = {"fork": _fork, "scheduler": _scheduler, "process-run": _process_run}
    return Preset(makers[name](given), (), _nothing, timed=False)


def _nothing(output: str) -> Measures:
    return {}


def _fork(given: Given) -> str:
    draw = random.Random(given.number("seed"))
    try:
        part = float(given.text("forks"))
    except ValueError:
        part = 0.0
    if not 0.001 < part <= 1:
        raise OptionProblems(["-f: must be more than 0.001 and at most 1"])
    listed = given.text("action_list")
    if listed:
        actions = _written_actions(listed)
    else:
        actions = _drawn_actions(given.number("actions"), part, draw)
    table = {
        "root": _ROOT,
        "names": [action[1] for action in actions if len(action) == 2],
        "actions": actions,
        "signs": list(_SIGNS[given.text("print_style")]),
        "final": given.flag("final_only"),
        "leaf_only": given.flag("leaf_only"),
    }
    return filled("_ostep_fork", table)


def _drawn_actions(count: int, part: float, draw: random.Random) -> list[list[str]]:
    """Return so many actions, as fork.py draws them: a fork or not, then whose."""
    alive = [_ROOT]
    actions: list[list[str]] = []
    made = 1
    while len(actions) < count:
        forks = draw.random() < part
        chosen = alive[int(draw.random() * len(alive))]
        if forks:
            actions.append([chosen, _NAMES[made]])
            alive.append(_NAMES[made])
            made += 1
        elif chosen != _ROOT:
            alive.remove(chosen)
            actions.append([chosen])
    return actions


def _written_actions(listed: str) -> list[list[str]]:
    """Return the actions of a list; each must be possible when its turn comes."""
    alive, seen = {_ROOT}, {_ROOT}
    actions: list[list[str]] = []
    for word in listed.split(","):
        match = re.fullmatch(r"([A-Za-z0-9]{1,8})(\+([A-Za-z0-9]{1,8})|-)", word)
        if match is None:
            raise OptionProblems([f"-A: must be X+Y or X- (got {word!r})"])
        who, child = match[1], match[3]
        if who not in alive or child in seen or (child is None and who == _ROOT):
            raise OptionProblems([f"-A: {word}: not possible: {_why_not(who, child, alive)}"])
        if child is None:
            alive.remove(who)
        else:
            alive.add(child)
            seen.add(child)
        actions.append([who] if child is None else [who, child])
    if len(actions) > _MOST_ACTIONS:
        raise OptionProblems([f"-A: at most {_MOST_ACTIONS} actions"])
    return actions


def _why_not(who: str, child: str | None, alive: set[str]) -> str:
    if who not in alive:
        return f"there is no {who}"
    return "the root does not end" if child is None else f"there was a {child} already"


def _scheduler(given: Given) -> str:
    draw = random.Random(given.number("seed"))
    listed, policy = given.text("jlist"), given.text("policy")
    if listed:
        lengths = [_length(word) for word in listed.split(",")]
    else:
        longest = given.number("maxlen")
        lengths = [int(longest * draw.random()) + 1 for _ in range(given.number("jobs"))]
    if len(lengths) > _MOST_JOBS:
        raise OptionProblems([f"-l: at most {_MOST_JOBS} jobs"])
    quantum = given.number("quantum")
    if policy == "RR" and max(lengths) > _MOST_SLICES * quantum:
        raise OptionProblems([f"-p RR: a job has at most {_MOST_SLICES} slices (-q)"])
    jobs = [
        {"name": number, "length": length, "steps": [("cpu", length)]}
        for number, length in enumerate(lengths)
    ]
    head = [f"ARG policy {policy}", "", "Here is the job list, with the run time of each job: "]
    head += [f"  Job {job['name']} ( length = {job['length']} )" for job in jobs]
    if policy == "SJF":
        jobs.sort(key=lambda job: lengths[int(str(job["name"]))])
    return _jobs("scheduler", jobs, head, quantum if policy == "RR" else 0)


def _length(word: str) -> int | float:
    try:
        number = float(word)
    except ValueError:
        number = 0.0
    if not 0.01 <= number <= _MOST_UNITS:
        raise OptionProblems([f"-l: must be run times from 0.01 to {_MOST_UNITS} (got {word!r})"])
    return int(number) if number == int(number) else number


def _process_run(given: Given) -> str:
    draw = random.Random(given.number("seed"))
    length = given.number("iolength")
    written, listed = given.text("program"), given.text("processlist")
    if written:
        programs = [_written_program(part) for part in written.split(":")]
    elif listed:
        programs = [_drawn_program(part, draw) for part in listed.split(",")]
    else:
        raise OptionProblems(["process-run: needs -l X:Y,… or -P c1,i,…"])
    if len(programs) > _MOST_JOBS:
        raise OptionProblems([f"at most {_MOST_JOBS} processes"])
    jobs = []
    head = []
    for number, program in enumerate(programs):
        steps: list[tuple[str, int]] = []
        head.append(f"Process {number}: {' '.join(program)}")
        for word in program:
            # an I/O is one instruction to begin it and one when it is done
            steps += [("cpu", 1)] if word == "cpu" else [("cpu", 1), ("io", length), ("cpu", 1)]
        busy = sum(units for kind, units in steps if kind == "cpu")
        jobs.append({"name": number, "length": busy, "steps": _joined(steps)})
    return _jobs("process-run", jobs, head, 0)


def _joined(steps: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return the steps with those of the CPU that follow one another made one."""
    found: list[tuple[str, int]] = []
    for kind, units in steps:
        if kind == "cpu" and found and found[-1][0] == "cpu":
            units += found.pop()[1]
        found.append((kind, units))
    return found


def _drawn_program(part: str, draw: random.Random) -> list[str]:
    match = re.fullmatch(r"([0-9]{1,4}):([0-9]{1,3})", part)
    if match is None or int(match[2]) > 100:
        raise OptionProblems([f"-l: must be X:Y, Y at most 100 (got {part!r})"])
    chance = float(match[2]) / 100
    return ["cpu" if draw.random() < chance else "io" for _ in range(int(match[1]))]


def _written_program(part: str) -> list[str]:
    found = []
    for word in part.split(","):
        if not re.fullmatch("i|c[0-9]{1,4}", word):
            raise OptionProblems([f"-P: must be cN or i (got {word!r})"])
        found += ["io"] if word == "i" else ["cpu"] * int(word[1:])
    return found


def _jobs(kind: str, jobs: Sequence[object], head: list[str], slices: int) -> str:
    table = {"kind": kind, "jobs": jobs, "head": head, "slices": slices, "unit_ns": _UNIT_NS}
    return filled("_ostep_jobs", table)


def _rows() -> tuple[tuple[str, str], ...]:
    rows: list[tuple[str, str]] = []
    for name, (about, options) in _SIMULATORS.items():
        rows.append((name, about))
        for names, meaning in (one.shown() for one in options if not one.why_not):
            rows.append((f"  {names}", meaning))
    return tuple(rows)


FAMILY: Final = Family(
    "ostep",
    "homework of OSTEP with real processes: fork, scheduler, process-run",
    _make,
    _rows(),
    ("ostep:fork -s 10 -c", "ostep:scheduler -p RR -l 3,2,1", "ostep:process-run -l 5:100,5:0"),
)
