"""The logical processes as engines drive them: groups of CPUs, and the kernel with its rounds.

An engine alternates two phases (``cluster.machine_loop``). In the CPU phase every ``CpuGroup``
steps those of its CPUs that have something to do, as far as the scheme lets them. In the kernel
phase ``KernelHost`` serves what the scheme hands it of their requests, in the scheme's order,
routes messages and asks for the next horizons (``cluster.sync.scheme``).

A CPU sees its own messages, in an order that the kernel phase made, and its horizon; nothing else
of the engine reaches it. That is the whole reason why a run gives the same bytes in one process and
on any number of actors.
"""

import gc
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

from cluster.driver_parts import bring_parts
from cluster.mutations.install import install
from cluster.sched_classes import bring
from cluster.sync.guarded import guarded
from cluster.sync.order_log import Chunk as OrderChunk
from cluster.sync.order_log import OrderLog
from cluster.sync.scheme import NO_FURTHER, Scheme, in_halves
from cluster.trace.format import CHUNK_RECORDS
from cluster.trace.tails import Tail, Tails
from kernel.cgroup.cgroup import descendants, path_of
from kernel.cgroup.members import cpu_stat
from kernel.check.at_rest import blocked_stories, boot_counts
from kernel.cpu.rated import make_cpu
from kernel.drive.chooser import Recording
from kernel.drive.story import tell
from kernel.errors import InvariantError
from kernel.machine import MachineSpec
from kernel.messages import END, NEVER
from kernel.rounds.group import CpuReport as CpuReport
from kernel.rounds.group import Group, Horizons, Inboxes
from kernel.rounds.turns import take_turns
from kernel.rounds.view import Pending, View, first_of
from kernel.state import KernelState
from kernel.uapi.failure import Error
from kernel.user import Loader, Op, UserContext
from workloads.language.loader import Loader as LanguageLoader

if TYPE_CHECKING:
    from cluster.codec import ServedLog

Chunk = tuple[int, bytes]  # (LP number, encoded records)

RUNNING: Final = ""
DONE: Final = "done"
DEADLOCK: Final = "deadlock"
FATAL: Final = "fatal"
LIMIT: Final = "limit"

_NO_INBOXES: Final[Inboxes] = {}  # nobody changes it
# Supersteps; in one of so many guest time is measured. A prime: what all tasks do at once comes
# round in few supersteps, and with two halves every second one is for the other.
_SAMPLE_EVERY: Final = 61


def loader_of(spec: MachineSpec) -> LanguageLoader:
    """Return what makes the user contexts of a machine: the loader of the guest language."""
    return LanguageLoader(
        spec.sources,
        block_budget=spec.block_budget,
        cpus=spec.cpus,
        guest_memory=spec.guest_memory,
    )


# Supersteps between two runs of the collector, which is kept out of the loop (a guest program can
# make a list that contains itself); a multiple of _SAMPLE_EVERY. Under exact one is an event.
_COLLECT_EVERY: Final = 268 * _SAMPLE_EVERY
_COLLECT_EVERY_TURNS: Final = 16 * _COLLECT_EVERY  # most are ticks, which leave nothing behind


def collect_now_and_then(superstep: int) -> bool:
    """Run the cycle collector if it is time to; return whether it was."""
    if superstep % _COLLECT_EVERY or not superstep:
        return False
    gc.collect()
    return True


