"""Properties that a scheduler of one's own must have, tried on seeded workloads.

Each property is a function that makes a few runs and returns why it does not hold, or None. Runs
are watched from outside, between rounds: who is runnable on which CPU, who runs, since when a CPU
idles while another has a task for it.

Limits are of virtual time: a task waits for ``WATCHDOG_NS`` at most, and a CPU idles for
``IDLE_NS`` at most while another has a task that it may run.
"""

import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cluster import codec
from cluster.build import guest_spec
from cluster.codec import GroupCodec
from cluster.engine_api import DONE, RunRequest, RunResult, kernel_failure
from cluster.local_engine import LocalRun
from cluster.lps import CpuGroup, loader_of
from cluster.sched_classes import Found
from kernel.cpu.checkpoint import pack_cpu, unpack_cpu
from kernel.cpu.cpu import Cpu
from kernel.cpu.rated import make_cpu
from kernel.machine import MachineSpec
from kernel.process.spawn_child import unpack_context
from kernel.uapi.clock import NSEC_PER_SEC

WATCHDOG_NS: Final = 2 * NSEC_PER_SEC
IDLE_NS: Final = 50_000_000
SET_DOWN_EVERY: Final = 7  # rounds
_MAX_VIRTUAL_NS: Final = 60 * NSEC_PER_SEC
_CPUS: Final = 3

_SPINNERS: Final = """import os
import signal
import time

from workloads import guest

children = []
for number in range(7):
    child = os.fork()
    if child == 0:
        os.nice(number % 3)
        while True:
            guest.compute(5_000_000)
    children.append(child)
time.sleep(3)
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


_REAP: Final = """
try:
    while True:
        os.wait()
