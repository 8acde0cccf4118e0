"""Context switches per second of a machine whose tasks only compute, and what one of them costs.

1,000 and 10,000 tasks share 64 CPUs and never ask the kernel for anything, so all there is to do
are ticks and switches. Timed is the run from the moment when all tasks are there; a real-time
parent starts them (``spinners.py``). Under ``cfs`` and ``eevdf`` nearly every tick switches, under
``o1`` one of 25 (its slices are 100 ms): its ticks are what it pays for.

``instructions`` is the cost of a switch with the ticks between two, by cachegrind: two runs that
differ in their virtual time only, the difference divided by the switches between. With them comes
the ratio of the costs at the last number of tasks and at the first, and that of their logarithms:
the first must not be the greater one by much. ``--queue`` takes the same of one class alone, on one
CPU that has all the tasks.

A time depends on what else runs; ``cpu/s`` counts switches per second of CPU time, which does less.

Usage: python -m tests.benchmarks.switches [--tasks N …] [--cpus N] [--fair CLASS …]
           [--scheme SCHEME …] [--core CORE …] [--virtual-s S] [--rounds N]
           [--instructions] [--queue] [--json FILE]
       python -m tests.benchmarks.switches --profile …   # of the first of what is chosen: cProfile
           of the pure core, instructions by function (cachegrind) of the compiled one
"""

import argparse
import cProfile
import json
import math
import pstats
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

from cluster import fast_core
from cluster.build import guest_spec
from cluster.collector import without_collector
from cluster.engine_api import LIMIT, RunRequest, RunResult
from cluster.local_engine import LocalRun
from cluster.sched_classes import SchedClassError, bring, find
from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.sched import core
from kernel.sched.rq import Rq
from tests.benchmarks.instructions import CannotCount, cores, count, environment

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
FAIR: Final = ("cfs", "eevdf", "o1")
SCHEMES: Final = ("barrier", "exact")
NSEC: Final = 1_000_000_000
# under valgrind, in virtual seconds from the start; the tasks are there before the first ends
_SHORT_S: Final = 2
_LONG_S: Final = 4
_SHORT_TICKS: Final = 2_000
_LONG_TICKS: Final = 12_000
_DEAREST: Final = 40  # functions that --profile shows


@dataclass(frozen=True)
class Cell:
    """One measurement. ``queue``: of the class alone; then ``virtual_ns`` is so many ticks."""

    tasks: int
    cpus: int
    fair: str
    scheme: str = "barrier"
    virtual_ns: int = 10 * NSEC
    queue: bool = False


def fair_of(cell: Cell) -> dict[str, Any]:
    """Return what the spec of a machine says of its fair class: a name, or FILE.py:CLASS."""
    if cell.fair in FAIR:
        return {"fair": cell.fair}
    found = find(cell.fair, ROOT)
    return {"fair": found.cls.name, "fair_from": found.source}


@dataclass
class Figures:
    """What a measurement found: between the moment when all tasks were there and the end.

    ``all_switches`` are those of the whole run, ``requests`` what the CPUs asked the kernel for.
    """

    switches: int
    ticks: int
    requests: int
    virtual_ns: int
    wall_s: float
    cpu_s: float
    all_switches: int


