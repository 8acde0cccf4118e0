"""The Ray engine: CPU actors and one kernel actor, superstep by superstep.

The engine itself computes nothing. It starts or finds Ray (``cluster.ray_session``), makes the
actors (``cluster.ray_actors``), lets frames travel (``cluster.transport``) until a frame's head
says that the run is over, fetches traces and outputs now and then, and collects what is left. A
run's bytes are those of the local engine under the same scheme, however CPUs are packed; where CPUs
run free, those of its replay.

Ends that are not the machine's own: Ctrl-C and the limit of host time take effect at the next
superstep, when all actors stand at the same place, so what there is so far is valid; if that does
not come soon, or at a second Ctrl-C, the actors' results are given up. A lost actor, or a failure
in one, ends the run as broken, with one line that names the actor.

Once the results are there, nothing can take them away: leaving the graph, ending the actors and
stopping Ray each have a deadline, and a Ctrl-C there only makes the end a rougher one.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from math import ceil
from pathlib import Path
from threading import Event
from time import perf_counter, perf_counter_ns
from typing import Any, Final

from cluster import engine_api
from cluster.checkpoint import last_whole
from cluster.codec import LpFailure, head_of, pack, unpack_plain
from cluster.crash_loop import CrashLoop
from cluster.engine_api import Resumption, RunRequest, RunResult, StorageError
from cluster.free_running import groups_of as groups_of
from cluster.interrupt import AT_ONCE, HOLD, NEVER, HeldInterrupt
from cluster.keeper import Keeper
from cluster.logging_setup import get_logger, relay
from cluster.machine_loop import LOOK_EVERY, run_machine_loop
from cluster.plugins import PluginError, Source, is_file, source_of
from cluster.ray_actors import (
    KERNEL_NAME,
    CpuActor,
    KernelActor,
    Logs,
    MarkedChunk,
    lp_name,
)
from cluster.ray_beside import KernelBesideActor, PackHandle
from cluster.ray_free_actors import FreeCpuActor, FreeKernelActor
from cluster.ray_metrics import RunMetrics
from cluster.ray_placement import Placement
from cluster.ray_session import RaySession, RayUnreachable
from cluster.ray_turn_actors import TurnCpuActor, TurnKernelActor, in_file_order, rounds_of
from cluster.ray_watch import (
    LOOK_S,
    PULSE_GROUPS,
    ActorLost,
    Actors,
    CallLost,
    TimeUp,
    Watch,
    cause,
    within,
)
from cluster.recorder import STREAMED, Recorder, verdict_kind
from cluster.set_down import ENGINE, GROUPS, HOST, NotSetDown, TakeUpError
from cluster.sync.scheme import (
    Scheme,
    SchemeError,
    in_halves,
    make_scheme,
    runs_free,
    settings_of,
)
from cluster.transport.frames import FrameTransport, Link
from cluster.transport.ray_calls import CallsLink, HalvesLink
from cluster.transport.ray_checked import RayCheckedLink
from cluster.transport.ray_free import FreeCalls
from cluster.transport.ray_free_lines import FreeLines
from cluster.transport.ray_graph import GraphLink
from cluster.transport.ray_shm import ShmLink
from cluster.transport.sockets import NoLine
from workloads.language.loader import Loader

_VERDICTS: Final = (engine_api.DONE, engine_api.LIMIT, engine_api.DEADLOCK, engine_api.GUEST)
LINKS: Final = ("auto", "shm", "graph", "calls")
_HELD_BYTES: Final = 4 << 20  # of traces and outputs in the actors, before they are fetched
_FETCH_S: Final = 2.0  # and at least so often
_START_S: Final = 180.0  # without any actor coming up: a busy host is slow with processes
_TELL_S: Final = 30.0  # then the user is told what is waited for
_CPU_MAX: Final = Path("/sys/fs/cgroup/cpu.max")
_KILL_S: Final = 5.0  # for Ray to take note that actors are to be killed


class _Broken(Exception):
    """The run cannot go on; the message is one line."""


def host_cores() -> int:
    """Return how many cores of this host the process may use, at least 1.

    The CPUs it may run on, or fewer if the quota of its control group is less.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        quota, period = _CPU_MAX.read_text().split()
        cores = min(cores or 1, round(int(quota) / int(period)))
    except (OSError, ValueError):  # another system, or no quota
        pass
    return max(1, cores or 1)