except ChildProcessError:
    pass
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of the table: what was tried in how many runs, and why it does not hold, or ""."""

    name: str
    runs: int
    reason: str


def workload(seed: int) -> str:
    """Return a guest program that forks, computes, sleeps, yields, binds and renices as it goes."""
    chance = random.Random(seed)
    lines = ["import os", "import time", "", "from workloads import guest", ""]
    for _ in range(chance.randint(3, 7)):
        lines.append("if os.fork() == 0:")
        lines += ["    " + _operation(chance) for _ in range(chance.randint(2, 6))]
        lines.append("    os._exit(0)")
        if chance.random() < 0.3:
            lines.append(_operation(chance))
    lines += [
        "try:",
        "    while True:",
        "        os.wait()",
        "except ChildProcessError:",
        "    pass",
    ]
    return "\n".join(lines) + "\n"


def _operation(chance: random.Random) -> str:
    kind = chance.choice("ccccsssynab")
    if kind == "c":
        return f"guest.compute({chance.choice((1000, 200_000, 3_000_000, 9_000_000))})"
    if kind == "s":
        return f"time.sleep({chance.choice((0.0001, 0.002, 0.01))})"
    if kind == "y":
        return "os.sched_yield()"
    if kind == "n":
        return f"os.nice({chance.randint(0, 7)})"
    first = chance.randrange(_CPUS)
    cpus = {first} if kind == "a" else {first, chance.randrange(_CPUS)}
    return f"os.sched_setaffinity(0, {{{', '.join(map(str, sorted(cpus)))}}})"


class Watched(LocalRun):
    """A run that is looked at between rounds. ``seen``: what was wrong, the first of each kind."""

    def __init__(self, request: RunRequest) -> None:
        super().__init__(request)
        self.seen: dict[str, str] = {}
        self.idle_since: dict[int, int] = {}

    def look(self) -> None:
        """See ``LocalRun.look``."""
        super().look()
        cpus: list[Cpu] = list(self.group.cpus.values())
        where: dict[int, int] = {}
        movable = []
        for cpu in cpus:
            rq = cpu.rq
            for pid, task in cpu.tasks.items():
                if not task.on_rq:
                    continue
                other = where.setdefault(pid, cpu.id)
                if other != cpu.id:
                    self._saw("two", f"task {pid} is runnable on cpu {other} and on cpu {cpu.id}")
                if task is not rq.curr and not task.parked:
                    movable.append((cpu.id, task))
            curr = rq.curr
            allowed = curr.cpus_allowed is None or cpu.id in curr.cpus_allowed
            if not allowed and not rq.need_resched and curr is not rq.idle:
                self._saw("affinity", f"{curr.comm}[{curr.pid}] runs on cpu {cpu.id}, not its own")
        now_ns = self.host.virtual_ns  # the clock of a CPU that idles stands
        for cpu in cpus:
            wanted = next(
                (
                    f"{task.comm}[{task.pid}] waits on cpu {owner}"
                    for owner, task in movable
                    if task.cpus_allowed is None or cpu.id in task.cpus_allowed
                ),
                "",
            )
            if cpu.rq.nr_running or not wanted:
                self.idle_since.pop(cpu.id, None)
            elif now_ns - self.idle_since.setdefault(cpu.id, now_ns) > IDLE_NS:
                since = self.idle_since[cpu.id] / NSEC_PER_SEC
                self._saw("idle", f"cpu {cpu.id} idles from {since:.3f} s on while {wanted}")

    def _saw(self, kind: str, what: str) -> None:
        self.seen.setdefault(kind, what)


class SetDown(LocalRun):
    """A run whose CPUs are all packed, sent over a wire and made anew, every few rounds."""

    def __init__(self, request: RunRequest) -> None:
        super().__init__(request)
        self.loader = loader_of(request.spec)

    def look(self) -> None:
        """See ``LocalRun.look``."""
        super().look()
        if self._rounds % SET_DOWN_EVERY:
            return
        assert isinstance(self.group, CpuGroup)  # no scheme that runs free
        group = self.group._group
        for place, old in enumerate(list(self.group.cpus.values())):
            wire = GroupCodec(0, [old.id], self.loader)
            data = codec._unpack(codec.pack(pack_cpu(old)), wire._hook)
            new = make_cpu(old.id, self.request.spec, self.loader)
            unpack_cpu(new, data, lambda packed: unpack_context(self.loader, packed))
            new.trace = old.trace
            group.cpus[place] = group.by_number[old.id] = new


class _Trial:
    """The runs of one check: of a class that was found, below a folder of their own."""

    def __init__(self, found: Found, folder: Path, seeds: int) -> None:
        self.found = found
        self.folder = folder
        self.seeds = range(seeds)

    def spec(self, text: str, **changes: Any) -> MachineSpec:
        """Return a machine that runs the program ``text`` under the class."""
        program = self.folder / "program.py"
        program.write_text(text, "utf-8")
        cls = self.found.cls
        tunables = {"watchdog_ns": WATCHDOG_NS} if hasattr(cls.tunables, "watchdog_ns") else {}
        spec = guest_spec(program, [], cpus=_CPUS, seed=changes.pop("seed", 1), check=True)
        return replace(
            spec,
            fair=cls.name,
            fair_from=self.found.source,
            sched_tunables={cls.name: tunables} if tunables else {},
            **changes,
        )

    def run(
        self, make: type[LocalRun], spec: MachineSpec, scheme: str
    ) -> tuple[RunResult | None, LocalRun | None, str]:
        """Run a machine; return result, run, and why it did not end as it should, or ""."""
        try:
            run = make(RunRequest(spec, scheme=scheme, max_virtual_ns=_MAX_VIRTUAL_NS))
            result = run.run()
        except (Exception, SystemExit) as error:
            failed = kernel_failure(error, spec, scheme)
            if failed is None:
                raise
            return None, None, failed[1]
        if result.exit_kind != DONE:
            return result, run, f"{result.exit_kind}: {result.message}"
        return result, run, ""


def _schemes(seed: int) -> str:
    return ("exact", "barrier")[seed % 2]


def _watched(trial: _Trial, kind: str) -> Iterator[str]:
    for seed in trial.seeds:
        _result, run, why = trial.run(Watched, trial.spec(workload(seed)), _schemes(seed))
        seen = run.seen.get(kind, "") if isinstance(run, Watched) else ""
        yield seen or why


def _starvation(trial: _Trial) -> Iterator[str]:
    """Seven tasks that never sleep, on three CPUs, for three seconds: each runs."""
    for granularity in ("syscall", "step"):
        spec = trial.spec(_SPINNERS, granularity=granularity)
        yield trial.run(LocalRun, spec, "barrier")[2]


def _conservation(trial: _Trial) -> Iterator[str]:
    """The same, and the seeded workloads: no CPU idles for long beside a task that may come."""
    _result, run, why = trial.run(Watched, trial.spec(_SPINNERS), "barrier")
    yield (run.seen.get("idle", "") if isinstance(run, Watched) else "") or why
    yield from _watched(trial, "idle")


def _two_ways(
    trial: _Trial, one: type[LocalRun], other: type[LocalRun], granularity: str
) -> Iterator[str]:
    for seed in trial.seeds:
        spec = trial.spec(workload(seed), granularity=granularity)
        first, _, why = trial.run(one, spec, _schemes(seed))
        second, _, why_other = trial.run(other, spec, _schemes(seed))
        if why or why_other:
            yield why or why_other
        elif first is not None and second is not None and first.digest != second.digest:
            yield f"workload {seed}, {granularity}: {first.digest[:20]} and {second.digest[:20]}"
        else:
            yield ""


def _packed(trial: _Trial) -> Iterator[str]:
    for granularity in ("syscall", "step"):
        yield from _two_ways(trial, LocalRun, SetDown, granularity)


def _again(trial: _Trial) -> Iterator[str]:
    yield from _two_ways(trial, LocalRun, LocalRun, "syscall")


def _orders(trial: _Trial) -> Iterator[str]:
    for seed in trial.seeds:
        for number in range(3):
            changes = {"granularity": "step", "tie_break": "random", "seed": number + 1}
            yield trial.run(LocalRun, trial.spec(workload(seed), **changes), _schemes(seed))[2]


PROPERTIES: Final[dict[str, Callable[[_Trial], Iterator[str]]]] = {
    "no task starves": _starvation,
    "no CPU idles while a task waits": _conservation,
    "affinity is kept": lambda trial: _watched(trial, "affinity"),
    "no task is on two CPUs": lambda trial: _watched(trial, "two"),
    "any order of steps is survived": _orders,
    "packed and unpacked, it goes on alike": _packed,
    "two runs have one digest": _again,
}


def check(found: Found, seeds: int) -> Iterator[Outcome]:
    """Try every property with ``seeds`` workloads; yield what came of each.

    Args:
        found: the fair class, as ``cluster.sched_classes.find`` has it.
        seeds: how many workloads there are.
    """
    with tempfile.TemporaryDirectory() as folder:
        trial = _Trial(found, Path(folder), seeds)
        for name, property_ in PROPERTIES.items():
            runs, reason = 0, ""
            for why in property_(trial):
                runs += 1
                if why:
                    reason = " ".join(why.split())
                    break
            yield Outcome(name, runs, reason)
