"""One controlled run of a scenario: who takes each step is chosen, and everything is watched.

A run is a machine at granularity ``step`` under the scheme ``free`` (``cluster.sync.free``), so
every path that is in the kernel may go next. ``Control`` is its chooser: it asks a strategy, notes
who went and by which point, and lets go on in turn whoever waits longest once a run has taken far
more steps than it should need. Long before that a task that spins lets others go first: one whose
system calls have passed the same points so many times in a row (a strategy might starve the task
that it spins for).

What is wrong with a run is its ``Verdict``. Its ``signature`` is the same for the same bug: a
report without numbers. Shrinking keeps to it.
"""

import gc
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from random import Random
from typing import Any, Final
from zlib import crc32

from cluster import lps
from cluster.engine_api import (
    DEADLOCK,
    DONE,
    GUEST,
    INTERRUPTED,
    INVARIANT,
    LIMIT,
    RunRequest,
    RunResult,
    kernel_failure,
)
from cluster.local_engine import LocalRun
from cluster.race.actors import actor_of, actor_told, in_memory_order
from cluster.race.schedule import Schedule, digests_of, segments_of
from cluster.race.strategies import Learned, Strategy
from cluster.race.waits import CIRCLE, LOST, WaitChecks, waits_told
from cluster.race.watch import DataRace, Watch, watching
from kernel.check.invariants import check_step
from kernel.check.touched import TouchedChecks
from kernel.drive.chooser import Choice
from kernel.drive.story import oops_told, tell
from kernel.errors import BadMutation, InvariantError
from kernel.machine import MachineSpec
from kernel.state import KernelState
from workloads.language.loader import Loader

CLEAN: Final = "clean"
RACE: Final = "data race"
BROKEN: Final = "invariant"
STUCK: Final = CIRCLE  # deadlock
OUTCOME: Final = "outcome"
ENDLESS: Final = "endless"

# The number from which the driver makes a hold-up of 45 us, many times what a system call's way to
# the kernel takes: kernel.drive.interleave. So CPUs come to their next call before anybody steps.
_LONG_HOLD_UP: Final = 1 << 21 | 1

_SPINS: Final = 20  # system calls alike in a row
_NO_CALL: Final = (0, 0, 0)

MOST_VIRTUAL_NS: Final = 10_000_000_000  # a run that takes longer is endless

_COLLECT_EVERY: Final = 16  # runs
_runs: Final = [0]

_MOST_LOADERS: Final = 4
_loaders: Final[dict[tuple[Any, ...], Loader]] = {}

_NO_DIGEST: Final = "sha256:" + "0" * 16  # of a run that did nothing

_ADDRESS: Final = " object at 0x"  # an object without a name of its own: no other run has it

_SLEEPS: Final = re.compile(r"sleeps in ([\w ]+)|each other \(([\w ,]+)\)")
_NUMBERS: Final = re.compile(r"0x[0-9a-f]+|(?<!\bpython)\d+")


@dataclass(frozen=True, slots=True)
class Expected:
    """How every run of a scenario must end: wait statuses by label, and outputs if they matter."""

    statuses: tuple[tuple[str, int], ...] = ()
    outputs: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is explored.

    Attributes:
        spec: the machine with its programs and mutations, at granularity ``step``.
        expected: how it must end.
        fair_after: so many steps are a strategy's; then everybody goes on in turn.
        most_steps: a run that takes more is endless.
    """

    name: str
    spec: MachineSpec
    expected: Expected = Expected()
    fair_after: int = 20_000
    most_steps: int = 60_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run showed.

    Attributes:
        kind: CLEAN, or what is wrong.
        signature: the same for the same bug.
        text: the report.
    """

    kind: str
    signature: str = ""
    text: str = ""


@dataclass(slots=True)
class Run:
    """One run.

    Attributes:
        actors: who took each step; ``names``: the point each step began at.
        digest: of everything the run did, as every run has one.
        choices: at how many steps there was more than one that could go.
    """

    verdict: Verdict
    seed: int
    strategy: str
    actors: list[int]
    names: list[str]
    digest: str
    choices: int
    races: list[DataRace] = field(default_factory=list)


class Diverged(Exception):
    """A replay goes another way than the run did; the message says where."""


class _Endless(InvariantError):
    """A run takes more steps than a scenario may."""


def endless(why: str) -> Exception:
    """Return what ends a run that would go on for ever."""
    return _Endless(f"no end: {why}")