@cache
def _remote(kind: type[Any]) -> Any:
    """Return an actor's class as Ray has it; made once, as Ray never forgets one it was given."""
    import ray

    decorate: Any = ray.remote  # its types do not know concurrency groups
    return decorate(num_cpus=0, max_restarts=0, concurrency_groups=PULSE_GROUPS)(kind)


def kernel_options(
    request: RunRequest, record: bool
) -> tuple[str, Source, int, int | None, int | None, bool]:
    """Return what the kernel actor is told of the request beside the machine."""
    times = request.quantum_ns, request.slack_ns, request.max_virtual_ns
    return request.scheme, request.scheme_from, *times, record


@dataclass(slots=True)
class _Stood:
    """Where the actors of a run stood when a checkpoint was taken."""

    groups: list[list[int]]
    parts: Sequence[bytes]  # of the groups
    host: bytes  # what was around the kernel
    frames: bytes  # those that are not done
    served: Callable[[], Iterator[bytes]]


def _stood(resume: Resumption) -> _Stood:
    """Return where a checkpoint was taken.

    Raises:
        TakeUpError: it is another engine's.
    """
    sections = resume.checkpoint.sections
    try:
        frames, groups = unpack_plain(sections[ENGINE])
        parts = unpack_plain(sections[GROUPS])
        cpus = [list(group) for group in groups]
        return _Stood(cpus, parts, sections[HOST], frames, resume.served)
    except (KeyError, TypeError, ValueError) as error:
        raise TakeUpError(f"the checkpoint is another engine's: {error!r}") from None


