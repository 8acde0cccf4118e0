"""The machine under a scheme that runs free: groups of CPUs and the kernel, without rounds.

Each group of CPUs (``cpus_per_actor`` of them; on the local engine one) either stands still or is
on its way. The kernel sends it a *go*: how far each of its CPUs may run, and the messages for them.
The group runs and answers with a report, which may be empty. Between the two nothing reaches it:
what is sent to it meanwhile is kept here until it stands still. So what a group does is a function
of its gos alone, and what the kernel does, of the order in which reports arrive.

``FreeHost.arrive`` takes the reports that are there, one or several; lets the kernel serve them in
that order, as the scheme says; and returns the gos of all groups that now have something to do and
may. Nobody waits for the others: a group that is on its way concerns nobody who stands still,
except that no one may know for certain what time it is: virtual time is the least of what any CPU,
any message or the kernel can still do, and for a group that is on its way that is where it began.

Therefore **the order in which reports arrived is all there is to record**: one number for each
(``cluster.sync.order_log``). A replay runs the same scheme and hands the reports over in that
order, whatever the host does; the local engine draws it from a seeded shuffle, and on Ray it
happens.

The end: at a verdict those who are on their way come in and are not served (``end``), and whoever
has messages left takes them in, so that dead tasks leave their CPUs. In which order is all one.
"""

from collections.abc import Iterable, Sequence
from time import perf_counter_ns
from typing import Any, Final

from cluster.lps import Chunk, CpuGroup, CpuReport, KernelHost, check_kernel
from cluster.sync.scheme import NO_FURTHER, Scheme
from cluster.trace.tails import Tail
from kernel.cpu.cpu import Cpu
from kernel.machine import MachineSpec
from kernel.messages import NEVER
from kernel.rounds.group import Inboxes
from kernel.user import Loader

# number of a group, how far each of its CPUs may go that may go at all, messages for its CPUs
Go = tuple[int, dict[int, int], Inboxes]
Arrival = tuple[int, Sequence[CpuReport]]  # number of a group, and what it has to say

_STANDSTILL: Final = 20_000  # phases in a row in which nobody went


def groups_of(cpus: int, per_actor: int) -> list[list[int]]:
    """Return the CPUs of every group: neighbours, ``per_actor`` each, the last maybe fewer."""
    return [list(range(first, min(first + per_actor, cpus))) for first in range(0, cpus, per_actor)]


