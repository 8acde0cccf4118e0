"""The local engine: the whole machine in one process.

Scheme ``barrier`` runs supersteps as every engine does (``cluster.lps``): the bytes are those of a
Ray run. Scheme ``exact`` is conservative: always the LP with the earliest next event goes, and only
up to the next event of any other, so no effect ever comes late. It is the reference for the
others' accuracy and meant for small machines.
"""

from time import perf_counter, perf_counter_ns
from typing import Any

from cluster import engine_api, lps
from cluster.engine_api import RunRequest, RunResult
from cluster.interrupt import HeldInterrupt
from cluster.recorder import Recorder, verdict_kind
from kernel.errors import InvariantError
from kernel.messages import NEVER
from workloads.language.errors import StoppedRunError
from workloads.language.loader import Loader

# of virtual time, in scheme exact: even a program that only computes lets the engine look around
_LONGEST_STEP_NS = 1_000_000
_LOOK_EVERY = 32  # supersteps between two looks at traces, outputs, progress and limits


class LocalRun:
    """One run in this process: the LPs, and the loop of the scheme."""

    def __init__(self, request: RunRequest) -> None:
        spec = request.spec
        self.request = request
        self.recorder = Recorder(request)
        loader = Loader(
            spec.sources,
            block_budget=spec.block_budget,
            cpus=spec.cpus,
            guest_memory=spec.guest_memory,
        )
        self.work = loader.runtime.work
        self.group = lps.CpuGroup(spec, range(spec.cpus), loader)
        self.host = lps.KernelHost(spec, loader, request.quantum_ns, request.max_virtual_ns)
        self.host.kernel.feeder = self._feed if request.feed is not None else None
        self._encode_ns = 0
        self._loop_ns = 0
        self._interrupt = HeldInterrupt(limit_s=request.max_wall_s, in_blocks=True)
        self._unserved: list[tuple[Any, ...]] = []  # messages no LP has got when the loop ends
        self._deadline = None if request.max_wall_s is None else perf_counter() + request.max_wall_s

    def run(self) -> RunResult:
        """Run to the end; see ``run_local``."""
        kind, message = engine_api.BROKEN, ""
        try:
            loop = self._exact if self.request.scheme == "exact" else self._barrier
            started = perf_counter_ns()
            try:
                with lps.without_collector(), self._interrupt:
                    kind, message = loop()
            finally:
                self._loop_ns = perf_counter_ns() - started
            self._look(final=True)
            if kind in (engine_api.DONE, engine_api.LIMIT):
                self._check_end(kind)
        except KeyboardInterrupt:
            kind, message = engine_api.INTERRUPTED, "stopped by Ctrl-C"
            self._look(final=True)
        except StoppedRunError:
            if self._interrupt.asked:
                kind, message = engine_api.INTERRUPTED, "stopped by Ctrl-C"
            else:
                kind, message = engine_api.LIMIT, "the wall-clock limit was reached"
            self._look(final=True)
        except InvariantError as broken:
            kind, message = engine_api.INVARIANT, str(broken)
            self._look(final=True)
        finally:
            self.recorder.close(complete=kind == engine_api.DONE)
        result = self.recorder.result(
            kind,
            message,
            self.host.plain_results(),
            [stats for _cpu, stats in self.group.stats()],
            self.host.plain_run(self.request.scheme),
            {
                "kernel_ns": self.host.kernel_ns,
                "encode_ns": self._encode_ns,
                "ray_wait_ns": 0,
                "loop_ns": self._loop_ns,
                **self.group.wall(),
            },
        )
        result.order_seen = self.work.order_seen
        return result

    # -- schemes ------------------------------------------------------------------------------

    def _barrier(self) -> tuple[str, str]:
        group, host = self.group, self.host
        horizon_ns, inboxes = host.superstep(())
        count = 0
        while not host.verdict:
            horizon_ns, inboxes = host.superstep(group.step(horizon_ns, inboxes))
            count += 1
            if not count % _LOOK_EVERY and self._look():
                self._unserved = [(cpu, one) for cpu, inbox in inboxes.items() for one in inbox]
                return engine_api.LIMIT, "the wall-clock limit was reached"
            if self._interrupt.asked:
                return engine_api.INTERRUPTED, "stopped by Ctrl-C"
            if self.request.spec.check:
                _check_kernel(host.kernel)
        # the last task's CPU goes idle; what a run that was cut short still asks for stays unserved
        for _cpu, _next_ns, requests, forwards in group.step(horizon_ns, inboxes):
            self._unserved += requests
            self._unserved += forwards
        return verdict_kind(host.verdict), host.message()

    def _exact(self) -> tuple[str, str]:
        group, host = self.group, self.host
        kernel = host.kernel
        cpus = list(group.cpus.values())
        for lp in cpus:
            lp.eager = True
        check = self.request.spec.check and not kernel.stepwise  # else every step checks
        upcoming = [NEVER] * len(cpus)
        count = 0
        while True:
            kernel_ns = kernel.next_ns()
            first_ns = min(upcoming)
            if host.judge(min(kernel_ns, first_ns)):
                if host.verdict == lps.DONE:
                    for lp in cpus:
                        lp.step(NEVER - 1, ())  # the last task leaves its CPU idle
                return verdict_kind(host.verdict), host.message()
            kernel_ns = min(kernel_ns, kernel.balance_ns)
            if kernel_ns <= first_ns:
                host.run_kernel(kernel_ns)
                if check:
                    _check_kernel(kernel)
            else:
                cpu = upcoming.index(first_ns)
                upcoming[cpu] = NEVER
                # where two CPUs have an event at the same time, the lower goes first
                horizon_ns = min(kernel_ns, min(upcoming), first_ns + _LONGEST_STEP_NS)
                upcoming[cpu] = group.step_one(cpu, horizon_ns, ())
                self._pass_on(cpu, upcoming)
            for dest, effects in kernel.take_effects().items():
                upcoming[dest] = cpus[dest].step(-1, effects)
                self._pass_on(dest, upcoming)
            host.supersteps += 1
            count += 1
            if not count % _LOOK_EVERY:
                self._hand_on_outputs()
                # traces are cut by count alone, so that equal runs make equal files
                late = self._look() if not count % (_LOOK_EVERY * 32) else self._time_is_up()
                if late:
                    return engine_api.LIMIT, "the wall-clock limit was reached"
            if self._interrupt.asked:
                return engine_api.INTERRUPTED, "stopped by Ctrl-C"

    def _pass_on(self, cpu: int, upcoming: list[int]) -> None:
        """Hand on what ``cpu`` has to say, and what those who get it then say themselves."""
        cpus = self.group.cpus
        lp = cpus[cpu]
        if lp.out:
            self.host.kernel.deliver(lp.out)
            lp.out = []
        while lp.forwards:
            forwards, lp.forwards = lp.forwards, []
            for dest, message in forwards:
                upcoming[dest] = cpus[dest].step(-1, (message,))
                if dest != cpu:
                    self._pass_on(dest, upcoming)

    # -- in between ---------------------------------------------------------------------------

    def _look(self, *, final: bool = False) -> bool:
        """Take traces and outputs, tell the progress; return whether the time is up."""
        recorder, host = self.recorder, self.host
        started = perf_counter_ns()
        recorder.trace(self.group.drain_trace(final=final))
        recorder.trace(host.drain_trace(final=final))
        self._encode_ns += perf_counter_ns() - started
        self._hand_on_outputs()
        if self.request.on_progress is not None:
            self.request.on_progress(host.virtual_ns, host.counters())
        return self._time_is_up()

    def _hand_on_outputs(self) -> None:
        outputs = self.host.take_outputs()
        if outputs:
            self.recorder.output(outputs)

    def _feed(self) -> bytes:
        """Get standard input from the host side; what was printed before is seen first."""
        assert self.request.feed is not None
        self._hand_on_outputs()
        return self.request.feed(lambda: self._interrupt.asked or self._time_is_up())

    def _time_is_up(self) -> bool:
        return self._deadline is not None and perf_counter() > self._deadline

    def _check_end(self, kind: str) -> None:
        """Check all invariants, and after a complete run that nothing is left over."""
        from kernel.check.at_rest import check_end
        from kernel.check.invariants import check_machine

        stories = check_machine(self.host.kernel, list(self.group.cpus.values()), self._unserved)
        if kind == engine_api.DONE:
            stories += check_end(self.host.kernel, self.host.boot_counts)
        if stories:
            raise InvariantError("\n".join(stories))


def _check_kernel(kernel: Any) -> None:
    from kernel.check.invariants import check_kernel

    stories = check_kernel(kernel)
    if stories:
        raise InvariantError(f"at {kernel.now_ns} ns: " + "\n".join(stories))


def run_local(request: RunRequest) -> RunResult:
    """Run ``request`` in this process.

    Raises:
        ValueError: the scheme is none of exact, barrier.
    """
    if request.scheme not in ("exact", "barrier"):
        raise ValueError(f"the local engine has no scheme {request.scheme!r}")
    return LocalRun(request).run()