class CpuGroup:
    """Some CPUs of one machine, stepped together.

    Args:
        spec: the machine.
        cpus: numbers of the CPUs of this group, ascending.
        loader: makes user contexts.
    """

    def __init__(self, spec: MachineSpec, cpus: Sequence[int], loader: Loader) -> None:
        bring(spec)
        self._group = Group([make_cpu(cpu, spec, loader) for cpu in cpus])
        self._step = self._group.step
        self._tracing = spec.trace
        self._tails = Tails()
        self.cpus = self._group.by_number
        self._supersteps = 0
        self._turns = 0
        self._guest_ns = 0
        self.step_ns = 0  # wall time in step(), all of it
        self.sampled_step_ns = 0
        self.sampled_guest_ns = 0

    def step(self, horizons: Horizons, inboxes: Inboxes) -> list[CpuReport]:
        """Run the CPU phase; return a report of every CPU that did anything, by number."""
        started = perf_counter_ns()
        superstep = self._supersteps
        self._supersteps = superstep + 1
        if superstep % _SAMPLE_EVERY:
            reports = self._step(horizons, inboxes)
            self.step_ns += perf_counter_ns() - started
            return reports
        if collect_now_and_then(superstep):
            started = perf_counter_ns()
        self._guest_ns = 0
        self._instrument(self._timed_resume, horizons, inboxes)
        reports = self._step(horizons, inboxes)
        took = perf_counter_ns() - started
        self.step_ns += took
        self._instrument(None, horizons, inboxes)
        self.sampled_step_ns += took
        self.sampled_guest_ns += self._guest_ns
        return reports

    def take_turns(
        self, view: View, longest_ns: int, until_ns: int, most: int
    ) -> tuple[int, list[CpuReport]]:
        """Take turns as the scheme ``exact`` decides them: ``kernel.rounds.turns``."""
        started = perf_counter_ns()
        made, reports = take_turns(self._group, view, longest_ns, until_ns, most)
        self.step_ns += perf_counter_ns() - started
        self._turns += made
        if self._turns >= _COLLECT_EVERY_TURNS:
            self._turns = 0
            gc.collect()
        return made, reports

    def halve(self) -> None:
        """Let every other step be for one half of the CPUs: ``Group.halve``."""
        self._group.halve()

    def last_step(self, horizons: Horizons, inboxes: Inboxes) -> list[CpuReport]:
        """Run the CPU phase after the verdict: it is for all CPUs."""
        self._group.whole()
        return self.step(horizons, inboxes)

    def settle_all(self) -> None:
        """Let every message between CPUs arrive at once: ``Group.settle_all``."""
        self._group.settle_all()
        self._step = self._group.settle

    def stop_at_messages(self) -> None:
        """Let a CPU stop when it has said something, as it does after ``settle_all``."""
        for lp in self.cpus.values():
            lp.eager = True

    def _instrument(
        self,
        function: Callable[..., Op] | None,
        horizons: Horizons,
        inboxes: Inboxes,
    ) -> None:
        """Let ``function`` run the blocks of the CPUs that have a horizon or a message."""
        some = self.cpus if isinstance(horizons, int) else [*horizons, *inboxes]
        for cpu in some:
            self.cpus[cpu].instrument = function

    def _timed_resume(self, ctx: UserContext, value: Any, error: Error | None) -> Op:
        started = perf_counter_ns()
        op = ctx.resume(value, error)
        self._guest_ns += perf_counter_ns() - started
        return op

    def standing(self) -> list[Any]:
        """Return as data what the group knows beside its CPUs, for a checkpoint."""
        return [self._supersteps, *self._group.standing()]

    def stand(self, data: Sequence[Any]) -> None:
        """Stand where ``standing`` was called."""
        self._supersteps, *where = data
        self._group.stand(where)

    def drain_trace(self, *, final: bool = False) -> list[Chunk]:
        """Take the whole chunks of trace that have come together; with ``final`` all of it."""
        if not self._tracing:
            return []
        return [
            (cpu, chunk)
            for cpu, lp in self.cpus.items()
            if final or len(lp.trace) >= CHUNK_RECORDS
            for chunk in self._tails.drain(cpu, lp.trace, final=final)
        ]

    def show_trace(self, *, again: bool) -> list[Tail]:
        """Return what there is of the trace that was neither taken nor shown: ``Tails.show``."""
        return [
            tail
            for cpu, lp in self.cpus.items()
            for tail in self._tails.show(cpu, lp.trace, again=again)
        ]

    def stats(self) -> list[tuple[int, dict[str, Any]]]:
        """Return ``(cpu, CpuStats as plain data)`` of every CPU of the group."""
        return [(cpu, lp.stats.to_plain()) for cpu, lp in self.cpus.items()]

    def wall(self) -> dict[str, int]:
        """Return host ns spent in steps, and in guest code of it (estimated from samples)."""
        guest = 0
        if self.sampled_step_ns:
            guest = self.step_ns * self.sampled_guest_ns // self.sampled_step_ns
        return {"cpu_ns": self.step_ns - guest, "guest_ns": guest}