class Control:
    """The chooser of a controlled run: see the module header.

    Args:
        strategy: whom to ask; None: nobody, after the prefix whoever went last goes on.
        prefix: who takes the first steps.
        strict: raise Diverged where the prefix names somebody who cannot go; else leave it out.
    """

    def __init__(
        self,
        scenario: Scenario,
        strategy: Strategy | None,
        prefix: Sequence[int] = (),
        *,
        strict: bool = True,
    ) -> None:
        self.actors: list[int] = []
        self.names: list[str] = []
        self.choices = 0
        self.local: LocalRun | None = None  # the machine, as soon as there is one
        self._strategy = strategy
        self._prefix = prefix
        self._place = 0
        self._strict = strict
        self._fair_after = scenario.fair_after
        self._most = scenario.most_steps
        self._went: dict[int, int] = {}  # actor -> its last step
        # actor -> digests of this system call's points and of the last one's, calls alike in a row
        self._calls: dict[int, list[int]] = {}

    def begin(self, seed: int) -> None:
        """See ``Chooser.begin``: the strategy has its own seed."""

    def number(self, bound: int) -> int:
        """Hold everybody up for as long as CPUs need to come to their next call."""
        return _LONG_HOLD_UP

    def choose(self, enabled: Sequence[Choice]) -> int:
        """See ``Chooser.choose``."""
        step = len(self.actors)
        place = 0
        if self._place < len(self._prefix):
            place = self._follow(enabled)
        elif len(enabled) > 1:
            if step >= self._fair_after:
                place = self._fair(enabled)
            elif self._strategy is not None:
                place = self._strategy.pick(enabled)
            else:
                place = self._last(enabled)
            place = self._unspun(enabled, place)
        return self._took(enabled, place)

    def _took(self, enabled: Sequence[Choice], place: int) -> int:
        """Note who takes this step."""
        step = len(self.actors)
        if len(enabled) > 1:
            self.choices += 1
        chosen = enabled[place]
        actor = actor_of(chosen)
        self.actors.append(actor)
        self.names.append(chosen.op[0])
        self._went[actor] = step
        self._note_call(in_memory_order(actor), chosen.op[0])
        if step >= self._most:
            spins = [
                actor_told(one) for one, call in sorted(self._calls.items()) if call[2] >= _SPINS
            ]
            why = f"; the same again and again: {', '.join(spins)}" if spins else ""
            raise _Endless(f"no end after {step} steps{why}")
        return place

    def _note_call(self, actor: int, name: str) -> None:
        """Count how many system calls of an actor in a row have passed the same points."""
        call = self._calls.get(actor)
        if call is None:
            call = self._calls[actor] = [0, 0, 0]
        if name != "enter":
            call[0] = crc32(name.encode(), call[0])
            return
        call[2] = call[2] + 1 if call[0] == call[1] else 0
        call[1], call[0] = call[0], 0

    def _unspun(self, enabled: Sequence[Choice], place: int) -> int:
        """Return who goes instead of the chosen one, if that one spins: who waits longest."""
        calls = self._calls
        call = calls.get(in_memory_order(actor_of(enabled[place])))
        if call is None or call[2] < _SPINS:
            return place
        others = [
            other
            for other in _up_to_date(enabled)
            if calls.get(actor_of(enabled[other]), _NO_CALL)[2] < _SPINS
        ]
        return self._longest(enabled, others or _up_to_date(enabled))

    def _follow(self, enabled: Sequence[Choice]) -> int:
        prefix = self._prefix
        while self._place < len(prefix):
            wanted = prefix[self._place]
            for place, entry in enumerate(enabled):
                if actor_of(entry) == wanted:
                    self._place += 1
                    return place
            if self._strict:
                could = ", ".join(f"{entry.op[0]} of {actor_of(entry)}" for entry in enabled)
                raise Diverged(f"step {len(self.actors) + 1}: {wanted} cannot go (can: {could})")
            self._place += 1
        return self._last(enabled)

    def _last(self, enabled: Sequence[Choice]) -> int:
        """Whoever went last goes on; if it cannot, the one with the lowest number."""
        last = in_memory_order(self.actors[-1]) if self.actors else None
        lowest = 0
        for place, entry in enumerate(enabled):
            actor = actor_of(entry)
            if actor == last:
                return place
            if actor < actor_of(enabled[lowest]):
                lowest = place
        return lowest

    def _fair(self, enabled: Sequence[Choice]) -> int:
        return self._longest(enabled, _up_to_date(enabled))

    def _longest(self, enabled: Sequence[Choice], places: Sequence[int]) -> int:
        """Return the place of who waits longest."""
        went = self._went
        return min(places, key=lambda place: went.get(actor_of(enabled[place]), -1))


def _up_to_date(enabled: Sequence[Choice]) -> list[int]:
    """Return the places of what does its access as memory has it.

    Who spins and always reads what memory held before would spin for ever.
    """
    return [
        place
        for place, entry in enumerate(enabled)
        if (actor := actor_of(entry)) == in_memory_order(actor)
    ]