class FreeHost(KernelHost):
    """The kernel LP under a scheme that runs free. See the module header.

    Args:
        spec, loader, scheme, quantum_ns, max_virtual_ns: as for ``KernelHost``.
        slack_ns: as the scheme got it; for the summary.
        groups: the CPUs of each group, as numbered.
    """

    def __init__(
        self,
        spec: MachineSpec,
        loader: Loader,
        scheme: Scheme,
        quantum_ns: int,
        max_virtual_ns: int | None,
        slack_ns: int | None,
        groups: Sequence[Sequence[int]],
    ) -> None:
        super().__init__(spec, loader, scheme, quantum_ns, max_virtual_ns)
        self._slack_ns = slack_ns
        self._groups = groups
        self._group_of = [0] * spec.cpus
        for number, cpus in enumerate(groups):
            for cpu in cpus:
                self._group_of[cpu] = number
        self.on_way = [False] * len(groups)
        self.under_way = 0  # how many groups are on their way
        # by group the CPUs that may have something to do: of many, most have nothing
        self._stirring: list[dict[int, bool]] = [{} for _ in groups]
        self._asking: dict[int, bool] = {}  # groups that stand still, and may have something to do
        self._kept: Inboxes = {}  # messages for CPUs that have not been told to go

    def begin(self) -> list[Go]:
        """Start the machine; return the first gos."""
        if self.log is not None:
            self.log.arrived([len(self._groups[0])])
        self._asking = dict.fromkeys(range(len(self._groups)), True)
        return self._serve(())

    def arrive(self, arrivals: Sequence[Arrival]) -> list[Go]:
        """Serve what has arrived; return who goes now, and how far. Ask ``verdict`` afterwards.

        Args:
            arrivals: of groups that were on their way, in the order in which they came.
        """
        if self.log is not None:
            self.log.arrived([group for group, _ in arrivals])
        return self._serve(arrivals)

    def _serve(self, arrivals: Sequence[Arrival]) -> list[Go]:
        started = perf_counter_ns()
        self._take_in(arrivals)
        still = 0
        while True:
            self._kernel_phase()
            gos = self._gos()
            if gos or self.under_way or self.judge(self.view.virtual_ns):
                break
            still += 1  # a path or a timer of the kernel's own is all there is
            if still > _STANDSTILL:
                raise AssertionError(f"nobody goes, and virtual time is {self.virtual_ns} ns")
        if gos or self.under_way:
            self.judge(self.view.virtual_ns)
        self.kernel_ns += perf_counter_ns() - started
        return [] if self.verdict else self._send(gos)

    def _take_in(self, arrivals: Iterable[Arrival]) -> None:
        """Take in reports; their groups stand still."""
        kept = self._kept
        for group, reports in arrivals:
            if not self.on_way[group]:
                raise AssertionError(f"a report of group {group}, which was not told to go")
            self.on_way[group] = False
            self.under_way -= 1
            self._asking[group] = True
            stirring = self._stirring[group]
            for report in reports:
                if report[1] < NEVER:
                    stirring[report[0]] = True
            for cpu, messages in self.view.take_in(reports).items():
                self._keep(cpu, messages, kept)

    def _keep(self, cpu: int, messages: list[Any], kept: Inboxes) -> None:
        inbox = kept.get(cpu)
        if inbox is None:
            kept[cpu] = messages
        else:
            inbox.extend(messages)

    def _kernel_phase(self) -> None:
        """Let the kernel serve what has arrived, and what is due of its own."""
        view, scheme, kept, served = self.view, self.scheme, self._kept, self.served
        self.supersteps += 1
        view.inboxes = kept
        limit_ns = scheme.limit(view)
        while limit_ns != NO_FURTHER:
            requests = scheme.ready(self.pending, view)
            if self.log is not None:
                self.log.requests += len(requests)
            if served is not None:
                served.serve(requests, limit_ns)
            view.serve(requests, limit_ns, kept)
            if self._check:
                check_kernel(self.kernel)
            limit_ns = scheme.limit(view)

    def _gos(self) -> dict[int, dict[int, int]]:
        """Ask the scheme who goes how far; return that by group."""
        view, kept, group_of, asking = self.view, self._kept, self._group_of, self._asking
        for cpu in kept:
            group = group_of[cpu]
            self._stirring[group][cpu] = True
            if not self.on_way[group]:
                asking[group] = True
        view.waiting = waiting = {}
        cpu_next = view.cpu_next
        for group in sorted(asking):
            idle = True
            stirring = self._stirring[group]
            for cpu in sorted(stirring):
                next_ns = cpu_next[cpu]
                for effect in kept.get(cpu, ()):
                    next_ns = min(next_ns, effect[0])
                if next_ns < NEVER:
                    waiting[cpu] = next_ns
                    idle = False
                else:
                    del stirring[cpu]
            if idle:
                del asking[group]
        horizons = self.scheme.horizons(view)
        assert isinstance(horizons, dict)
        gos: dict[int, dict[int, int]] = {}
        for cpu, horizon_ns in horizons.items():
            gos.setdefault(group_of[cpu], {})[cpu] = horizon_ns
        return gos

    def _send(self, gos: dict[int, dict[int, int]]) -> list[Go]:
        """Return the gos with the messages that travel with them; their groups are on their way."""
        sent: list[Go] = []
        kept, cpu_next = self._kept, self.view.cpu_next
        for group, horizons in gos.items():
            inboxes: Inboxes = {}
            for cpu in sorted(self._stirring[group]):
                inbox = kept.pop(cpu, None)
                if inbox is not None:
                    inboxes[cpu] = inbox
                    # until it reports, the CPU may do anything from here on
                    cpu_next[cpu] = min(cpu_next[cpu], min(inbox, key=_time_of)[0])
            self.on_way[group] = True
            self.under_way += 1
            self._asking.pop(group, None)
            sent.append((group, horizons, inboxes))
        return sent

    def end(self, arrivals: Iterable[Arrival]) -> list[Go]:
        """After the verdict: take in what was under way, and serve none of it.

        Returns:
            The last gos, which let dead tasks leave their CPUs. What is said to them nobody gets.
        """
        self._take_in(arrivals)
        ahead_ns, cpu_next = self._quantum_ns, self.view.cpu_next
        gos: dict[int, dict[int, int]] = {}
        for cpu in sorted(self._kept):
            last_ns = max(self._kept[cpu], key=_time_of)[0]
            next_ns = cpu_next[cpu]
            if next_ns < NEVER:
                last_ns = max(last_ns, next_ns + ahead_ns)
            group = self._group_of[cpu]
            self._stirring[group][cpu] = True
            gos.setdefault(group, {})[cpu] = last_ns
        return self._send(gos)

    def standing(self) -> list[Any]:
        """See ``KernelHost.standing``."""
        return [super().standing(), self.on_way, list(self._asking), self._kept]

    def stand(self, data: Sequence[Any]) -> None:
        """See ``KernelHost.stand``."""
        standing, on_way, asking, kept = data
        super().stand(standing)
        self.on_way = list(on_way)
        self.under_way = sum(on_way)
        self._asking = dict.fromkeys(asking, True)
        self._stirring = [dict.fromkeys(cpus, True) for cpus in self._groups]  # any of them may
        self._kept = {cpu: list(messages) for cpu, messages in kept.items()}

    def plain_run(self) -> dict[str, Any]:
        """See ``KernelHost.plain_run``; with the bound, and how far ahead CPUs have been."""
        run = super().plain_run()
        if self._slack_ns is not None:
            run["slack_ns"] = self._slack_ns
        run["furthest_ahead_ns"] = getattr(self.scheme, "furthest_ns", 0)
        return run


def _time_of(effect: tuple[Any, ...]) -> int:
    return effect[0]  # type: ignore[no-any-return]


class FreeGroups:
    """All groups of a machine in one process; to the engine, what a ``CpuGroup`` is.

    Args:
        spec: the machine.
        groups: the CPUs of each.
        loader: makes user contexts.
    """

    def __init__(self, spec: MachineSpec, groups: Sequence[Sequence[int]], loader: Loader) -> None:
        self.groups = [CpuGroup(spec, cpus, loader) for cpus in groups]
        self.cpus: dict[int, Cpu] = {}
        for group in self.groups:
            self.cpus.update(group.cpus)

    def drain_trace(self, *, final: bool = False) -> list[Chunk]:
        """See ``CpuGroup.drain_trace``."""
        return [chunk for group in self.groups for chunk in group.drain_trace(final=final)]

    def show_trace(self, *, again: bool) -> list[Tail]:
        """See ``CpuGroup.show_trace``."""
        return [tail for group in self.groups for tail in group.show_trace(again=again)]

    def stats(self) -> list[tuple[int, dict[str, Any]]]:
        """See ``CpuGroup.stats``."""
        return [stats for group in self.groups for stats in group.stats()]

    def wall(self) -> dict[str, int]:
        """See ``CpuGroup.wall``."""
        parts = [group.wall() for group in self.groups]
        return {name: sum(part[name] for part in parts) for name in parts[0]}