class KernelHost:
    """The kernel LP and the round around it.

    Args:
        spec: the machine.
        loader: makes user contexts.
        scheme: decides how far CPUs go, and what the kernel serves when.
        quantum_ns: as the scheme got it; for the summary.
        max_virtual_ns: stop with LIMIT when every LP has passed it; None: never.
    """

    def __init__(
        self,
        spec: MachineSpec,
        loader: Loader,
        scheme: Scheme,
        quantum_ns: int,
        max_virtual_ns: int | None,
    ) -> None:
        bring_parts(spec)
        bring(spec)
        install(spec.mutations)
        self.kernel = KernelState(spec, loader)
        self.boot_counts = boot_counts(self.kernel)
        self.scheme = guarded(scheme, spec.cpus)
        self._settles = scheme.settles
        self.halves = in_halves(scheme)
        self._held: Inboxes = {}  # messages to the half whose turn it is not
        self.turn_ns: int = getattr(self.scheme, "turn_ns", 0)
        self.kernel.single_steps = getattr(scheme, "single_steps", False)
        self._judged = False
        self._tails = Tails()
        self.pending = Pending()
        self.view = View(spec.cpus, self.kernel, self.pending)
        self.supersteps = 0
        self.log: OrderLog | None = None  # where what the scheme decides is noted
        self.served: ServedLog | None = None  # what a checkpoint makes the kernel from
        self._steps: Recording | None = None
        self.verdict = RUNNING
        self.virtual_ns = 0  # least time at which anything can still happen
        self.kernel_ns = 0  # wall time in superstep()
        self._quantum_ns = quantum_ns
        self._max_ns = NEVER if max_virtual_ns is None else max_virtual_ns
        # at granularity step every step checks; a scheme that settles has a round for each event
        self._check = spec.check and not (scheme.settles and self.kernel.stepwise)

    def superstep(self, reports: Iterable[CpuReport]) -> tuple[Horizons, Inboxes]:
        """Run the kernel phase on the reports of all groups.

        Args:
            reports: by CPU ascending, unless the scheme settles: then as they were made.

        Returns:
            The next horizons and the messages for each CPU that has any. ``verdict`` tells whether
            the run goes on; if not, one more CPU phase takes the last tasks off their CPUs.
        """
        started = perf_counter_ns()
        view, scheme, log, served = self.view, self.scheme, self.log, self.served
        settles = self._settles
        inboxes = view.take_in(reports)
        if self.halves:
            inboxes = _joined(self._held, inboxes)
        if self._judged:
            self._judged = False  # just now, and nothing has happened since
        elif settles and self.judge(view.advance()):
            return END if self.verdict == DONE else {}, inboxes
        self.supersteps += 1
        view.inboxes = inboxes
        limit_ns = scheme.limit(view)
        while limit_ns != NO_FURTHER:
            requests = scheme.ready(self.pending, view)
            if log is not None:
                log.serve(requests, limit_ns, view)
            if served is not None:
                served.serve(requests, limit_ns)
            view.serve(requests, limit_ns, inboxes)
            if self._check:
                check_kernel(self.kernel)
            limit_ns = scheme.limit(view)
        horizons = scheme.horizons(view)
        if log is not None:
            log.horizons(horizons, view)
        if settles:
            view.inboxes = _NO_INBOXES  # all of it arrives before anybody looks
        else:
            self.judge(view.virtual_ns)
            if self.halves:
                inboxes = self._of_half(inboxes)
        self.kernel_ns += perf_counter_ns() - started
        return horizons, inboxes

    def _of_half(self, inboxes: Inboxes) -> Inboxes:
        """Return the messages to the half whose turn is next, and hold the others back.

        With the verdict all of them go.
        """
        if self.verdict:
            return inboxes
        colour = (self.supersteps - 1) & 1
        some = {cpu: inbox for cpu, inbox in inboxes.items() if cpu & 1 == colour}
        self._held = {cpu: inbox for cpu, inbox in inboxes.items() if cpu & 1 != colour}
        self.view.under_way_ns = first_of(some)
        return some

    def take_turns(
        self, group: CpuGroup, reports: list[CpuReport], most: int
    ) -> tuple[int, list[CpuReport]]:
        """Take turns of CPUs that need no kernel phase, after one whose ``reports`` these are.

        Only for a scheme with ``turn_ns``, and while nothing is noted of what it decides.

        Args:
            group: all CPUs.
            reports: not looked at yet; what is returned takes their place.
            most: how many turns at most.

        Returns:
            How many rounds that were, and what the last has to say.
        """
        view = self.view
        view.take_in(reports)
        if self.pending.requests or self.judge(view.advance()):
            return 0, []
        made, reports = group.take_turns(view, self.turn_ns, self._max_ns, most)
        self.supersteps += made
        self._judged = not made
        return made, reports

    def judge(self, virtual_ns: int) -> str:
        """Note that nothing can happen before ``virtual_ns``; set and return the verdict."""
        kernel = self.kernel
        if virtual_ns < NEVER:
            self.virtual_ns = virtual_ns
        if kernel.fatal is not None:
            self.verdict = FATAL
        elif not kernel.programs.left and kernel.finished():
            self.verdict = DONE
        elif virtual_ns >= NEVER or (kernel.services and kernel.stuck()):
            self.verdict = DEADLOCK
        elif virtual_ns > self._max_ns:
            self.verdict = LIMIT
        return self.verdict

    def message(self) -> str:
        """Return what there is to say about the verdict."""
        kernel = self.kernel
        if self.verdict == FATAL:
            return str(kernel.fatal)
        if self.verdict == LIMIT:
            return f"virtual time passed {self._max_ns} ns"
        if self.verdict == DEADLOCK:
            return "nothing can run any more: " + "; ".join(blocked_stories(kernel))
        return ""

    def plain_results(self) -> dict[str, Any]:
        """Return the kernel's counters, lock statistics and exit statuses as plain data."""
        kernel = self.kernel
        kernel.stats.peak_frames = kernel.frames.peak
        return {
            "stats": kernel.stats.to_plain(),
            "locks": self.plain_locks(),
            "cgroups": self._cgroups(),
            "statuses": self.exit_statuses(),
            "not_emulated": list(kernel.not_emulated),
        }

    def exit_statuses(self) -> list[tuple[str, int, int | None]]:
        """Return label, pid and status of each process the spec started: see ``RunResult``."""
        programs = self.kernel.programs
        alive = ((label, pid, None) for pid, label in programs.labels.items())
        return sorted([*programs.statuses, *alive], key=lambda row: row[1])

    def _cgroups(self) -> dict[str, dict[str, int]]:
        """Return cpu.stat of those groups of the configuration that are still there."""
        found = {path_of(each)[1:]: each for each in descendants(self.kernel.cgroups.root)}
        configured = [path for path, _ in self.kernel.spec.cgroups]
        return {path: cpu_stat(found[path]) for path in configured if path in found}

    def plain_run(self) -> dict[str, Any]:
        """Return what equal runs share about how they went."""
        return {
            "virtual_ns": self.virtual_ns,
            "supersteps": self.supersteps,
            "scheme": self.scheme.name,
            "quantum_ns": self._quantum_ns,
            "verdict": self.verdict,
        }

    def take_outputs(self) -> list[tuple[str, bytes]]:
        """Return what programs wrote since the last call."""
        outputs = self.kernel.outputs
        self.kernel.outputs = []
        return outputs

    def counters(self) -> dict[str, int]:
        """Return the few numbers that progress shows."""
        kernel = self.kernel
        return {
            "lifecycles": kernel.stats.releases,
            "tasks": kernel.tasks.nr_threads - kernel.boot_threads,
            "supersteps": self.supersteps,
        }

    def record(self) -> None:
        """Note what scheme and chooser decide, from the beginning: ``take_order`` hands it over."""
        kernel = self.kernel
        self.log = OrderLog(self.scheme)
        if kernel.stepwise:
            self._steps = kernel.chooser = Recording(kernel.chooser)

    def standing(self) -> list[Any]:
        """Return as data where the round stands beside kernel, scheme and view (a checkpoint)."""
        answers = 0 if self._steps is None else len(self._steps.answers)
        where = [self.supersteps, self.virtual_ns, self._judged, self.verdict]
        return [*where, self._held, answers]

    def stand(self, data: Sequence[Any]) -> None:
        """Stand where ``standing`` was called; the kernel has been made again."""
        self.supersteps, self.virtual_ns, self._judged, self.verdict, held, answers = data
        self._held = {cpu: list(effects) for cpu, effects in held.items()}
        if self._steps is not None:
            del self._steps.answers[: len(self._steps.answers) - answers]

    def order_counts(self) -> dict[str, int]:
        """Return how much the order log has noted so far; nothing if there is none."""
        log = self.log
        return {} if log is None else {"rounds": log.rounds, "requests": log.requests}

    def take_order(self, *, final: bool = False) -> list[OrderChunk]:
        """Return what has come together of the order log since the last call."""
        if self.log is None:
            return []
        answers: list[int] = []
        if self._steps is not None:
            answers, self._steps.answers = self._steps.answers, answers
        return self.log.take(answers, final=final)

    def drain_trace(self, *, final: bool = False) -> list[Chunk]:
        """As ``CpuGroup.drain_trace``; the kernel is the LP after the last CPU."""
        kernel = self.kernel
        if not final and len(kernel.trace) < CHUNK_RECORDS:
            return []
        lp = kernel.spec.cpus
        return [(lp, chunk) for chunk in self._tails.drain(lp, kernel.trace, final=final)]

    def show_trace(self, *, again: bool) -> list[Tail]:
        """As ``CpuGroup.show_trace``."""
        return self._tails.show(self.kernel.spec.cpus, self.kernel.trace, again=again)

    def plain_locks(self) -> list[dict[str, Any]]:
        """Return lock statistics as plain data."""
        return [stat.to_plain() for stat in list(self.kernel.lock_stats.values())]


def _joined(first: Inboxes, second: Inboxes) -> Inboxes:
    """Return the messages of both, to each CPU the first ones first."""
    for cpu, effects in second.items():
        inbox = first.get(cpu)
        if inbox is None:
            first[cpu] = effects
        else:
            inbox.extend(effects)
    return first


def check_kernel(kernel: KernelState) -> None:
    """Raise InvariantError, with the story, if the kernel violates any invariant."""
    from kernel.check import invariants

    stories = invariants.check_kernel(kernel)
    if stories:
        raise tell(kernel, InvariantError(f"at {kernel.now_ns} ns: " + "\n".join(stories)))
