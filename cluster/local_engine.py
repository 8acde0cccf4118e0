"""The local engine: the whole machine in one process, under any scheme that there is.

Under the scheme ``barrier`` its bytes are those of a Ray run; ``exact`` is the reference.
"""

from collections.abc import Iterator
from dataclasses import replace
from time import perf_counter, perf_counter_ns, process_time_ns
from typing import TYPE_CHECKING, Final

from cluster import engine_api, lps
from cluster.collector import without_collector
from cluster.engine_api import Resumption, RunRequest, RunResult, StorageError
from cluster.free_running import FreeGroups, FreeHost, groups_of
from cluster.interrupt import HeldInterrupt
from cluster.machine_loop import LOOK_EVERY, LOOK_EVERY_TURNS, run_machine_loop
from cluster.recorder import Recorder, ordered, verdict_kind
from cluster.sync.order_log import RecordedOrder
from cluster.sync.replayed import ReplayDiverged, Replayed
from cluster.sync.scheme import Scheme, SchemeError, make_scheme, runs_free, settings_of
from cluster.transport.local import LocalTransport
from cluster.transport.local_free import LocalFreeTransport, Logged, Shuffle
from kernel.drive.chooser import Replaying
from kernel.drive.story import tell
from kernel.errors import InvariantError
from kernel.machine import MachineSpec
from workloads.language.errors import StoppedRunError
from workloads.language.loader import Loader as LanguageLoader

if TYPE_CHECKING:  # few runs take checkpoints, and logging is dear
    from cluster.keeper import Keeper

_EVENTS_A_STOP: Final = 8  # likewise between two questions whether to stop; divides LOOK_EVERY
_CTRL_C: Final = "stopped by Ctrl-C"