class Watch:
    """Notes time and counters of a run whenever it tells its progress."""

    def __init__(self, cell: Cell) -> None:
        spec = guest_spec(
            HERE / "spinners.py",
            [str(cell.tasks)],
            cpus=cell.cpus,
            trace=False,
            pid_max=1 << 22,
            **fair_of(cell),
        )
        self._tasks = cell.tasks
        self.run = LocalRun(
            RunRequest(
                spec,
                scheme=cell.scheme,
                quantum_ns=1_000_000,
                max_virtual_ns=cell.virtual_ns,
                on_progress=self._note,
            )
        )
        self._since: list[float] = []
        self._now: list[float] = []

    def _note(self, virtual_ns: int, counters: dict[str, int]) -> None:
        if counters["tasks"] <= self._tasks:
            return  # the parent is one, too
        stats = [lp.stats for lp in self.run.group.cpus.values()]
        self._now = [
            sum(cpu.nr_switches for cpu in stats),
            sum(cpu.ticks for cpu in stats),
            sum(cpu.requests for cpu in stats),
            virtual_ns,
            perf_counter(),
            process_time(),
        ]
        if not self._since:
            self._since = self._now

    def figures(self, result: RunResult) -> Figures:
        """Return what was found.

        Raises:
            RuntimeError: the run did not come to its limit, or not far beyond its beginning.
        """
        if result.exit_kind != LIMIT:
            raise RuntimeError(f"{result.exit_kind}: {result.message}")
        if not self._since or self._now == self._since:
            raise RuntimeError("too short: the tasks were hardly there when the run ended")
        switches, ticks, requests, virtual_ns, wall_s, cpu_s = (
            now - since for now, since in zip(self._now, self._since, strict=True)
        )
        return Figures(
            switches=int(switches),
            ticks=int(ticks),
            requests=int(requests),
            virtual_ns=int(virtual_ns),
            wall_s=wall_s,
            cpu_s=cpu_s,
            all_switches=int(self._now[0]),
        )


def measure(cell: Cell) -> tuple[Figures, RunResult]:
    """Run one machine in this process, on the core that it has."""
    watch = Watch(cell)
    result = watch.run.run()
    return watch.figures(result), result


def measure_queue(cell: Cell) -> Figures:
    """Give one CPU's queue all the tasks, and tick; no machine is around it."""
    spec = MachineSpec(cpus=1, **fair_of(cell))
    bring(spec)
    rq = Rq(0, spec)
    for pid in range(3, 3 + cell.tasks):
        rq.clock_ns += 1
        core.activate_task(rq, CpuTask(pid, pid, "spin"), core.ENQUEUE_INITIAL)
    core.put_prev_task(rq, rq.idle)
    core.pick_next_task(rq)
    tick_ns = NSEC // spec.hz
    began = rq.nr_switches
    wall_s, cpu_s = perf_counter(), process_time()
    with without_collector():  # as in a run
        for _ in range(cell.virtual_ns):
            rq.clock_ns += tick_ns
            core.scheduler_tick(rq)
            if rq.need_resched:
                core.put_prev_task(rq, rq.curr)
                core.pick_next_task(rq)
    return Figures(
        switches=rq.nr_switches - began,
        ticks=cell.virtual_ns,
        requests=0,
        virtual_ns=cell.virtual_ns * tick_ns,
        wall_s=perf_counter() - wall_s,
        cpu_s=process_time() - cpu_s,
        all_switches=rq.nr_switches,
    )


# -- in processes of their own ------------------------------------------------------------------


def _command(cell: Cell) -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.switches", "--one", json.dumps(asdict(cell))]