class _Checks:
    """What is looked at after every step."""

    def __init__(self, watch: Watch | None, sources: Mapping[str, str]) -> None:
        self._watch = watch
        self._waits = WaitChecks(sources)
        self._touched = None if watch is None else TouchedChecks(watch.written, watch.moved)

    def __call__(self, kernel: KernelState) -> None:
        if self._watch is None or self._touched is None:
            stories = check_step(kernel)
            if stories:
                raise InvariantError("\n".join(stories))
            self._waits(kernel)
            return
        if self._watch.races:
            raise InvariantError(RACE)
        if self._watch.shared_writes:
            raise InvariantError(self._watch.shared_writes[0])
        self._touched(kernel)
        self._waits(kernel)


def run_once(
    scenario: Scenario,
    control: Control,
    *,
    seed: int = 0,
    strategy: str = "",
    watch: Watch | None,
    digest: bool = True,
    checks: Callable[[KernelState], None] | None = None,
) -> Run:
    """Run a scenario once; with a ``watch``, inside ``watch.following()``.

    Args:
        digest: whether a clean run has its digest, too; to make it takes as long as some 15 steps.
        checks: called after every step, in the place of the usual ones.

    Raises:
        KeyboardInterrupt: Ctrl-C.
        Diverged: the prefix of ``control`` cannot be followed.
    """
    spec = replace(scenario.spec, tie_break="order", check=True)
    races = [] if watch is None else watch.races
    if watch is not None:
        watch.of_model(spec.memory_model)
    with watching(watch):
        collect_now_and_then()
        try:
            local = _machine(spec)
        except InvariantError as error:
            verdict = Verdict(BROKEN, _masked(str(error)), str(error))
            return Run(verdict, seed, strategy, [], [], _NO_DIGEST, 0)
        kernel = local.host.kernel
        kernel.chooser = control
        control.local = local
        kernel.after_step = checks or _Checks(watch, spec.sources)
        kernel.watch = watch
        kind, message = _played(local, spec)
        if kind == INTERRUPTED:
            raise KeyboardInterrupt
        if kind == DEADLOCK:
            message = waits_told(kernel) or message
        verdict = _verdict(scenario, local.ending(kind, message), races)
        made = local.result(kind, message).digest if digest or verdict.kind != CLEAN else ""
        kernel.watch = kernel.after_step = control.local = (
            None  # freed at once, and not with the machine
        )
    return Run(verdict, seed, strategy, control.actors, control.names, made, control.choices, races)


def _machine(spec: MachineSpec) -> LocalRun:
    """Return the machine, booted.

    Raises:
        InvariantError: a mutated kernel does not come that far.
    """
    request = RunRequest(spec, scheme="free", max_virtual_ns=MOST_VIRTUAL_NS)
    try:
        return LocalRun(request, loader_of(spec))
    except Exception as error:
        if not spec.mutations or isinstance(error, BadMutation) or not kernel_failure(error, spec):
            raise
        plain = replace(spec, mutations=())
        LocalRun(replace(request, spec=plain), loader_of(plain))  # if it fails, too: no bug of ours
        if isinstance(error, InvariantError):
            raise
        raise InvariantError(oops_told(error, "the boot")) from error


def _played(local: LocalRun, spec: MachineSpec) -> tuple[str, str]:
    """Run a machine to its end; return exit kind and message.

    What a mutated kernel stumbles over between two steps is an oops like one in a step.
    """
    try:
        return local.play()
    except (Diverged, AssertionError):
        raise
    except Exception as error:
        if not spec.mutations or not kernel_failure(error, spec):
            raise
        task = local.host.kernel.current
        oops = InvariantError(oops_told(error, "between two steps" if task is None else repr(task)))
        return INVARIANT, str(tell(local.host.kernel, oops))


def loader_of(spec: MachineSpec) -> Loader:
    """Return what has compiled the programs of this machine, if this process has run it before."""
    key = (tuple(spec.sources.items()), spec.block_budget, spec.cpus, spec.guest_memory)
    loader = _loaders.pop(key, None) or lps.loader_of(spec)
    _loaders[key] = loader  # the last one used
    if len(_loaders) > _MOST_LOADERS:
        del _loaders[next(iter(_loaders))]
    return loader


def collect_now_and_then() -> None:
    """Free what former runs have left, where nobody else does: inside ``watch.following()``."""
    _runs[0] += 1
    if not gc.isenabled() and not _runs[0] % _COLLECT_EVERY:
        gc.collect(1)