class LocalRun:
    """One run in this process: the LPs, and what happens between two rounds.

    Args:
        loader: what ``lps.loader_of`` made for an earlier run of the same machine, so that its
            programs need not be compiled again; None: a new one.
    """

    def __init__(self, request: RunRequest, loader: LanguageLoader | None = None) -> None:
        spec = request.spec
        self.request = request
        if loader is None:
            loader = lps.loader_of(spec)
        else:
            loader.begin_run()
        self.work = loader.runtime.work
        self._replayed = _read_by_rounds(request.replay)
        scheme: Scheme = self._replayed or make_scheme(
            request.scheme, settings_of(request), "local", request.scheme_from
        )
        if request.replay is not None:
            # whoever chose then: the log has the answers
            spec = replace(spec, tie_break="order", tie_break_from=())
        self.host, self.group, self.transport = _machine(request, spec, loader, scheme)
        if request.replay is not None and spec.granularity == "step":
            self.host.kernel.chooser = Replaying(request.replay.answers)
        one_event = scheme.settles or runs_free(scheme)
        self._look_every = LOOK_EVERY_TURNS if one_event else LOOK_EVERY
        self.keeper: Keeper | None = None
        self._begin_files(scheme, loader)
        self._input: Iterator[bytes] = (
            iter(()) if request.replay is None else iter(request.replay.input)
        )
        self.host.kernel.feeder = self._feed if self._has_input() else None
        self._encode_ns = 0
        self._loop_ns = 0
        self._loop_cpu_ns = 0
        self._interrupt = HeldInterrupt(limit_s=request.max_wall_s, in_blocks=True)
        self._rounds = self.transport.made
        self._late = False
        self._stopped = False
        self._deadline = None if request.max_wall_s is None else perf_counter() + request.max_wall_s

    def _begin_files(self, scheme: Scheme, loader: LanguageLoader) -> None:
        """Begin to record; of a run that is gone on with, first stand where it stood."""
        request, host = self.request, self.host
        noted = ordered(request, scheme)
        if noted:
            host.record()
        plan = request.checkpoint
        if plan is not None and request.out_dir is not None and request.feed is None:
            from cluster.codec import ServedLog

            host.served = ServedLog()
        acct = [] if request.resume is None else self._take_up(request.resume, loader)
        self.recorder = Recorder(request)
        try:
            self.recorder.made_again(acct)
            if noted:
                self.recorder.begin_order(scheme)
            if host.served is not None:
                from cluster.keeper import Keeper

                self.keeper = Keeper(request, self.recorder)
        except BaseException:
            self.recorder.abandon()
            raise

    def _take_up(self, resume: Resumption, loader: LanguageLoader) -> list[tuple[str, bytes]]:
        """Stand where a checkpoint was taken; return accounting records that no file has."""
        from cluster.codec import KernelCodec, StateCodec, unpack_plain
        from cluster.set_down import (
            ENGINE,
            GROUPS,
            HOST,
            MadeAgain,
            TakeUpError,
            take_up_group,
            take_up_host,
        )

        states = StateCodec(loader)
        sections = resume.checkpoint.sections
        try:
            codec = KernelCodec([range(self.request.spec.cpus)], loader)
            again = MadeAgain(self.host, codec)
            for piece in resume.served():
                again.feed(piece)
            acct = take_up_host(self.host, sections[HOST], again, states)
            parts = unpack_plain(sections[GROUPS])
            for group, part in zip(self._groups(), parts, strict=True):
                take_up_group(group, part, states)
            transport, order_seen = states.unpack(sections[ENGINE])
            self.transport.stand(transport)
            self.work.order_seen = order_seen
        except (KeyError, ValueError, TypeError) as error:
            raise TakeUpError(f"the checkpoint is another engine's: {error!r}") from None
        return acct

    def _groups(self) -> list[lps.CpuGroup]:
        return [self.group] if isinstance(self.group, lps.CpuGroup) else self.group.groups

    def _states(self) -> dict[int, bytes]:
        """Set everything down, between two rounds."""
        from cluster.codec import pack
        from cluster.set_down import ENGINE, GROUPS, HOST, set_down_group, set_down_host

        return {
            HOST: set_down_host(self.host),
            GROUPS: pack([set_down_group(group) for group in self._groups()]),
            ENGINE: pack([self.transport.standing(), self.work.order_seen]),
        }

    def run(self) -> RunResult:
        """Run to the end; see ``run_local``."""
        kind, message = self.play()
        if kind == engine_api.STORAGE:
            return self.recorder.partial(kind, message)
        return self.result(kind, message)

    def play(self) -> tuple[str, str]:
        """Run to the end; return exit kind and message."""
        try:
            return self._play()
        except StorageError as error:
            self.recorder.abandon()
            return engine_api.STORAGE, str(error)
        finally:
            if self.keeper is not None:
                self.keeper.close()

    def _play(self) -> tuple[str, str]:
        kind, message = engine_api.BROKEN, ""
        between_rounds = True
        try:
            started, started_cpu = perf_counter_ns(), process_time_ns()
            try:
                with without_collector(), self._interrupt:
                    kind, message = self._loop()
            finally:
                self._loop_ns = perf_counter_ns() - started
                self._loop_cpu_ns = process_time_ns() - started_cpu
            self._look(final=True)
            if kind in (engine_api.DONE, engine_api.LIMIT):
                self._check_end(kind)
        except KeyboardInterrupt:
            kind, message = engine_api.INTERRUPTED, _CTRL_C
            between_rounds = False
            self._look(final=True)
        except StoppedRunError:
            between_rounds = False
            if self._interrupt.asked:
                kind, message = engine_api.INTERRUPTED, _CTRL_C
            else:
                kind, message = engine_api.LIMIT, engine_api.WALL_LIMIT
            self._look(final=True)
        except InvariantError as broken:
            kind, message = engine_api.INVARIANT, str(broken)
            self._look(final=True)
        except SchemeError as broken:
            kind, message = engine_api.BROKEN, str(broken)
            self._look(final=True)
        finally:
            self._end_order(complete=between_rounds and kind != engine_api.BROKEN)
            self.recorder.close(complete=kind == engine_api.DONE)
        return kind, message

    def result(self, kind: str, message: str) -> RunResult:
        """Return all there is to say of the run, once it has been played."""
        result = self.recorder.result(
            kind,
            message,
            self.host.plain_results(),
            [stats for _cpu, stats in self.group.stats()],
            self.host.plain_run(),
            {
                "kernel_ns": self.host.kernel_ns,
                "encode_ns": self._encode_ns,
                "ray_wait_ns": 0,
                "loop_ns": self._loop_ns,
                "loop_cpu_ns": self._loop_cpu_ns,
                **self.group.wall(),
            },
        )
        result.order_seen = self.work.order_seen
        return result

    def ending(self, kind: str, message: str) -> RunResult:
        """As ``result``, but without summary and digest, which take as long as a short run."""
        ending = self.recorder.partial(kind, message)
        ending.statuses = self.host.exit_statuses()
        return ending

    def _loop(self) -> tuple[str, str]:
        """Run to a verdict or until something stops us; return exit kind and message."""
        host = self.host
        stopped = run_machine_loop(self.transport, self)
        if stopped is not None:
            self._stopped = True
            if self.keeper is not None:
                self._see_to_checkpoints(self.keeper, stopping=True)
            return stopped
        self.transport.last_step()
        return verdict_kind(host.verdict), host.message()

    def _has_input(self) -> bool:
        """Tell whether something may be read that comes from outside while the run goes on."""
        replay = self.request.replay
        return self.request.feed is not None if replay is None else bool(replay.input)

    # -- in between ---------------------------------------------------------------------------

    def stop(self) -> tuple[str, str] | None:
        """See ``Controls.stop``."""
        if self._interrupt.count:
            return engine_api.INTERRUPTED, _CTRL_C
        if self._late:
            return engine_api.LIMIT, engine_api.WALL_LIMIT
        log = self.request.replay
        if log is not None and log.stopped and self._log_ended():
            return engine_api.INTERRUPTED, "the recorded run was stopped here"
        return None

    def _log_ended(self) -> bool:
        if self._replayed is not None:
            return self._replayed.at_end
        return isinstance(self.transport, LocalFreeTransport) and self.transport.at_end

    def look(self) -> None:
        """See ``Controls.look``; traces are cut by count alone: equal runs make equal files."""
        before, rounds = self._rounds, self.transport.made
        self._rounds = rounds
        if rounds // LOOK_EVERY != before // LOOK_EVERY:
            if rounds % self._look_every:
                self._hand_on_outputs()
            else:
                self._look()
            self._late = self._time_is_up()
            if self.keeper is not None:
                self._see_to_checkpoints(self.keeper)
            showing = self.recorder.showing
            if showing is not None and showing.due():
                self._show(again=showing.begins)

    def _show(self, *, again: bool) -> None:
        """Tell who watches how things stand."""
        host = self.host
        tails = [*self.group.show_trace(again=again), *host.show_trace(again=again)]
        self.recorder.show(host.virtual_ns, host.counters(), host.plain_locks(), tails)

    def _see_to_checkpoints(self, keeper: "Keeper", *, stopping: bool = False) -> None:
        """Take a checkpoint if one is due; write down what was served if it is much."""
        served = self.host.served
        assert served is not None
        due = stopping or keeper.due(self.host.supersteps)
        if due or served.entries >= keeper.most_entries:
            keeper.log(served.take())
        if due:
            self._hand_on_outputs()
            keeper.keep(self._states, self.host.virtual_ns, self.host.supersteps)

    def _look(self, *, final: bool = False) -> None:
        """Take traces and outputs, tell the progress."""
        recorder, host = self.recorder, self.host
        started = perf_counter_ns()
        recorder.trace(self.group.drain_trace(final=final))
        recorder.trace(host.drain_trace(final=final))
        self._encode_ns += perf_counter_ns() - started
        recorder.order(host.take_order(final=final))
        self._hand_on_outputs()
        if self.request.on_progress is not None:
            self.request.on_progress(host.virtual_ns, host.counters())

    def _hand_on_outputs(self) -> None:
        outputs = self.host.take_outputs()
        if outputs:
            self.recorder.output(outputs)

    def _feed(self) -> bytes:
        """Get standard input from the host side; what was printed before is seen first.

        A replay gets what the recorded run got.
        """
        if self.request.replay is not None:
            data = next(self._input, None)
            if data is None:
                raise ReplayDiverged("the replay reads more input than there was")
            return data
        assert self.request.feed is not None
        self._hand_on_outputs()
        data = self.request.feed(lambda: self._interrupt.asked or self._time_is_up())
        if self.host.log is not None:
            self.host.log.fed(data)
        return data

    def _end_order(self, *, complete: bool) -> None:
        """Finish the order log; it has an end unless the run was cut inside a round."""
        self.recorder.order(self.host.take_order(final=True))
        counts = {**self.host.order_counts(), "stopped": self._stopped}
        self.recorder.end_order(counts if complete else None)

    def _time_is_up(self) -> bool:
        return self._deadline is not None and perf_counter() > self._deadline

    def _check_end(self, kind: str) -> None:
        """Check all invariants, and after a complete run that nothing is left over."""
        from kernel.check.at_rest import left_over
        from kernel.check.invariants import check_machine

        stories = check_machine(
            self.host.kernel, list(self.group.cpus.values()), self.transport.under_way()
        )
        if kind == engine_api.DONE:
            stories += left_over(self.host.kernel, self.host.boot_counts)
        if stories:
            raise tell(self.host.kernel, InvariantError("\n".join(stories)))


