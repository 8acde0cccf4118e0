"""The logical processes as engines drive them: groups of CPUs, and the kernel with its superstep.

An engine alternates two phases. In the CPU phase every ``CpuGroup`` steps those of its CPUs that
have something to do, up to a common horizon. In the kernel phase ``KernelHost`` serves all requests
of the superstep in the order ``(time, cpu, seq)``, routes messages and sets the next horizon::

    horizon = (least time at which anything can happen) + quantum

Nothing in either phase depends on how CPUs are packed into groups: a CPU sees its own messages, in
an order the kernel phase made, and the horizon. That is the whole reason why a run gives the same
bytes in one process and on any number of actors.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any, Final

from cluster.trace.store import drain_chunks
from kernel.check.at_rest import boot_counts
from kernel.cpu.cpu import Cpu
from kernel.machine import MachineSpec
from kernel.messages import NEVER, Effect, Request
from kernel.process.tasklist import for_each_thread
from kernel.state import KernelState
from kernel.trace.printable import printable
from kernel.uapi.syscalls import NAMES
from kernel.user import Error, Loader, Op, UserContext

# (cpu, time of its next own event, requests, [(destination cpu, message)])
CpuReport = tuple[int, int, list[Request], list[tuple[int, Effect]]]
Chunk = tuple[int, bytes]  # (LP number, encoded records)

RUNNING: Final = ""
DONE: Final = "done"
DEADLOCK: Final = "deadlock"
FATAL: Final = "fatal"
LIMIT: Final = "limit"

_SAMPLE_EVERY: Final = 64  # supersteps; in one of so many guest time is measured


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep Python's cycle collector out of a superstep loop.

    The LPs break their cycles themselves when a task is freed, so reference counts free what a run
    leaves behind; looking for cycles among all live objects again and again finds nothing. A guest
    program can make a list that contains itself: ``collect_now_and_then`` is for that.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


_COLLECT_EVERY: Final = 16_384  # supersteps


def collect_now_and_then(supersteps: int) -> None:
    """Run the collector once in a long while; call it once for each superstep."""
    if not supersteps % _COLLECT_EVERY:
        gc.collect()


class CpuGroup:
    """Some CPUs of one machine, stepped together.

    Args:
        spec: the machine.
        cpus: numbers of the CPUs of this group, ascending.
        loader: makes user contexts.
    """

    def __init__(self, spec: MachineSpec, cpus: Sequence[int], loader: Loader) -> None:
        self.cpus = {cpu: Cpu(cpu, spec, loader) for cpu in cpus}
        self._next_ns = dict.fromkeys(cpus, NEVER)
        self._supersteps = 0
        self._guest_ns = 0
        self.step_ns = 0  # wall time in step(), all of it
        self.sampled_step_ns = 0
        self.sampled_guest_ns = 0

    def step(self, horizon_ns: int, inboxes: dict[int, list[Effect]]) -> list[CpuReport]:
        """Run the CPU phase; return a report of every CPU that did anything, by number."""
        started = perf_counter_ns()
        sample = self._supersteps % _SAMPLE_EVERY == 0
        self._supersteps += 1
        collect_now_and_then(self._supersteps)
        if sample:
            self._guest_ns = 0
            self._instrument(self._timed_resume)
        reports: list[CpuReport] = []
        next_ns = self._next_ns
        for cpu, lp in self.cpus.items():
            effects = inboxes.get(cpu)
            if effects is None:
                if next_ns[cpu] > horizon_ns:
                    continue
                effects = []
            upcoming = lp.step(horizon_ns, effects)
            next_ns[cpu] = upcoming
            reports.append((cpu, upcoming, lp.out, lp.forwards))
            lp.out = []
            lp.forwards = []
        took = perf_counter_ns() - started
        self.step_ns += took
        if sample:
            self._instrument(None)
            self.sampled_step_ns += took
            self.sampled_guest_ns += self._guest_ns
        return reports

    def step_one(self, cpu: int, horizon_ns: int, effects: Iterable[Effect]) -> int:
        """Run one CPU, outside any superstep; return the time of its next own event."""
        started = perf_counter_ns()
        sample = self._supersteps % _SAMPLE_EVERY == 0
        self._supersteps += 1
        lp = self.cpus[cpu]
        if sample:
            self._guest_ns = 0
            lp.instrument = self._timed_resume
        upcoming = lp.step(horizon_ns, effects)
        took = perf_counter_ns() - started
        self.step_ns += took
        if sample:
            lp.instrument = None
            self.sampled_step_ns += took
            self.sampled_guest_ns += self._guest_ns
        return upcoming

    def _instrument(self, function: Callable[..., Op] | None) -> None:
        for lp in self.cpus.values():
            lp.instrument = function

    def _timed_resume(self, ctx: UserContext, value: Any, error: Error | None) -> Op:
        started = perf_counter_ns()
        op = ctx.resume(value, error)
        self._guest_ns += perf_counter_ns() - started
        return op

    def drain_trace(self, *, final: bool = False) -> list[Chunk]:
        """Take the whole chunks of trace that have come together; with ``final`` all of it."""
        return [
            (cpu, chunk)
            for cpu, lp in self.cpus.items()
            if final or len(lp.trace) >= 4096
            for chunk in drain_chunks(lp.trace, final=final)
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


def blocked_stories(kernel: KernelState) -> list[str]:
    """Return one line for each task that sleeps and that nothing will wake."""
    return [
        f"{printable(task.comm)} ({task.pid}) sleeps in {NAMES.get(task.in_syscall, 'the kernel')}"
        for task in for_each_thread(kernel)
        if task.pid > 2 and not task.on_rq and not task.exit_state
    ]


class KernelHost:
    """The kernel LP and the superstep around it.

    Args:
        spec: the machine.
        loader: makes user contexts.
        quantum_ns: how far CPUs may run ahead of the slowest, in virtual ns.
        max_virtual_ns: stop with LIMIT when every LP has passed it; None: never.
    """

    def __init__(
        self, spec: MachineSpec, loader: Loader, quantum_ns: int, max_virtual_ns: int | None
    ) -> None:
        self.kernel = KernelState(spec, loader)
        self.boot_counts = boot_counts(self.kernel)
        self.supersteps = 0
        self.verdict = RUNNING
        self.virtual_ns = 0  # least time at which anything can still happen
        self.horizon_ns = 0
        self.kernel_ns = 0  # wall time in superstep()
        self._quantum_ns = quantum_ns
        self._max_ns = NEVER if max_virtual_ns is None else max_virtual_ns
        self._cpu_next = [NEVER] * spec.cpus

    def superstep(self, reports: Iterable[CpuReport]) -> tuple[int, dict[int, list[Effect]]]:
        """Run the kernel phase on the reports of all groups, ascending by CPU.

        Returns:
            The next horizon and the messages for each CPU that has any. ``verdict`` tells whether
            the run goes on.
        """
        started = perf_counter_ns()
        self.supersteps += 1
        kernel = self.kernel
        inboxes: dict[int, list[Effect]] = {}
        cpu_next = self._cpu_next
        all_requests: list[Request] = []
        for cpu, upcoming, requests, forwards in reports:
            cpu_next[cpu] = upcoming
            all_requests += requests
            for dest, message in forwards:
                inboxes.setdefault(dest, []).append(message)
        kernel.deliver(all_requests)
        kernel.run(self.horizon_ns)
        self._collect(inboxes)
        virtual_ns = self._least(inboxes)
        # Timers that fall into the coming superstep fire now, so that they reach their CPU in time.
        if min(kernel.next_ns(), kernel.balance_ns) <= virtual_ns + self._quantum_ns < NEVER:
            kernel.run(virtual_ns + self._quantum_ns)
            self._collect(inboxes)
        # below NEVER even if nothing can happen: a CPU that waits for ever must not pass it
        self.horizon_ns = min(virtual_ns + self._quantum_ns, NEVER - 1)
        self.judge(virtual_ns)
        self.kernel_ns += perf_counter_ns() - started
        return self.horizon_ns, inboxes

    def run_kernel(self, limit_ns: int) -> None:
        """Let the kernel serve what is due at or before ``limit_ns``, outside any superstep."""
        started = perf_counter_ns()
        self.kernel.run(limit_ns)
        self.kernel_ns += perf_counter_ns() - started

    def judge(self, virtual_ns: int) -> str:
        """Note that nothing can happen before ``virtual_ns``; set and return the verdict."""
        kernel = self.kernel
        if virtual_ns < NEVER:
            self.virtual_ns = virtual_ns
        if kernel.fatal is not None:
            self.verdict = FATAL
        elif kernel.finished():
            self.verdict = DONE
        elif virtual_ns >= NEVER:
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
        alive = ((label, pid, None) for pid, label in kernel.programs.labels.items())
        return {
            "stats": kernel.stats.to_plain(),
            "locks": [stat.to_plain() for stat in kernel.lock_stats.values()],
            "statuses": sorted([*kernel.programs.statuses, *alive], key=lambda row: row[1]),
            "not_emulated": list(kernel.not_emulated),
        }

    def plain_run(self, scheme: str) -> dict[str, Any]:
        """Return what equal runs share about how they went."""
        return {
            "virtual_ns": self.virtual_ns,
            "supersteps": self.supersteps,
            "scheme": scheme,
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
        }

    def _collect(self, inboxes: dict[int, list[Effect]]) -> None:
        for cpu, effects in self.kernel.take_effects().items():
            inbox = inboxes.get(cpu)
            if inbox is None:
                inboxes[cpu] = effects
            else:
                inbox.extend(effects)

    def _least(self, inboxes: dict[int, list[Effect]]) -> int:
        """Return the earliest time at which any LP can do anything."""
        least = min(self._cpu_next)
        for inbox in inboxes.values():
            for effect in inbox:
                if effect[0] < least:
                    least = effect[0]
        return min(least, self.kernel.next_ns())

    def drain_trace(self, *, final: bool = False) -> list[Chunk]:
        """As ``CpuGroup.drain_trace``; the kernel is the LP after the last CPU."""
        kernel = self.kernel
        if not final and len(kernel.trace) < 4096:
            return []
        return [(kernel.spec.cpus, chunk) for chunk in drain_chunks(kernel.trace, final=final)]