class RayRun:
    """One run on Ray; see ``run_ray``."""

    def __init__(self, request: RunRequest) -> None:
        self.request = request
        self.groups = self._groups(host_cores())
        self.actors: Actors | None = None
        self.placement: Placement | None = None
        scheme = make_scheme(request.scheme, settings_of(request), "ray", request.scheme_from)
        self.free = runs_free(scheme)
        self.halves = in_halves(scheme)
        self.in_turn = scheme.settles
        self._waiting: list[MarkedChunk] = []  # chunks of trace that come later in the file
        self.keeper: Keeper | None = None
        self._begin_files()
        self.transport: FrameTransport | FreeCalls | FreeLines | None = None
        self._interrupt = HeldInterrupt(AT_ONCE)
        self.watch = Watch(self._interrupt, request.max_wall_s)
        self.watch.gives_up = request.max_recoveries > 0
        self.recoveries = 0
        self._crashes = CrashLoop()
        self._metrics: RunMetrics | None = None
        self._fetched_s = perf_counter()
        self._looked = 0  # superstep of the last look
        self._loop_ns = 0

    def _groups(self, cores: int) -> list[list[int]]:
        """Return the CPUs of every actor, on hosts with so many cores."""
        cpus, beside = self.request.spec.cpus, self.request.beside
        if not beside:
            return groups_of(cpus, self.request.cpus_per_actor or ceil(cpus / cores))
        rest = cpus - beside
        each = self.request.cpus_per_actor or ceil(rest / max(1, cores - 1))
        apart = groups_of(rest, each)
        return [list(range(beside)), *([beside + cpu for cpu in group] for group in apart)]

    # -- from start to end ----------------------------------------------------------------------

    def run(self) -> RunResult:
        """Run to the end; see ``run_ray``."""
        kind = engine_api.BROKEN
        try:
            try:
                with self._interrupt:
                    result = self._run_on_ray()
                kind = result.exit_kind
                return result
            finally:
                if self.keeper is not None:
                    self.keeper.close()
                self.recorder.close(complete=kind == engine_api.DONE)
        except StorageError as error:
            self.recorder.abandon()
            return self.recorder.partial(engine_api.STORAGE, str(error))

    def _begin_files(self) -> None:
        """Open the files of the run: new ones, or those of the checkpoint it goes on from."""
        request = self.request
        self.recorder = Recorder(request)
        try:
            scheme = make_scheme(request.scheme, settings_of(request), "ray", request.scheme_from)
            self.record = self.recorder.begin_order(scheme)
            wanted = request.checkpoint is not None and request.out_dir is not None
            if wanted and self.in_turn:
                get_logger().info(f"no checkpoints are taken under the scheme {request.scheme}")
            elif wanted:
                self.keeper = Keeper(request, self.recorder)
        except BaseException:
            self.recorder.abandon()
            raise

    def _run_on_ray(self) -> RunResult:
        session = None
        try:
            session = RaySession(self.request.address, len(self.groups) + 1)
            self.watch.ray_problem = session.problem
            if self.request.address != "local":
                self.groups = self._groups(session.cores())
            return self._until_it_ends(session)
        except KeyboardInterrupt:
            return self.recorder.partial(engine_api.INTERRUPTED, "stopped by Ctrl-C")
        except TimeUp:
            return self.recorder.partial(engine_api.LIMIT, engine_api.WALL_LIMIT)
        except (RayUnreachable, ActorLost, _Broken) as error:
            return self.recorder.partial(engine_api.BROKEN, str(error))
        finally:
            self._close(session)

    def _until_it_ends(self, session: RaySession) -> RunResult:
        """Run, and run on with new actors where some were lost, until there is a result."""
        most = self.request.max_recoveries
        while True:
            try:
                kind, message = self._guarded_loop()
                return self._collect(kind, message)
            except ActorLost as error:
                session.problem()  # a Ray that is gone makes no new actors
                again = self.request.on_output is None and not session.gone
                crashed = not isinstance(error, CallLost)  # else it is Ray, and no place in the run
                useless = self._crashes.lost(self._reached()) if crashed else ""
                if not again or useless or self.recoveries >= most or self._interrupt.asked:
                    after = f" (after {self.recoveries} recoveries)" if self.recoveries else ""
                    raise ActorLost(f"{error}{after}{useless}") from None
                self.recoveries += 1
                self._pause(self._crashes.pause_s)
                self._recover(str(error))

    def _reached(self) -> int:
        """Return the last superstep that the run is known to have made."""
        if self.transport is not None:
            return self.transport.head[0]
        resume = self.request.resume
        return 0 if resume is None else resume.checkpoint.supersteps

    def _pause(self, seconds: float) -> None:
        """Wait, unless somebody asks the run to stop."""
        until_s = perf_counter() + seconds
        while perf_counter() < until_s and not self._interrupt.asked:
            Event().wait(LOOK_S)

    def _recover(self, why: str) -> None:
        """Let all actors go, and bring the run's files back to the last checkpoint."""
        transport, self.transport = self.transport, None
        if transport is not None:
            transport.close()
        if self.actors is not None:
            self.actors.kill_here()
            within(_KILL_S, self._kill, self._interrupt)
            self.actors = None
        if self.placement is not None:
            within(_KILL_S, self.placement.remove, self._interrupt)
            self.placement = None
        self.watch.begin_again()
        self._waiting = []
        self.recorder.abandon()
        resume = None
        if self.keeper is not None:
            self.keeper.close()
            assert self.request.out_dir is not None
            found = last_whole(self.request.out_dir, get_logger().warning)
            resume = None if found is None else Resumption(*found)
        where = "its beginning" if resume is None else f"superstep {resume.checkpoint.supersteps}"
        get_logger().warning(
            f"{why}: the run goes on from {where} with new actors",
            recovery=self.recoveries,
            of=self.request.max_recoveries,
        )
        if resume is None and self.request.out_dir is not None:
            for name in STREAMED:
                (self.request.out_dir / name).unlink(missing_ok=True)
        self.request = replace(self.request, resume=resume)
        self._looked = 0 if resume is None else resume.checkpoint.supersteps
        self._begin_files()

    def _guarded_loop(self) -> tuple[str, str]:
        """Start the actors and run supersteps; return exit kind and message.

        Failures that leave the actors able to hand over results end here.
        """
        try:
            self._start()
            return self._loop()
        except LpFailure as failure:
            return _told(failure)
        except KeyboardInterrupt:
            if self.transport is None or self.transport.in_round:
                raise
            return engine_api.INTERRUPTED, "stopped by Ctrl-C"

    def _close(self, session: RaySession | None) -> None:
        """Free graph and actors, and leave Ray as it was found; every step within its time."""
        self._interrupt.mode = NEVER
        if self.transport is not None and not self.transport.close():
            get_logger().debug("the actors do not leave the graph and are killed")
        if self.actors is not None and not (session is not None and session.gone):
            within(_KILL_S, self._kill, self._interrupt)
        if self.placement is not None and not (session is not None and session.gone):
            within(_KILL_S, self.placement.remove, self._interrupt)
        if session is not None:
            session.close(self._interrupt)

    def _kill(self) -> None:
        import ray

        assert self.actors is not None
        for actor in (*self.actors.all(), *self.actors.helpers):
            with suppress(ray.exceptions.RayError, ValueError):
                ray.kill(actor)

    # -- start ------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Make the actors, wait until all are up, and set up the way for frames."""

        request = self.request
        stood = None if request.resume is None else _stood(request.resume)
        if stood is not None:
            self.groups = stood.groups
        plain = pack(request.spec.to_plain())
        logs: Logs = ("json", request.out_dir.name if request.out_dir else "")
        cpu_class, kernel_class = map(_remote, self._classes())
        kind = (True,) if self.halves else ()
        beside = request.beside > 0
        hosts = 1 if beside else request.hosts
        fewer = hosts is None or self.recoveries > 0
        self.placement = Placement(hosts, len(self.groups), self.watch.look, fewer=fewer)
        place = self.placement.options
        kernel = kernel_class.options(**place(0)).remote(
            plain, self.groups, *kernel_options(request, self.record), logs
        )
        cpus = [
            PackHandle(kernel)
            if beside and not number
            else cpu_class.options(**place(number)).remote(plain, number, group, logs, *kind)
            for number, group in enumerate(self.groups)
        ]
        names = [*(lp_name(group) for group in self.groups), KERNEL_NAME]
        self.actors = Actors(kernel, cpus, names)
        self._wait_until_up(self.actors)
        self.actors.places = self._call("place")
        self.watch.actors = self.actors
        self.placement.look_where(self.actors, self.watch.get)
        if stood is not None:
            self._take_up(stood)
        elif self.keeper is not None:
            self._call_kernel("keep_served")
        link: Link | FreeCalls | FreeLines
        if self.free or self.in_turn:
            link = self.transport = self._make_free(self.actors)
        else:
            link = self._make_link(self.actors)
            self.transport = FrameTransport(link, self._begin)
        self._metrics = RunMetrics(request.out_dir.name if request.out_dir else "")
        get_logger().info(
            "actors are up", actors=len(self.groups) + 1, link=link.__class__.__name__
        )

    def _classes(self) -> tuple[type[CpuActor], type[KernelActor]]:
        """Return what the actors are."""
        if self.in_turn:
            return TurnCpuActor, TurnKernelActor
        if self.request.beside:
            return CpuActor, KernelBesideActor
        return (FreeCpuActor, FreeKernelActor) if self.free else (CpuActor, KernelActor)

    def _take_up(self, stood: "_Stood") -> None:
        """Let new actors stand where a checkpoint was taken.

        The log of a long run is long: it goes to the kernel in pieces, none before the last one
        has been served.

        Raises:
            TakeUpError: they cannot.
        """
        assert self.actors is not None
        for piece in stood.served():
            problem = self._call_kernel("serve_again", piece)
            if problem:
                raise TakeUpError(problem)
        arguments = [*((part,) for part in stood.parts), (stood.host, stood.frames)]
        *problems, (problem, acct) = self.watch.ask(self.actors.all(), "take_up", arguments)
        for each in (*problems, problem):
            if each:
                raise TakeUpError(each)
        self.recorder.made_again(acct)

    def _wait_until_up(self, actors: Actors) -> None:
        import ray

        calls = {actor.ready.remote(): place for place, actor in enumerate(actors.all())}
        came_s = told_s = perf_counter()
        while calls:
            up, _ = ray.wait(list(calls), num_returns=1, timeout=1.0)
            now_s = perf_counter()
            if up:
                came_s = told_s = now_s
            for call in up:
                place = calls.pop(call)
                try:
                    ray.get(call)
                except ray.exceptions.ActorUnavailableError:  # the call was lost, or its answer
                    calls[actors.all()[place].ready.remote()] = place
                except ray.exceptions.RayError as error:
                    lost = ActorLost if self.recoveries else _Broken
                    raise lost(f"{actors.names[place]} did not start: {cause(error)}") from None
            if calls:
                self.watch.look()
            if now_s - came_s > _START_S:
                raise _Broken(f"{len(calls)} actors did not start within {_START_S:.0f} s")
            if now_s - told_s > _TELL_S:
                told_s = now_s
                get_logger().warning("waiting for actors to start", missing=len(calls))

    def _make_free(self, actors: Actors) -> FreeCalls | FreeLines:
        """Return the way of goes and reports that the configuration asks for."""
        wanted = self.request.link
        if wanted in ("auto", "shm"):
            try:
                return FreeLines(actors, self.watch)
            except NoLine as error:
                if wanted == "shm":
                    raise _Broken(f"link shm cannot be used here: {error}") from None
                get_logger().info("the actors are not all on this host", why=str(error))
        return FreeCalls(actors, self.watch)

    def _make_link(self, actors: Actors) -> Link:
        """Return the way frames travel that the configuration asks for."""
        import ray

        wanted = self.request.link
        if self.request.faults is not None:
            return RayCheckedLink(actors, self.watch, self.recoveries, self.request.faults)
        if wanted in ("auto", "shm"):
            try:
                return ShmLink(actors, self.watch)
            except NoLine as error:
                if wanted == "shm" or self.request.beside:
                    raise _Broken(f"link shm cannot be used here: {error}") from None
                get_logger().info("the actors are not all on this host", why=str(error))
        if wanted in ("auto", "graph") and not self.halves:
            try:
                return GraphLink(actors, self.watch)
            except (ActorLost, TimeUp):
                raise
            except ray.exceptions.RayActorError as error:
                raise self.watch.lost_by(error) from None
            except Exception as error:
                if wanted == "graph":
                    raise _Broken(f"link graph cannot be used here: {cause(error)}") from None
                get_logger().warning("no compiled graph here, using actor calls", why=cause(error))
        return HalvesLink(actors, self.watch) if self.halves else CallsLink(actors, self.watch)

    # -- supersteps -------------------------------------------------------------------------------

    def _loop(self) -> tuple[str, str]:
        """Run rounds until the run is over; return exit kind and message (of a verdict: "")."""
        transport = self.transport
        assert transport is not None
        started = perf_counter_ns()
        self._interrupt.mode = HOLD
        try:
            stopped = run_machine_loop(transport, self)
            if stopped is not None and self.keeper is not None:
                self._keep(self.keeper)
            if stopped is not None and not isinstance(transport, FrameTransport):
                transport.rest()
        finally:
            self._loop_ns += perf_counter_ns() - started
        if self._metrics is not None:
            superstep, _, _, virtual_ns, lifecycles, tasks, _ = transport.head
            counters = {"lifecycles": lifecycles, "tasks": tasks, "supersteps": superstep}
            self._metrics.tell(virtual_ns, counters, last=True)
        return stopped or (verdict_kind(transport.verdict), "")

    def _begin(self) -> bytes:
        frame: bytes = self._call_kernel("begin")
        return frame

    def stop(self) -> tuple[str, str] | None:
        """See ``Controls.stop``."""
        if self._interrupt.asked:
            return engine_api.INTERRUPTED, "stopped by Ctrl-C"
        if self.watch.time_is_up():
            return engine_api.LIMIT, engine_api.WALL_LIMIT
        return None

    def look(self) -> None:
        """See ``Controls.look``: tell the progress, and fetch what the actors hold."""
        transport = self.transport
        assert transport is not None
        superstep, _, _, virtual_ns, lifecycles, tasks, held = transport.head
        if superstep - self._looked < LOOK_EVERY or not transport.whole:
            return
        self._looked = superstep
        self.watch.look()  # rounds that come back at once let nobody else look
        counters = {"lifecycles": lifecycles, "tasks": tasks, "supersteps": superstep}
        if self.request.on_progress is not None:
            self.request.on_progress(virtual_ns, counters)
        if self._metrics is not None:
            self._metrics.tell(virtual_ns, counters)
        now_s = perf_counter()
        if held > _HELD_BYTES or (held and now_s - self._fetched_s > _FETCH_S):
            self._fetched_s = now_s
            self._fetch()
        showing = self.recorder.showing
        if showing is not None and showing.due():
            self._fetched_s = now_s
            self._show(virtual_ns, counters, again=showing.begins)
        if self.keeper is not None and self.keeper.due(superstep):
            self._fetched_s = now_s
            if self._keep(self.keeper):
                transport.go_on()

    def _keep(self, keeper: Keeper) -> bool:
        """Let all actors stand and take a checkpoint; return whether they stand."""
        transport = self.transport
        assert transport is not None
        if not transport.pause():
            return False
        self._fetch()

        def states() -> dict[int, bytes]:
            *groups, (host, frames, problem) = self._call("set_down")
            if problem:
                raise NotSetDown(problem)
            return {HOST: host, GROUPS: pack(groups), ENGINE: pack([frames, self.groups])}

        superstep, _, _, virtual_ns, *_ = transport.head
        keeper.keep(states, virtual_ns, superstep)
        return True

    def _fetch(self) -> None:
        """Take traces and outputs from the actors, which stand at the end of a superstep."""
        assert self.actors is not None
        *groups, (chunks, outputs, order) = self._call("fetch")
        self.recorder.order(order)
        self._record([*groups, chunks], outputs)
        if self.keeper is not None:
            self.keeper.log(self._call_kernel("take_served"))
        self._relay()

    def _show(self, virtual_ns: int, counters: dict[str, int], *, again: bool) -> None:
        """Tell who watches how things stand; what the actors hold of the trace comes first."""
        self._fetch()
        *groups, (tails, locks) = self._call("show", again)
        tails = [*(tail for group in groups for tail in group), *tails]
        self.recorder.show(virtual_ns, counters, locks, tails)

    def _relay(self) -> None:
        """Log here what the actors have logged."""
        assert self.actors is not None
        for name, lines in zip(self.actors.names, self._call("lines")):
            relay(name, lines)

    def _record(
        self,
        chunks: Sequence[Sequence[MarkedChunk]],
        outputs: Sequence[tuple[str, bytes]],
        *,
        final: bool = False,
    ) -> None:
        """Hand traces and outputs to the recorder, in the order of the local engine."""
        merged = [*self._waiting, *(chunk for part in chunks for chunk in part)]
        if self.in_turn:
            assert self.transport is not None
            rounds = rounds_of(self.transport.head)
            there, self._waiting = in_file_order(merged, rounds, final=final)
            self.recorder.trace(there)
        else:
            merged.sort(key=lambda chunk: chunk[:2])
            self.recorder.trace([(lp, chunk) for _, lp, chunk in merged])
        self.recorder.output(list(outputs))

    def _call(self, method: str, *arguments: Any, kernel: Sequence[Any] | None = None) -> list[Any]:
        """Call a method of every actor; return the results, the kernel's last."""
        assert self.actors is not None
        last = arguments if kernel is None else kernel
        of_each = [*(arguments for _ in self.actors.cpus), last]
        return self.watch.ask(self.actors.all(), method, of_each)

    def _call_kernel(self, method: str, *arguments: Any) -> Any:
        """Call a method of the kernel actor; return the result."""
        assert self.actors is not None
        return self.watch.ask([self.actors.kernel], method, [arguments])[0]

    # -- end --------------------------------------------------------------------------------------

    def _collect(self, kind: str, message: str) -> RunResult:
        """Let the actors end the run and make the result of what they hand over."""
        # else the run was stopped from outside, and the last superstep is not to be finished
        by_verdict = kind in _VERDICTS and not message
        assert self.transport is not None
        frame = self.transport.frame if by_verdict else None
        self.watch.begin_end()
        *groups, kernel = self._call("finish", frame, kernel=())
        self._record(
            [*(group["chunks"] for group in groups), kernel["chunks"]],
            kernel["outputs"],
            final=True,
        )
        self.recorder.order(kernel["order"])
        self._relay()
        if kind != engine_api.BROKEN:
            stopped = bool(message) and kind in (engine_api.INTERRUPTED, engine_api.LIMIT)
            self.recorder.end_order({**kernel["order_counts"], "stopped": stopped})
        for part in [*groups, kernel]:
            if by_verdict and part["failure"]:
                kind, message = _ended_by(part["failure"])
        if by_verdict and kind in (engine_api.DONE, engine_api.LIMIT):
            places = [one for group in groups for one in group["places"]]
            unserved = [one for group in groups for one in group["unserved"]]
            stories = self._call_kernel("check", places, unserved, kind == engine_api.DONE)
            if stories:
                kind, message = engine_api.INVARIANT, "\n".join(stories)
        stats = [plain for group in groups for _, plain in group["stats"]]
        result = self.recorder.result(
            kind,
            message or kernel["message"],
            kernel["results"],
            stats,
            kernel["run"],
            self._wall([group["wall"] for group in groups], kernel["wall"]),
        )
        result.order_seen = any(group["order_seen"] for group in groups)
        return result

    def _wall(self, groups: list[dict[str, int]], kernel: dict[str, int]) -> dict[str, int]:
        """Return host times: sums over the actors, and what the loop took beyond all of them.

        ``ray_wait_ns`` is the loop's time less the kernel's and the busiest group's: messages
        under way, and groups that waited for a slower one.
        """
        busy = kernel["kernel_ns"] + kernel["encode_ns"]
        busy += max(sum(group.values()) for group in groups)
        return {
            "hosts": self.placement.hosts if self.placement is not None else 1,
            "kernel_ns": kernel["kernel_ns"],
            "encode_ns": kernel["encode_ns"] + sum(group["encode_ns"] for group in groups),
            "ray_wait_ns": max(0, self._loop_ns - busy),
            "cpu_ns": sum(group["cpu_ns"] for group in groups),
            "loop_ns": self._loop_ns,
            "guest_ns": sum(group["guest_ns"] for group in groups),
        }