def in_process(cell: Cell, which: str, folder: Path) -> Figures:
    """Take one measurement in a process of its own, on the core ``which``."""
    done = subprocess.run(
        _command(cell),
        cwd=folder,
        env=_environment(which, folder),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{cell}: {done.stderr[-600:]}")
    return Figures(**json.loads(done.stdout))


def _environment(which: str, folder: Path) -> dict[str, str]:
    return {**environment(which, folder), "PYTHONPATH": str(ROOT)}


def instructions(cell: Cell, which: str, folder: Path) -> float:
    """Return the instructions of one switch, with the ticks that come with it."""
    short, long = (_SHORT_TICKS, _LONG_TICKS) if cell.queue else (_SHORT_S * NSEC, _LONG_S * NSEC)
    counted, switched = [], []
    for virtual_ns in (short, long):
        one = replace(cell, virtual_ns=virtual_ns)
        switched.append(in_process(one, which, folder).all_switches)
        counted.append(count(_command(one), which, folder, {"PYTHONPATH": str(ROOT)}))
    return (counted[1] - counted[0]) / max(1, switched[1] - switched[0])


def by_function(cell: Cell, folder: Path) -> list[tuple[float, str]]:
    """Return the instructions of a switch on the compiled core by function, the dearest first.

    They are the difference of two runs, as in ``instructions``: what a start costs is left out.
    """
    short, long = (_SHORT_TICKS, _LONG_TICKS) if cell.queue else (_SHORT_S * NSEC, _LONG_S * NSEC)
    totals: dict[str, int] = {}
    switched = []
    for sign, virtual_ns in ((-1, short), (1, long)):
        one = replace(cell, virtual_ns=virtual_ns)
        switched.append(in_process(one, "compiled", folder).all_switches)
        out = folder / "cachegrind.out"
        tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={out}"]
        subprocess.run(
            [*tool, *_command(one)],
            cwd=folder,
            env=_environment("compiled", folder),
            capture_output=True,
            check=True,
        )
        for name, instructions in _functions_of(out.read_text("utf-8")):
            totals[name] = totals.get(name, 0) + sign * instructions
    switches = max(1, switched[1] - switched[0])
    return sorted(((total / switches, name) for name, total in totals.items()), reverse=True)


def _functions_of(told: str) -> Iterator[tuple[str, int]]:
    """Yield the functions of a file of cachegrind with the instructions of each line of them."""
    name = ""
    for line in told.splitlines():
        if line.startswith("fn="):
            name = line[3:]
        elif line[:1].isdigit():
            yield name, int(line.split()[1])


def profile(cell: Cell, which: str) -> None:
    """Print where a run spends its time (pure core) or its instructions (compiled core)."""
    if which == "pure":
        if fast_core.core() != "pure":
            raise CannotCount("start it with SMPLAB_CORE=pure")
        watch = Watch(cell)
        profiler = cProfile.Profile()
        profiler.runcall(watch.run.run)
        pstats.Stats(profiler).sort_stats("tottime").print_stats(35)
        return
    with tempfile.TemporaryDirectory() as name:
        found = by_function(cell, Path(name))
    total = sum(instructions for instructions, _ in found)
    print(
        f"{total:10,.0f}  instructions a switch: {cell.fair}, {cell.scheme}, {cell.tasks:,} tasks"
    )
    for instructions, function in found[:_DEAREST]:
        print(f"{instructions:10,.0f}  {100 * instructions / total:5.1f} %  {function}")


# -- the table ----------------------------------------------------------------------------------


def row_of(cell: Cell, which: str, rounds: int, counts: bool, folder: Path) -> dict[str, Any]:
    """Measure one cell ``rounds`` times and return medians, and instructions if wanted."""
    taken = [in_process(cell, which, folder) for _ in range(rounds)]
    first = taken[0]
    return {
        "core": which,
        **asdict(cell),
        "switches": first.switches,
        "ticks": first.ticks,
        "requests": first.requests,
        "per_wall_s": round(first.switches / median(one.wall_s for one in taken)),
        "per_cpu_s": round(first.switches / median(one.cpu_s for one in taken)),
        "ticks_per_cpu_s": round(first.ticks / median(one.cpu_s for one in taken)),
        "instructions": round(instructions(cell, which, folder)) if counts else None,
    }


def growth(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return by core, class and scheme how the cost grows from the fewest tasks to the most."""
    found = []
    by_kind: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        kind = (row["core"], row["fair"], row["scheme"], row["queue"])
        by_kind.setdefault(kind, []).append(row)
    for kind, some in by_kind.items():
        few, many = (choose(some, key=lambda row: int(row["tasks"])) for choose in (min, max))
        if few is many or not few["instructions"]:
            continue
        # of the tasks that a CPU has
        lengths = [row["tasks"] / row["cpus"] for row in (few, many)]
        found.append(
            {
                "core": kind[0],
                "fair": kind[1],
                "scheme": kind[2],
                "queue": kind[3],
                "tasks": [few["tasks"], many["tasks"]],
                "ratio": many["instructions"] / few["instructions"],
                "log_ratio": math.log(lengths[1]) / math.log(lengths[0]),
            }
        )
    return found


def show(rows: list[dict[str, Any]], grown: list[dict[str, Any]]) -> None:
    """Print both as tables."""
    print(
        f"{'core':9}{'class':9}{'scheme':9}{'tasks':>8}{'switches':>10}{'ticks':>10}"
        f"{'wall/s':>11}{'cpu/s':>11}{'ticks cpu/s':>13}{'instructions':>14}"
    )
    for row in rows:
        counted = "-" if row["instructions"] is None else f"{row['instructions']:,}"
        scheme = "alone" if row["queue"] else row["scheme"]
        print(
            f"{row['core']:9}{row['fair'].rpartition(':')[2]:9}{scheme:9}{row['tasks']:8,}{row['switches']:10,}"
            f"{row['ticks']:10,}{row['per_wall_s']:11,}{row['per_cpu_s']:11,}"
            f"{row['ticks_per_cpu_s']:13,}{counted:>14}"
        )
    for one in grown:
        few, many = one["tasks"]
        print(
            f"{one['core']} {one['fair']} {'alone' if one['queue'] else one['scheme']}: a switch at"
            f" {many:,} tasks costs {one['ratio']:.2f} times one at {few:,}; log n grows by"
            f" {one['log_ratio']:.2f}"
        )


def chosen(options: argparse.Namespace) -> list[Cell]:
    """Return what the command line asks for."""
    if options.queue:
        return [
            Cell(tasks, 1, fair, virtual_ns=_LONG_TICKS, queue=True)
            for fair in options.fair
            for tasks in options.tasks
        ]
    return [
        Cell(tasks, options.cpus, fair, scheme, round(options.virtual_s * NSEC))
        for fair in options.fair
        for scheme in options.scheme
        for tasks in options.tasks
    ]


def main() -> int:
    """Measure, print, and write the file that --json names; return the exit code."""
    parser = argparse.ArgumentParser(description="Context switches per second.")
    parser.add_argument("--tasks", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--cpus", type=int, default=64)
    parser.add_argument(
        "--fair", nargs="+", default=list(FAIR), help=f"{', '.join(FAIR)}, or FILE.py:CLASS"
    )
    parser.add_argument("--scheme", nargs="+", choices=SCHEMES, default=list(SCHEMES))
    parser.add_argument("--core", nargs="+", choices=("compiled", "pure"))
    parser.add_argument("--virtual-s", type=float, default=10.0, help="how long a run goes on")
    parser.add_argument("--rounds", type=int, default=3, help="medians of so many runs")
    parser.add_argument("--instructions", action="store_true", help="count them, by valgrind")
    parser.add_argument("--queue", action="store_true", help="the class alone, on one CPU")
    parser.add_argument("--profile", action="store_true", help="where the first of all spends it")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name in options.fair:
        if name not in FAIR:
            try:
                find(name, ROOT)
            except SchedClassError as error:
                parser.error(f"--fair {name}: {error}")
    if options.one is not None:
        cell = Cell(**json.loads(options.one))
        found = measure_queue(cell) if cell.queue else measure(cell)[0]
        print(json.dumps(asdict(found)))
        return 0
    cells, which = chosen(options), options.core or cores(None)
    try:
        if (options.instructions or options.profile) and shutil.which("valgrind") is None:
            raise CannotCount("valgrind is not installed")
        if options.profile:
            profile(cells[0], which[0])
            return 0
        with tempfile.TemporaryDirectory() as name:
            rows = [
                row_of(cell, one, options.rounds, options.instructions, Path(name))
                for one in which
                for cell in cells
            ]
    except CannotCount as error:
        print(f"switches: {error}", file=sys.stderr)
        return 1
    grown = growth(rows)
    show(rows, grown)
    if options.json is not None:
        options.json.write_text(json.dumps({"rows": rows, "growth": grown}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
