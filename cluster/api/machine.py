"""A machine that is stepped by hand: the local engine's, without files.

``Machine`` makes one round of the engine at a time; under ``exact``, which it takes unless told
otherwise, a round is one event. Between two rounds everything is valid and can be looked at. What
happened in a round are the records that its tracepoints made, so tracing is always on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cluster.api.configuration import Config, load
from cluster.api.errors import EmulatorError
from cluster.api.tasks import Task, Tasks
from cluster.engine_api import INVARIANT, RunRequest
from cluster.inspection import NewRecords
from cluster.local_engine import LocalRun
from cluster.recorder import verdict_kind
from cluster.request import request_of
from cluster.trace import TraceRecord
from cluster.transport.local import LocalTransport
from kernel.errors import InvariantError
from kernel.events import EVENTS
from kernel.process.tasklist import for_each_thread
from kernel.task import TaskStruct, task_state_letter

_NAMES: Final = frozenset(name for name, _ in EVENTS.values())


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """Where to stop: a tracepoint, and whom its record is to name; None: whomever."""

    event: str
    pid: int | None = None

    def __post_init__(self) -> None:
        if self.event not in _NAMES:
            raise ValueError(f"there is no tracepoint {self.event}")

    def hit(self, record: TraceRecord) -> bool:
        """Tell whether a record is one to stop at."""
        return record.event == self.event and (self.pid is None or record.concerns(self.pid))


class Machine:
    """A machine at its beginning.

    Args:
        config: as for ``run``.
        settings: likewise. ``sync.scheme`` is exact unless it is named here.

    Raises:
        ConfigError, EmulatorError: as ``run``.

    Attributes:
        breakpoints: where ``go_on`` stops; to be changed at will.
        exit_kind: how it ended, as ``Run.exit_kind``; "" while it goes on.
        message: what there is to say of that.
        rounds: made so far.
    """

    def __init__(self, config: Config, *, settings: Mapping[str, Any] | None = None) -> None:
        given = {"sync.scheme": "exact", **(settings or {})}
        forced = {"engine": "local", "trace.enabled": True, "checkpoint.enabled": False}
        loaded, spec = load(config, {**given, **forced})
        self.breakpoints: list[Breakpoint] = []
        self.exit_kind = ""
        self.message = ""
        self.rounds = 0
        self._run = _Stepped(request_of(loaded, spec))
        self._kernel = self._run.host.kernel

    # -- going on ---------------------------------------------------------------------------------

    def step(self, rounds: int = 1) -> list[TraceRecord]:
        """Make some rounds; return what happened, by time. Nothing happens after the end.

        Raises:
            ValueError: fewer than one.
        """
        if rounds < 1:
            raise ValueError(f"rounds must be at least 1 (got {rounds})")
        found: list[TraceRecord] = []
        for _ in range(rounds):
            if self.exit_kind:
                break
            found += self._round()
        return found

    def go_on(self, *, until_ns: int | None = None) -> list[TraceRecord]:
        """Run to the next breakpoint; return the records that hit one, of one round.

        Args:
            until_ns: stop when nothing can happen before this virtual time any more, too.

        Returns:
            No records where the machine came to ``until_ns`` or its end first.
        """
        while not self.exit_kind and (until_ns is None or self.now_ns < until_ns):
            hits = [
                record
                for record in self._round()
                if any(each.hit(record) for each in self.breakpoints)
            ]
            if hits:
                return hits
        return []

    def run_to(self, event: str, *, pid: int | None = None) -> TraceRecord | None:
        """Run to the next record of a tracepoint, whatever breakpoints there are, and return it.

        Args:
            event: a tracepoint, as sched_process_exit.
            pid: whom the record is to name; None: whomever.

        Returns:
            None where the machine ended first.

        Raises:
            ValueError: there is no such tracepoint.
        """
        kept, self.breakpoints = self.breakpoints, [Breakpoint(event, pid)]
        try:
            hits = self.go_on()
        finally:
            self.breakpoints = kept
        return hits[0] if hits else None

    def run(self) -> str:
        """Run to the end, breakpoints or not; return ``exit_kind``."""
        while not self.exit_kind:
            self._round()
        return self.exit_kind

    def _round(self) -> list[TraceRecord]:
        try:
            events, verdict = self._run.one_round()
        except InvariantError as broken:
            self.exit_kind, self.message = INVARIANT, str(broken)
            return []
        self.rounds += 1
        if verdict:
            self.exit_kind = verdict_kind(verdict)
            self.message = self._run.host.message()
        return events

    # -- looking ----------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """The virtual time before which nothing can happen any more."""
        return self._run.host.virtual_ns

    def tasks(self) -> Tasks:
        """Return all threads that there are, by pid."""
        found = [self._task(struct) for struct in for_each_thread(self._kernel)]
        return Tasks(sorted(found, key=lambda task: task.pid))

    def task(self, pid: int) -> Task:
        """Return one thread. Raises KeyError if there is none with this pid."""
        return self._task(self.task_struct(pid))

    def task_struct(self, pid: int) -> TaskStruct:
        """Return the kernel's own structure of a thread: to be looked at, not to be changed.

        Raises:
            KeyError: there is none with this pid.
        """
        for struct in for_each_thread(self._kernel):
            if struct.pid == pid:
                return struct
        raise KeyError(pid)

    def current(self) -> list[tuple[int, str]]:
        """Return pid and name of who runs, by CPU; idle tasks have pid 0."""
        return [(cpu.rq.curr.pid, cpu.rq.curr.comm) for cpu in self._run.cpus()]

    def runqueue_lengths(self) -> list[int]:
        """Return how many tasks each CPU has to run, the one that runs among them."""
        return [cpu.rq.nr_running for cpu in self._run.cpus()]

    @staticmethod
    def _task(struct: TaskStruct) -> Task:
        signal = struct.signal
        return Task(
            struct.pid,
            struct.tgid,
            struct.real_parent.tgid if struct.real_parent is not None else 0,
            struct.comm,
            task_state_letter(struct),
            struct.cpu,
            struct.nice,
            signal.pgrp.nr if signal is not None and signal.pgrp is not None else 0,
            signal.session.nr if signal is not None and signal.session is not None else 0,
            struct.utime_ns + struct.stime_ns,
        )

    def __repr__(self) -> str:
        where = self.exit_kind or f"{len(self.tasks())} tasks"
        return f"<Machine at {self.now_ns} ns after {self.rounds} rounds, {where}>"


class _Stepped(LocalRun):
    """A run whose rounds are made one by one, and whose records are looked at after each."""

    def __init__(self, request: RunRequest) -> None:
        super().__init__(request)
        if not isinstance(self.transport, LocalTransport):
            raise EmulatorError(
                f"CPUs run free under {request.scheme}: step under exact, barrier or redblack"
            )
        self._stepped = self.transport
        self._begun = False
        self._records = NewRecords(self)

    def cpus(self) -> list[Any]:
        """Return the CPUs by number."""
        return list(self.group.cpus.values())

    def one_round(self) -> tuple[list[TraceRecord], str]:
        """Make a round; return its records, by time, and the transport's verdict."""
        if not self._begun:
            self._begun = True
            self._stepped.begin()
            self._stepped.one_by_one()
        if not self._stepped.verdict:
            self._stepped.round()
        records = self._records.take()
        self._look()  # what was looked at goes
        self._records.skip()
        if self._stepped.verdict:
            self._stepped.last_step()
            records += self._records.take()
        return records, self._stepped.verdict