def _told(failure: LpFailure) -> tuple[str, str]:
    """Return exit kind and message of a run that a failure of a logical process ended."""
    get_logger().debug("logical process failed", lp=failure.lp, details=failure.details)
    if failure.kind == "error":
        return engine_api.BROKEN, f"{failure.lp} failed: {failure.message}"
    return failure.kind, failure.message


def _ended_by(frame: bytes) -> tuple[str, str]:
    """As ``_told``, of the failure in a failure frame."""
    try:
        head_of(frame)
    except LpFailure as failure:
        return _told(failure)
    raise AssertionError("not a failure frame")


def _check_beside(request: RunRequest, scheme: Scheme) -> None:
    """Raise ValueError if CPUs cannot be beside the kernel as is asked for."""
    if not 0 <= request.beside < request.spec.cpus:
        raise ValueError(f"beside must be below the number of CPUs (got {request.beside})")
    if request.beside and runs_free(scheme):
        raise ValueError(f"CPUs beside the kernel would keep it from others under {request.scheme}")
    if request.beside and scheme.settles:
        raise ValueError(
            f"one CPU goes at a time under {request.scheme}: none is beside the kernel"
        )
    if request.beside and (request.link not in ("auto", "shm") or request.faults is not None):
        raise ValueError("CPUs beside the kernel take the link shm, without faults")


