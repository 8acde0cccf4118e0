"""Is it what Linux does? Guest programs, run by the host's kernel and by the emulator, compared.

A program may have several outcomes, where processes race. So it runs several times on either side,
and what is compared is sets: every outcome of the emulator must be one that the host has given.
It need not be the other way round, the emulator's schedules are few. When an emulated outcome is
not among the host's, the host runs the program again, now held up at random and kept on one CPU by
turns (whatever a kernel may do with processes that wait for a CPU), until it is, or until nothing
new is to be expected. An outcome is ``cluster.compare``'s: standard output and error, exit status,
process tree. Pids, times and the order in which independent processes run are no part of it.

Not having seen an outcome is no proof that it cannot be. How much of what the host can do is still
unseen is told by how often outcomes have come once only (Good and Turing: the next run shows
something new with a probability of about singletons / runs). Only a host whose sample is
``saturated`` makes a difference; else the comparison is *inconclusive*. So it is when the program
walked a set whose order is not defined (of strings, say): CPython's differs from start to start.

Source: I. J. Good, The population frequencies of species, Biometrika 40 (1953).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Final

from cluster import engine_api
from cluster.compare import agree, closest, compare, plain_stderr
from cluster.emulated import EmulatedRun, Machine, run_emulated
from cluster.native import NativeError, NativeRun, can_pin, run_native, surroundings, usable_cpu
from cluster.native_start import FIXED, NotComparable, Surroundings

_JITTER_US: Final = (0, 300, 3_000, 20_000)
_EXPLAIN_TRIES: Final = 4
ENOUGH_RUNS: Final = 40  # host runs before a saturated sample ends the search
MOST_UNSEEN: Final = 0.01  # estimated share of runs with a new outcome, in a saturated sample

SAME: Final = "same"
DIFFERENT: Final = "different"
INCONCLUSIVE: Final = "inconclusive"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Which runs are made of each program."""

    cpus: tuple[int, ...] = (1, 2, 8)
    seeds: tuple[int, ...] = (42,)
    granularities: tuple[str, ...] = ("syscall", "step")
    schemes: tuple[str, ...] = ("exact",)
    runs: int = 1  # on the host, at least
    max_runs: int = 100  # on the host, while an emulated outcome is not among the host's
    check: bool = False  # all invariants while the emulator runs
    timeout_s: float = 60.0  # for each run
    unbuffered: bool = False  # python3 -u, on both sides
    stdin: bytes | None = None  # what standard input has, on both sides; None: /dev/null

    def how(self) -> dict[str, Any]:
        """Return what every run has in common, as options of either side's runner."""
        return {
            "timeout_s": self.timeout_s,
            "unbuffered": self.unbuffered,
            "stdin": self.stdin,
        }

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

    @property
    def unseen(self) -> float:
        """The probability, estimated, that one more run has an outcome not seen before."""
        return self.counts.count(1) / self.total if self.total else 1.0

    @property
    def saturated(self) -> bool:
        """Whether these are, as far as can be told, all the outcomes there are."""
        return self.unseen <= MOST_UNSEEN

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

    ``verdict`` is SAME, DIFFERENT or INCONCLUSIVE. ``explanation`` says where it differs from the
    nearest outcome of the host.
    """

    run: EmulatedRun
    machines: tuple[Machine, ...]
    verdict: str
    explanation: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProgramReport:
    """All runs of one program."""

    program: str
    host: HostOutcomes
    emulated: tuple[EmulatedOutcome, ...]

    @property
    def verdict(self) -> str:
        """The worst verdict of any emulated outcome."""
        found = [outcome.verdict for outcome in self.emulated]
        return next((worst for worst in (DIFFERENT, INCONCLUSIVE) if worst in found), SAME)

    @property
    def same(self) -> bool:
        """Whether the emulator did nothing that the host has not done."""
        return self.verdict == SAME

    @property
    def emulated_runs(self) -> int:
        """How many emulated runs there were."""
        return sum(len(outcome.machines) for outcome in self.emulated)


class NotCompared(Exception):
    """A program ran, but the two sides cannot be compared. ``kind`` and ``message`` say why."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind, message)
        self.kind = kind
        self.message = message


def diff_program(
    path: Path,
    args: Sequence[str] = (),
    plan: Plan = Plan(),
    *,
    host: HostOutcomes | None = None,
    explain: bool = True,
    progress: Progress | None = None,
) -> ProgramReport:
    """Run a guest program on the host and emulated as planned, and compare.

    Args:
        path: the program's file.
        args: its arguments, without its own name.
        plan: which runs to make.
        host: what the host did with it before; runs are added to it.
        explain: tell of a difference the last calls of both sides, too: two more runs.
        progress: is told which run comes next.

    Raises:
        NotCompared: the program needs what is not emulated or has no native form, its emulated run
            was cut short, or a native run cannot begin where an emulated one can.
        NativeError: the host cannot run it, or it did not end in time.
        ConfigError: the program cannot be read.
        GuestProgramError: the program is outside the guest language.
        KeyboardInterrupt: Ctrl-C.
    """
    return _Comparison(path, args, plan, host, progress).report(explain)


