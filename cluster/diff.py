"""Is it what Linux does? Guest programs, run by the host's kernel and by the emulator, compared.

A program may have several outcomes, where processes race. So it runs several times on either side,
and what is compared is sets: every outcome of the emulator must be one that the host has given.
It need not be the other way round, the emulator's schedules are few. When an emulated outcome is
not among the host's, the host runs the program again, up to ``Plan.max_runs`` times in all, now
held up at random and kept on one CPU by turns (whatever a kernel may do with processes that wait
for a CPU), until it is: a difference counts only then. An outcome is ``cluster.compare``'s:
standard output and error, exit status, process tree. Pids, times and the order in which
independent processes run are no part of it.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Final

from cluster.compare import agree, closest, compare, plain_stderr
from cluster.emulated import EmulatedRun, Machine, run_emulated
from cluster.native import NativeError, NativeRun, can_pin, run_native

_JITTER_US: Final = (0, 300, 3_000, 20_000)
_EXPLAIN_TRIES: Final = 4

RunOnHost = Callable[..., NativeRun]


@dataclass(frozen=True, slots=True)
class Plan:
    """Which runs are made of each program."""

    cpus: tuple[int, ...] = (1, 2, 8)
    seeds: tuple[int, ...] = (42,)
    granularities: tuple[str, ...] = ("syscall", "step")
    schemes: tuple[str, ...] = ("exact",)
    runs: int = 1  # on the host, at least
    max_runs: int = 40  # on the host, while an emulated outcome is not among the host's
    check: bool = False  # all invariants while the emulator runs
    timeout_s: float = 60.0  # for each run

    def machines(self) -> Iterator[Machine]:
        """Yield every machine of the plan."""
        for granularity, scheme, cpus, seed in product(
            self.granularities, self.schemes, self.cpus, self.seeds
        ):
            yield Machine(cpus, seed, granularity, scheme)


@dataclass(slots=True)
class HostOutcomes:
    """What the host has done with a program so far: the first run of each outcome, and how often.

    It can be kept and used again for the same program and arguments.
    """

    runs: list[NativeRun] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How often the program has run on the host."""
        return sum(self.counts)

    def add(self, run: NativeRun) -> None:
        """Count one more run."""
        key = _key(run)
        for index, known in enumerate(self.runs):
            if _key(known) == key:
                self.counts[index] += 1
                return
        self.runs.append(run)
        self.counts.append(1)

    def has(self, emulated: EmulatedRun) -> bool:
        """Say whether the host has done what an emulated run did."""
        return any(agree(run, emulated) for run in self.runs)


@dataclass(frozen=True, slots=True)
class EmulatedOutcome:
    """One outcome of the emulator, the machines that gave it, and whether the host gives it too.

    ``explanation`` says where it differs from the nearest outcome of the host.
    """

    run: EmulatedRun
    machines: tuple[Machine, ...]
    same: bool
    explanation: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProgramReport:
    """All runs of one program."""

    program: str
    host: HostOutcomes
    emulated: tuple[EmulatedOutcome, ...]

    @property
    def same(self) -> bool:
        """Whether the emulator did nothing that the host does not do."""
        return all(outcome.same for outcome in self.emulated)

    @property
    def emulated_runs(self) -> int:
        """How many emulated runs there were."""
        return sum(len(outcome.machines) for outcome in self.emulated)


def diff_program(
    path: Path,
    args: Sequence[str] = (),
    plan: Plan = Plan(),
    *,
    host: HostOutcomes | None = None,
    explain: bool = True,
) -> ProgramReport:
    """Run a guest program on the host and emulated as planned, and compare.

    Args:
        path: the program's file.
        args: its arguments, without its own name.
        plan: which runs to make.
        host: what the host did with it before; runs are added to it.
        explain: tell of a difference the last calls of both sides, too: two more runs.

    Raises:
        NativeError: the host cannot run it, or it did not end in time.
        ConfigError: the program cannot be read.
        GuestProgramError: the program is outside the guest language.
        KeyboardInterrupt: Ctrl-C.
    """
    found: dict[Any, tuple[EmulatedRun, list[Machine]]] = {}
    for machine in plan.machines():
        run = run_emulated(path, args, machine, check=plan.check, timeout_s=plan.timeout_s)
        found.setdefault(_key(run), (run, []))[1].append(machine)
    host = HostOutcomes() if host is None else host
    while host.total < plan.runs:
        host.add(run_native(path, args, timeout_s=plan.timeout_s))
    outcomes = []
    for run, machines in found.values():
        if not run.problem:
            _look_for(run, path, args, plan, host)
        same = host.has(run)
        lines = [] if same else _explanation(run, machines[0], path, args, plan, host, explain)
        outcomes.append(EmulatedOutcome(run, tuple(machines), same, tuple(lines)))
    return ProgramReport(str(path), host, tuple(outcomes))


def _key(run: NativeRun | EmulatedRun) -> Any:
    rest = run.problem if isinstance(run, EmulatedRun) else run.strays
    return run.stdout, plain_stderr(run.stderr), run.status, run.tree, rest


def _look_for(
    run: EmulatedRun, path: Path, args: Sequence[str], plan: Plan, host: HostOutcomes
) -> None:
    """Run the program on the host until it does what an emulated run did, or often enough."""
    while not host.has(run) and host.total < plan.max_runs:
        number = host.total
        host.add(
            run_native(
                path,
                args,
                timeout_s=plan.timeout_s,
                cpu=min(os.sched_getaffinity(0)) if number % 2 and can_pin() else None,
                jitter_us=_JITTER_US[number // 2 % len(_JITTER_US)],
            )
        )


def _explanation(
    run: EmulatedRun,
    machine: Machine,
    path: Path,
    args: Sequence[str],
    plan: Plan,
    host: HostOutcomes,
    calls: bool,
) -> list[str]:
    """Say where an outcome differs from the host's nearest, and the last calls of both."""
    nearest = closest(host.runs, run)
    lines = compare(nearest, run)
    if not calls:
        return lines
    lines.append("last system calls, emulated:")
    again = run_emulated(path, args, machine, calls=True, timeout_s=plan.timeout_s)
    lines += [f"  {line}" for line in again.calls]
    noted = _noted(nearest, path, args, plan)
    if noted is None:
        lines.append("last calls, host: that outcome did not come again")
    else:
        lines.append("last calls, host (noted by its interpreter, in a run of their own):")
        lines += [f"  {line}" for line in noted.calls]
    return lines


def _noted(wanted: NativeRun, path: Path, args: Sequence[str], plan: Plan) -> NativeRun | None:
    """Return a native run with notes of its calls that ended as ``wanted`` did."""
    for _ in range(_EXPLAIN_TRIES):
        try:
            run = run_native(path, args, timeout_s=plan.timeout_s, calls=True)
        except NativeError:
            continue
        if _key(run) == _key(wanted):
            return run
    return None