_Machine = tuple[lps.KernelHost, lps.CpuGroup | FreeGroups, LocalTransport | LocalFreeTransport]


def _read_by_rounds(log: RecordedOrder | None) -> Replayed | None:
    """Return the scheme that reads a log, if what a scheme decided in rounds is in it."""
    return None if log is None or log.runs_free else Replayed(log)


def _machine(
    request: RunRequest, spec: MachineSpec, loader: LanguageLoader, scheme: Scheme
) -> _Machine:
    """Return the kernel, the CPUs and the way from one to the other."""
    options = scheme, request.quantum_ns, request.max_virtual_ns
    log = request.replay
    if runs_free(scheme):
        order: Shuffle | Logged
        order = Shuffle(spec.seed) if log is None else Logged(log.arrivals)
        groups = groups_of(spec.cpus, order.per_group)
        cpus = FreeGroups(spec, groups, loader)
        free = FreeHost(spec, loader, *options, request.slack_ns, groups)
        return free, cpus, LocalFreeTransport(free, cpus, order)
    group = lps.CpuGroup(spec, range(spec.cpus), loader)
    host = lps.KernelHost(spec, loader, *options)
    # a replay may be stopped after any round
    stride = _EVENTS_A_STOP if scheme.settles and log is None else 1
    cut = LOOK_EVERY_TURNS if scheme.settles else LOOK_EVERY
    return host, group, LocalTransport(host, group, stride, cut)


def run_local(request: RunRequest) -> RunResult:
    """Run ``request`` in this process.

    Raises:
        ValueError: there is no such scheme, or it is not for this engine.
    """
    try:
        run = LocalRun(request)
    except SchemeError as error:
        raise ValueError(str(error)) from None
    except StorageError as error:
        return RunResult(engine_api.STORAGE, str(error))
    return run.run()