class _Comparison:
    """One program while it is compared."""

    def __init__(
        self,
        path: Path,
        args: Sequence[str],
        plan: Plan,
        host: HostOutcomes | None,
        progress: Progress | None,
    ) -> None:
        self.path = path
        self.args = args
        self.plan = plan
        self.host = HostOutcomes() if host is None else host
        self.progress = progress
        self.start: Surroundings = FIXED

    def report(self, explain: bool) -> ProgramReport:
        """See ``diff_program``."""
        plan, host = self.plan, self.host
        self.start = surroundings()
        found: dict[Any, tuple[EmulatedRun, list[Machine]]] = {}
        for number, machine in enumerate(plan.machines(), 1):
            self._tell(f"emulated run {number}, {machine}")
            run = self._emulated(machine, check=plan.check)
            found.setdefault(_key(run), (run, []))[1].append(machine)
        while host.total < plan.runs:
            self._run_host()
        outcomes = []
        for run, machines in found.values():
            if not run.problem:
                self._look_for(run)
            verdict = self._verdict(run)
            lines = [] if verdict == SAME else self._explanation(run, machines[0], verdict, explain)
            outcomes.append(EmulatedOutcome(run, tuple(machines), verdict, tuple(lines)))
        return ProgramReport(str(self.path), host, tuple(outcomes))

    def _tell(self, what: str) -> None:
        if self.progress is not None:
            self.progress(what)

    def _emulated(self, machine: Machine, *, check: bool = False, calls: bool = False) -> Any:
        """Run the program emulated; raise NotCompared if that says nothing about Linux."""
        try:
            run = run_emulated(
                self.path,
                self.args,
                machine,
                check=check,
                calls=calls,
                start=self.start,
                **self.plan.how(),
            )
        except NotComparable as error:
            raise NotCompared("not comparable", str(error)) from error
        if run.not_emulated:
            raise NotCompared("not emulated", "\n".join(run.not_emulated))
        if run.kind in _NO_ANSWER:
            message = run.problem.partition(": ")[2]
            raise NotCompared(_NO_ANSWER[run.kind], f"{message} (on {machine})")
        return run

    def _native(self, **options: Any) -> NativeRun:
        run = run_native(self.path, self.args, **self.plan.how(), **options)
        if run.refused:
            raise NotCompared("no native form", "\n".join(run.refused))
        return run

    def _run_host(self, **options: Any) -> None:
        self._tell(f"host run {self.host.total + 1}")
        self.host.add(self._native(**options))

    def _look_for(self, run: EmulatedRun) -> None:
        """Run the program on the host until it does what an emulated run did, or often enough."""
        host = self.host
        while not host.has(run) and host.total < self.plan.max_runs:
            if host.total >= ENOUGH_RUNS and host.saturated:
                return
            number = host.total
            self._run_host(
                cpu=usable_cpu() if number % 2 and can_pin() else None,
                jitter_us=_JITTER_US[number // 2 % len(_JITTER_US)],
            )

    def _verdict(self, run: EmulatedRun) -> str:
        if self.host.has(run):
            return SAME
        if run.problem:  # none that the host can end with
            return DIFFERENT
        return DIFFERENT if self.host.saturated and not run.order_seen else INCONCLUSIVE

    def _explanation(
        self, run: EmulatedRun, machine: Machine, verdict: str, calls: bool
    ) -> list[str]:
        """Say where an outcome differs from the host's nearest, and the last calls of both."""
        nearest = closest(self.host.runs, run)
        lines = compare(nearest, run)
        if verdict == INCONCLUSIVE:
            lines.insert(0, _ORDER if run.order_seen else _unseen(self.host))
            return lines
        if not calls:
            return lines
        self._tell("once more, for the last calls")
        lines.append("last system calls, emulated:")
        lines += [f"  {line}" for line in self._emulated(machine, calls=True).calls]
        noted = self._noted(nearest)
        if noted is None:
            lines.append("last calls, host: that outcome did not come again")
        else:
            lines.append("last calls, host (noted by its interpreter, in a run of their own):")
            lines += [f"  {line}" for line in noted.calls]
        return lines

    def _noted(self, wanted: NativeRun) -> NativeRun | None:
        """Return a native run with notes of its calls that ended as ``wanted`` did."""
        for _ in range(_EXPLAIN_TRIES):
            try:
                run = self._native(calls=True)
            except NativeError:
                continue
            if _key(run) == _key(wanted):
                return run
        return None


#: kinds of end that say nothing about Linux -> how the comparison is called then
_NO_ANSWER: Final = {
    engine_api.LIMIT: "emulated run failed",
    engine_api.BROKEN: "emulated run failed",
    engine_api.INVARIANT: "invariant violated",
    engine_api.GUEST: "guest program",
}


_ORDER: Final = (
    "not seen on the host, and the program walks a set (of strings, or other objects than numbers)"
    " whose order is not defined: walk sorted(...) of it"
)


def _key(run: NativeRun | EmulatedRun) -> Any:
    rest = run.problem if isinstance(run, EmulatedRun) else run.strays
    return run.stdout, plain_stderr(run.stderr), run.status, run.tree, rest


def _unseen(host: HostOutcomes) -> str:
    """Say how much of what the host can do has not been seen."""
    once = host.counts.count(1)
    return (
        f"not seen on the host so far: {host.total} runs, {len(host.runs)} outcomes, {once} of them"
        f" once, so about {host.unseen:.0%} of its runs would show a new one; --max-runs looks on"
    )