def run_ray(request: RunRequest) -> RunResult:
    """Run ``request`` on Ray.

    Uses the Ray of this process if there is one, else the cluster that ``address`` names, else
    (``local``) starts one and stops it again.

    Raises:
        ValueError: the scheme is not for this engine, or a setting of Ray is out of range.
        workloads.language.errors.GuestProgramError: a guest program is outside the language.
    """
    try:
        if is_file(request.scheme) and not request.scheme_from:
            # the actors' hosts need not have the file
            request = replace(request, scheme_from=source_of(request.scheme, Path()))
        made = make_scheme(request.scheme, settings_of(request), "ray", request.scheme_from)
    except (PluginError, SchemeError) as error:
        raise ValueError(str(error)) from None
    if request.cpus_per_actor is not None and request.cpus_per_actor < 1:
        raise ValueError(f"cpus_per_actor must be at least 1 (got {request.cpus_per_actor})")
    if request.link not in LINKS:
        raise ValueError(f"link must be one of {', '.join(LINKS)} (got {request.link!r})")
    if request.link == "graph" and runs_free(made):
        raise ValueError(f"link graph has rounds, and CPUs run free under {made.name}")
    _check_beside(request, made)
    if in_halves(made) and (request.link == "graph" or request.faults is not None):
        what = "link graph does" if request.link == "graph" else "faults do"
        raise ValueError(f"{what} not carry the scheme {made.name}")
    if request.link == "graph" and made.settles:
        raise ValueError(f"link graph is for all CPUs at once, and one goes under {made.name}")
    Loader(request.spec.sources, block_budget=request.spec.block_budget)
    try:
        run = RayRun(request)
    except StorageError as error:
        return RunResult(engine_api.STORAGE, str(error))
    return run.run()