def explore_once(
    scenario: Scenario,
    make: Any,
    name: str,
    learned: Learned,
    seed: int,
    *,
    keep: bool = False,
    watch: bool = True,
    digest: bool = True,
) -> tuple[Run, Watch | None]:
    """Run a scenario once with a strategy; everything random comes from ``seed``."""
    seen = Watch(keep=keep) if watch or keep else None
    control = Control(scenario, make(Random(seed), learned))
    run = run_once(scenario, control, seed=seed, strategy=name, watch=seen, digest=digest)
    return run, seen


def schedule_of(scenario: Scenario, run: Run, code: bytes) -> Schedule:
    """Return what makes this run again."""
    return Schedule(
        code[:4],
        scenario_hash(scenario),
        config_hash(scenario),
        run.seed,
        segments_of(run.actors),
        digests_of(run.names),
    )


def scenario_hash(scenario: Scenario) -> bytes:
    """Return four bytes of what is run: the programs and how they are started."""
    spec = scenario.spec
    text = repr((sorted(spec.sources.items()), spec.spawns, spec.mutations))
    return sha256(text.encode()).digest()[:4]


def question_hash(scenario: Scenario) -> bytes:
    """Return four bytes of what is run and of what is asked of each run: how it must end."""
    text = repr((scenario_hash(scenario), scenario.expected, scenario.most_steps))
    return sha256(text.encode()).digest()[:4]


def config_hash(scenario: Scenario) -> bytes:
    """Return four bytes of the machine it runs on."""
    spec = scenario.spec
    text = repr((spec.cpus, spec.seed, spec.linux, spec.memory_model, spec.hz))
    if spec.kthreads or spec.services or spec.acct:
        text += repr((spec.kthreads, spec.services, spec.acct))
    return sha256(text.encode()).digest()[:4]


def _verdict(scenario: Scenario, result: RunResult, races: Iterable[DataRace]) -> Verdict:
    kind, message = result.exit_kind, result.message
    for race in races:
        return Verdict(RACE, *_race_told(race))
    if kind == INVARIANT:
        if message.startswith("no end"):
            return Verdict(ENDLESS, ENDLESS, message)
        if message.startswith((LOST, STUCK)):
            return _waiting(message)
        return Verdict(BROKEN, _masked(message), message)
    if kind == DEADLOCK:
        return _waiting(message)
    if kind == LIMIT:
        text = f"no end after {MOST_VIRTUAL_NS // 10**9} s of virtual time"
        return Verdict(ENDLESS, ENDLESS, text)
    if kind == GUEST:
        return Verdict(OUTCOME, _masked(f"{kind}: {message}"), f"{kind}: {message}")
    if kind != DONE:
        raise RuntimeError(f"{kind}: {message}")
    found = {label: status for label, _pid, status in result.statuses}
    for label, status in scenario.expected.statuses:
        if found.get(label) != status:
            ending = _status_told(found.get(label))
            text = f"{label} ends with {ending}, and must with {_status_told(status)}"
            return Verdict(OUTCOME, _masked(text), text)
    for name, data in scenario.expected.outputs:
        if result.outputs.get(name, b"") != data:
            text = f"{name} is {result.outputs.get(name, b'')[:200]!r}, and must be {data[:200]!r}"
            return Verdict(OUTCOME, f"{name} is another", text)
    return Verdict(CLEAN)


def _status_told(status: int | None) -> str:
    """Return what wait4() would store as people say it."""
    if status is None:
        return "no status"
    if status & 0x7F:
        return f"signal {status & 0x7F}"
    return f"exit status {status >> 8}"


def _waiting(message: str) -> Verdict:
    """Return the verdict on tasks that wait for what will not come: see ``cluster.race.waits``."""
    first = message.split("\n", 1)[0]
    kind = LOST if first.startswith(LOST) else STUCK
    calls = _SLEEPS.search(first)
    message = message.partition("\n  story of")[0]
    return Verdict(kind, f"{kind}: {calls[1] or calls[2]}" if calls else _masked(first), message)


def _masked(message: str) -> str:
    first = message.split("\n", 1)[0]
    return _NUMBERS.sub("N", first)


def _race_told(race: DataRace) -> tuple[str, str]:
    """Return signature and report of a data race."""
    name = f"{type(race.obj).__name__}.{race.field}"
    both = sorted(
        f"{'write' if one.write else 'read'} in {one.where}()" for one in (race.first, race.second)
    )
    told = repr(race.obj)
    lines = [f"data race on {name}" + ("" if _ADDRESS in told else f" of {told}") + ":"]
    for one in (race.first, race.second):
        how = "writes" if one.write else "reads"
        lines.append(f"  step {one.step}: {one.task!r} {how} it in {one.where}()")
    return f"{name}: {both[0]}, {both[1]}", "\n".join(lines)
