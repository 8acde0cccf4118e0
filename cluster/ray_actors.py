"""What runs inside Ray's actors: thin wrappers around the LPs of ``cluster.lps``.

``KernelActor`` hosts the kernel and makes superstep frames; ``CpuActor`` hosts one group of CPUs
and makes report frames (``cluster.codec``). Neither knows how frames travel, and this module does
not import Ray: the engine makes actors of the two classes, and tests use them as they are.

An LP that cannot go on answers with a failure frame instead of an exception. The frame takes the
usual way (group, kernel, engine) and every actor it passes stops, so the engine learns what
happened and where, in one piece, whatever carried the frame.

Traces and outputs stay with the actor that made them until the engine fetches them. Every frame
says how much is held, so the engine can keep that bounded. Trace chunks are cut at the same
supersteps as in the local engine and are marked with them: sorted by that mark, they make the same
file.

Each actor counts its *turns*, the wires it has answered, and keeps its last answer. So whoever
carries frames can find out where everybody stands, and ask for a turn again without its being made
twice: a way that loses a message costs time and nothing else. ``once`` does the same for all other
methods that change anything.

``ready``, ``standing`` and ``halt`` are called by a thread of their own, beside whatever the actor
computes: how long a superstep takes says nothing about whether an actor is alive.
"""

import logging
import os
import re
import signal
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter_ns
from typing import Any, Final

from cluster import lps
from cluster.codec import (
    GroupCodec,
    Head,
    KernelCodec,
    LpFailure,
    ServedLog,
    StateCodec,
    failure_frame,
    head_of,
    pack,
    unpack_plain,
)
from cluster.engine_api import BROKEN, INVARIANT, kernel_failure
from cluster.free_running import FreeHost
from cluster.in_turn import TurnHost
from cluster.logging_setup import HeldLines, get_logger, setup_logging
from cluster.machine_loop import LOOK_EVERY
from cluster.pieces import Answerer, Gatherer
from cluster.plugins import Source
from cluster.ray_watch import Place, own_place
from cluster.set_down import (
    MadeAgain,
    NotSetDown,
    TakeUpError,
    set_down_group,
    set_down_host,
    take_up_group,
    take_up_host,
)
from cluster.sync.order_log import Chunk as OrderChunk
from cluster.sync.scheme import SchemeError, Settings, make_scheme, runs_free
from cluster.trace.tails import Tail
from cluster.transport.envelope import Answering
from kernel.cpu.places import CpuPlaces
from kernel.errors import InvariantError
from kernel.machine import MachineSpec
from kernel.messages import ARRIVE, NEVER, R_ARGS
from workloads.language.loader import Loader

PIECE_BYTES: Final = 240 << 10  # of a frame in one message: below the buffers of a compiled graph
_MOST_TEXT: Final = 20_000  # characters of a story or a traceback: failures travel in one piece

_ENTRY_BYTES: Final = 64  # about so many has an entry of the log of what was served
_WHOLE_BYTES: Final = 1 << 30  # of a frame that is never cut
AT_THE_END: Final = NEVER  # mark of the last chunks, after every superstep

# (superstep, LP number, encoded records)
MarkedChunk = tuple[int, int, bytes]
Logs = tuple[str, str]  # format, run id


def lp_name(cpus: Sequence[int]) -> str:
    """Return what messages call the actor of these CPUs."""
    if len(cpus) == 1:
        return f"cpu actor {cpus[0]}"
    return f"cpu actor {cpus[0]}-{cpus[-1]}"


KERNEL_NAME: Final = "kernel actor"
_NOTHING: Final = pack(b"")  # said by a group after its last step


def _piece_bytes(halves: bool) -> int:
    """Return the most bytes of a wire.

    With two supersteps under way frames travel whole: a turn that only brings a piece would come
    between them. They do not take the channels of a graph.
    """
    return _WHOLE_BYTES if halves else PIECE_BYTES


def failure_of(lp: str, error: BaseException, spec: MachineSpec, scheme: str) -> bytes:
    """Return the failure frame for an exception that ended ``lp``.

    What the machine itself raised is told by ``engine_api.kernel_failure``.
    """
    if isinstance(error, LpFailure):  # of another LP: pass it on
        return failure_frame(error.lp, error.kind, error.message, error.details)
    details = traceback.format_exc()[-_MOST_TEXT:]
    if isinstance(error, InvariantError):
        return failure_frame(lp, INVARIANT, str(error)[:_MOST_TEXT], details)
    if isinstance(error, SchemeError):
        return failure_frame(lp, BROKEN, str(error)[:_MOST_TEXT], details)
    found = kernel_failure(error, spec, scheme)
    if found is not None:
        kind, told = found
        return failure_frame(lp, kind, told[:_MOST_TEXT], details)
    text = str(error).strip().split("\n")[0][:_MOST_TEXT]
    if isinstance(error, MemoryError):
        text = "its host gives it no more memory"
    return failure_frame(lp, "error", f"{type(error).__name__}: {text}", details)


_SEMAPHORE: Final = re.compile(r"/dev/shm/sem\.(obj|hdr)[0-9]+-[0-9]+")


def channel_semaphores(maps: Path = Path("/proc/self/maps")) -> set[str]:
    """Return the files of the semaphores of Ray channels that this process has opened.

    They are the other side's: glibc shows the ones that a process has made under another name. In
    an actor that nobody else uses they belong to its run's graph.
    """
    try:
        lines = maps.read_text(errors="replace").splitlines()
    except OSError:  # not Linux
        return set()
    return {name for line in lines if _SEMAPHORE.fullmatch(name := line.rpartition(" ")[2])}


def remove_semaphores(names: Iterable[str]) -> None:
    """Remove the names; who has opened one keeps it."""
    for name in names:
        Path(name).unlink(missing_ok=True)


def _enter_process(logs: Logs, lines: HeldLines) -> None:
    """Set up the actor's process: logging, and Ctrl-C left to the engine."""
    # A terminal sends SIGINT to every process of the group; only the engine decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log_format, run_id = logs
    logging.getLogger("ray").setLevel(logging.ERROR)
    setup_logging(log_format, run_id, stream=lines)


class _Actor(ABC):
    """What both kinds of actor have: held trace chunks, and the answer to being asked."""

    @abstractmethod
    def _asked(self, payload: bytes) -> bytes:
        """Make a turn with what a checked question carries."""

    def __init__(self, name: str, spec: MachineSpec, scheme: str = "") -> None:
        self._name = name
        self._spec = spec
        self._scheme = scheme
        self._chunks: list[MarkedChunk] = []
        self._held = 0  # bytes in _chunks
        self._codec_ns = 0
        self._failed: bytes | None = None
        self._halted = False
        self._turns = 0
        self._said = b""  # in the last turn; of the kernel before its first: the first frame
        self._busy = False
        self._checked: Answering | None = None
        self._done: tuple[int, Any] = (0, None)  # the last question that is answered once
        self.link: Any = None  # what a link keeps here
        self._lines = HeldLines()  # of the log
        self._who: dict[str, Any] = {}  # what each of them says of this actor

    def _guarded(self, function: Callable[..., bytes], *arguments: Any) -> bytes:
        """Return the frame ``function`` makes, or from its first failure on that failure."""
        if self._failed is None:
            try:
                return function(*arguments)
            except (Exception, SystemExit) as error:
                self._failed = failure_of(self._name, error, self._spec, self._scheme)
        return self._failed

    def _hold(self, superstep: int, chunks: list[lps.Chunk]) -> None:
        for lp, chunk in chunks:
            self._chunks.append((superstep, lp, chunk))
            self._held += len(chunk)

    def _take_chunks(self) -> list[MarkedChunk]:
        chunks, self._chunks = self._chunks, []
        self._held = 0
        return chunks

    def _log(self, event: str, now_ns: int, **values: Any) -> None:
        """Log a line; methods run in other threads than ``__init__``, so nothing is bound."""
        get_logger().info(event, sim_ns=now_ns, **self._who, **values)

    def lines(self) -> list[str]:
        """Hand over what was logged here."""
        return self._lines.take()

    def open_checked(self, run: int, incarnation: int, number: int) -> None:
        """Answer checked questions from now on (``cluster.transport.envelope``)."""
        self._checked = Answering(run, incarnation, number, self._asked)

    def receive(self, packet: bytes) -> bytes | None:
        """Take a packet; return what there is to say to it."""
        assert self._checked is not None
        return self._checked.take(packet)

    def once(self, number: int, method: str, *arguments: Any) -> Any:
        """Carry out a method, and keep what it returns: asked again, return that again.

        Args:
            number: of the question; every other one has a higher one.
            method: its name.
            arguments: of the method.

        Raises:
            ValueError: a later question has been asked; that is a bug.
        """
        if number < self._done[0]:
            raise ValueError(f"{self._name} was asked {number} after {self._done[0]}")
        if number > self._done[0]:
            self._done = (number, getattr(self, method)(*arguments))
        return self._done[1]

    def place(self) -> Place:
        """Return where this actor's process is: ``ray_watch.own_place``."""
        return own_place()

    def ready(self) -> str:
        """Return the actor's name, once it is there."""
        return self._name

    def standing(self) -> tuple[int, bool]:
        """Return how many turns this actor has made, and whether it is in one now."""
        return self._turns, self._busy

    def _turn(self, answer: Callable[..., bytes], *arguments: Any) -> bytes:
        self._busy = True
        said = answer(*arguments)
        self._turns, self._said = self._turns + 1, said
        self._busy = False
        return said

    def halt(self) -> None:
        """Make no further step: the engine ends the run as soon as the round has ended."""
        self._halted = True

    def forget_semaphores(self) -> None:
        """Remove the names of the semaphores of the graph's channels, which Ray leaves behind.

        To be called when everybody has opened them.
        """
        remove_semaphores(channel_semaphores())


class CpuActor(_Actor):
    """A group of CPUs.

    Args:
        plain: ``MachineSpec.to_plain()`` in msgpack.
        group: number of the group.
        cpus: its CPUs, ascending.
        logs: format and run id of log lines; None leaves the process as it is (tests).
        halves: every other superstep is for one half of the CPUs (scheme ``redblack``).
    """

    def __init__(
        self,
        plain: bytes,
        group: int,
        cpus: Sequence[int],
        logs: Logs | None,
        halves: bool = False,
    ) -> None:
        spec = MachineSpec.from_plain(unpack_plain(plain))
        super().__init__(lp_name(cpus), spec)
        self._who = {"cpu": cpus[0]} if len(cpus) == 1 else {"cpus": f"{cpus[0]}-{cpus[-1]}"}
        if logs is not None:
            _enter_process(logs, self._lines)
            self._log("cpus are up", 0, pid=os.getpid())
        loader = self._loader_of(spec)
        self._work = loader.runtime.work
        self._group = lps.CpuGroup(spec, cpus, loader)
        if halves:
            self._group.halve()
        self._codec = self._codec_of(group, cpus, loader)
        self._states = StateCodec(loader)
        self._wires = Answerer(_piece_bytes(halves), partial(self._guarded, self._step))
        self._supersteps = 0
        self._ended = False
        self._unserved: list[tuple[Any, ...]] = []  # messages of the last step

    def _loader_of(self, spec: MachineSpec) -> Loader:
        return lps.loader_of(spec)

    def _codec_of(self, group: int, cpus: Sequence[int], loader: Loader) -> GroupCodec:
        return GroupCodec(group, cpus, loader)

    def step(self, frame: bytes) -> bytes:
        """Run the CPU phase that a superstep frame asks for; return the report frame.

        Both may travel in pieces (``cluster.pieces``).
        """
        return self._turn(self._wires.take, frame)

    def _asked(self, payload: bytes) -> bytes:
        return self.step(payload)

    def again(self, turns: int, frame: bytes) -> bytes:
        """Return the answer to ``frame``, before which this actor is to have made so many turns.

        If it has made one more, that was to this frame, and its answer is returned again.

        Raises:
            ValueError: it has made another number.
        """
        if self._turns == turns:
            return self.step(frame)
        if self._turns != turns + 1:
            raise ValueError(f"{self._name} has made {self._turns} turns, and not {turns}")
        return self._said

    def _step(self, frame: bytes) -> bytes:
        if self._ended:
            return _NOTHING
        started = perf_counter_ns()
        head, inboxes = self._codec.decode(frame)
        decoded = perf_counter_ns()
        superstep, verdict, horizon_ns = head[:3]
        self._supersteps += 1
        if superstep != self._supersteps:
            raise AssertionError(f"superstep {superstep} came after {self._supersteps - 1}")
        if verdict:
            self._ended = True  # this is the last one: dead tasks leave their CPUs
            self._unserved = subjects_of(self._group.last_step(horizon_ns, inboxes))
            return _NOTHING
        reports = self._group.step(horizon_ns, inboxes)
        if not superstep % LOOK_EVERY:
            self._hold(superstep, self._group.drain_trace())
        stepped = perf_counter_ns()
        answer = self._codec.encode_report(superstep, self._held, reports)
        self._codec_ns += decoded - started + perf_counter_ns() - stepped
        return answer

    def fetch(self) -> list[MarkedChunk]:
        """Hand over the chunks of trace held here."""
        return self._take_chunks()

    def show(self, again: bool) -> list[Tail]:
        """Return what of the trace is in no chunk yet: ``CpuGroup.show_trace``."""
        return self._group.show_trace(again=again)

    def set_down(self) -> bytes:
        """Return the state of the group, between two supersteps and after ``fetch``."""
        group = set_down_group(self._group)
        return pack([self._supersteps, self._codec.staying(), group, self._work.order_seen])

    def take_up(self, data: bytes) -> str:
        """Stand where ``set_down`` was called; return what is wrong with the data."""
        try:
            self._supersteps, staying, group, self._work.order_seen = self._states.unpack(data)
            self._codec.stay(staying)
            take_up_group(self._group, group, self._states)
        except (TakeUpError, ValueError, TypeError) as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def finish(self, frame: bytes | None) -> dict[str, Any]:
        """End the run here and return all that is left.

        Args:
            frame: the last superstep frame, if the machine came to its end: its step is run, once.

        Returns:
            ``chunks``, ``stats`` as ``CpuGroup.stats()``, ``wall``, ``failure`` (a frame or b""),
            for ``KernelActor.check``: ``places``, ``unserved``, and ``order_seen`` of RunResult.
        """
        if frame is not None and not self._ended and self._failed is None:
            self.step(frame)
        self._hold(AT_THE_END, self._group.drain_trace(final=True))
        now_ns = max(cpu.now_ns for cpu in self._group.cpus.values())
        self._log("cpus have ended", now_ns, supersteps=self._supersteps)
        return {
            "chunks": self._take_chunks(),
            "stats": self._group.stats(),
            "wall": {**self._group.wall(), "encode_ns": self._codec_ns},
            "failure": self._failed or b"",
            "places": [CpuPlaces.of(cpu) for cpu in self._group.cpus.values()],
            "unserved": self._unserved,
            "order_seen": self._work.order_seen,
        }


def subjects_of(reports: Sequence[lps.CpuReport]) -> list[tuple[Any, ...]]:
    """Return the messages in ``reports`` as far as invariants look: no contexts, no tasks."""
    messages: list[tuple[Any, ...]] = []
    for _cpu, _next_ns, requests, forwards in reports:
        messages += [request[:R_ARGS] for request in requests]
        messages += [
            (dest, (*message[:3], None) if message[1] == ARRIVE else message[:4])
            for dest, message in forwards
        ]
    return messages


class KernelActor(_Actor):
    """The kernel.

    Args:
        plain: ``MachineSpec.to_plain()`` in msgpack.
        groups: the CPUs of every group, as numbered.
        scheme: name of the synchronisation scheme.
        scheme_from: where a file's scheme is from.
        quantum_ns: as for ``KernelHost``.
        slack_ns: of the scheme, if it has one.
        max_virtual_ns: as for ``KernelHost``.
        record: note what the kernel serves, for the order log.
        logs: format and run id of log lines; None leaves the process as it is (tests).
    """

    def __init__(
        self,
        plain: bytes,
        groups: Sequence[Sequence[int]],
        scheme: str,
        scheme_from: Source,
        quantum_ns: int,
        slack_ns: int | None,
        max_virtual_ns: int | None,
        record: bool,
        logs: Logs | None,
    ) -> None:
        spec = MachineSpec.from_plain(unpack_plain(plain))
        super().__init__(KERNEL_NAME, spec, scheme)
        if logs is not None:
            _enter_process(logs, self._lines)
            self._log("the kernel is up", 0, pid=os.getpid())
        self._loader = loader = lps.loader_of(spec)
        settings = Settings(spec.cpus, quantum_ns, spec.seed, slack_ns)
        made = make_scheme(scheme, settings, "ray", scheme_from)
        self._host: lps.KernelHost
        if runs_free(made):
            self._host = FreeHost(spec, loader, made, quantum_ns, max_virtual_ns, slack_ns, groups)
        elif made.settles:
            self._host = TurnHost(spec, loader, made, quantum_ns, max_virtual_ns, groups)
        else:
            self._host = lps.KernelHost(spec, loader, made, quantum_ns, max_virtual_ns)
        if record:
            self._host.record()
        self._order: list[OrderChunk] = []  # of the order log
        self._order_bytes = 0
        self._codec = KernelCodec(groups, loader)
        self._states = StateCodec(loader)
        self._again: MadeAgain | None = None
        self._wires = Gatherer(_piece_bytes(self._host.halves), len(groups))
        self._under_way = 2 if self._host.halves else 1  # supersteps
        self._due: list[bytes] = []  # what the groups have not been sent
        self.near: list[Any] = []  # lines to groups in this process; they come before the others
        self.answers: list[Sequence[bytes]] = []  # what they have answered, and is not served
        self._unserved: list[tuple[Any, ...]] = []  # messages that came after the verdict
        self._output_bytes = 0
        self._outputs: list[tuple[str, bytes]] = []
        self._head: Head = (0, "", 0, 0, 0, 0, 0)  # of the last superstep frame

    def _asked(self, payload: bytes) -> bytes:
        return self.superstep(*unpack_plain(payload))

    def begin(self) -> bytes:
        """Make the first superstep frames, as many as are under way; return the last."""
        if self._said:  # it goes on from there
            self._due = self._due or [self._said]
            return self._said
        for _ in range(self._under_way):
            if not self._host.verdict:
                self._say(self._guarded(self._answer))
        return self._said

    def _say(self, wire: bytes) -> bytes:
        self._said = wire
        self._due = [*self._due, wire][-self._under_way :]
        return wire

    def take_due(self) -> list[bytes]:
        """Return what has been said and not been asked for, oldest first."""
        due, self._due = self._due, []
        return due

    def kept(self) -> int:
        """Return of how many supersteps there are answers that are kept."""
        return len(self.answers)

    def keep_answers(self, *frames: bytes) -> None:
        """Keep for ``serve_kept`` what the groups have answered to all frames but the last."""
        self.answers.append(frames)
        self._due = self._due[len(self.answers) - self._under_way :]

    def serve_kept(self) -> bytes:
        """As ``superstep``, of the oldest answers that are kept."""
        return self.superstep(*self.answers.pop(0))

    def last(self) -> tuple[int, bytes]:
        """Return how many turns this actor has made, and what it said in the last."""
        return self._turns, self._said

    def at_rest(self) -> bool:
        """Return whether no turn is due after what this actor said last."""
        ended = bool(self._host.verdict) and not self._wires.sending
        return ended or self._halted or self._failed is not None

    def superstep(self, *frames: bytes) -> bytes:
        """Run the kernel phase on one report frame of every group; return the superstep frame.

        All may travel in pieces (``cluster.pieces``).
        """
        return self._say(self._turn(self._guarded, self._answer, *frames))

    def _answer(self, *wires: bytes) -> bytes:
        if self._halted:
            return self._wires.pause()
        frames = self._wires.gather(wires) if wires else []
        if isinstance(frames, bytes):
            return frames
        frame = self._superstep(*frames)
        return self._wires.send(frame, self._head)

    def _superstep(self, *frames: bytes) -> bytes:
        host = self._host
        if host.verdict:  # all groups have had the last frame
            self._keep_unserved(frames)
            return self._codec.encode(self._head, {})
        started = perf_counter_ns()
        reports: list[lps.CpuReport] = []
        held = 0
        for frame in frames:
            superstep, group_held, group_reports = self._codec.decode_report(frame)
            if superstep != host.supersteps + 1 - self._under_way:
                raise AssertionError(f"a report of superstep {superstep} in {host.supersteps}")
            reports += group_reports
            held += group_held
        decoded = perf_counter_ns()
        horizon_ns, inboxes = host.superstep(reports)
        if not isinstance(horizon_ns, int):
            raise SchemeError(f"scheme {host.scheme.name}: on Ray all CPUs get one horizon")
        served = host.supersteps - self._under_way
        if frames and not served % LOOK_EVERY:
            self._hold(served, host.drain_trace())
            self._take_order()
        self._take_outputs()
        lps.collect_now_and_then(host.supersteps)
        stepped = perf_counter_ns()
        counters = host.counters()
        self._head = (
            host.supersteps,
            host.verdict,
            horizon_ns,
            host.virtual_ns,
            counters["lifecycles"],
            counters["tasks"],
            held + self._held + self._output_bytes + self._order_bytes + self._served_bytes(),
        )
        frame = self._codec.encode(self._head, inboxes)
        self._codec_ns += decoded - started + perf_counter_ns() - stepped
        return frame

    def _keep_unserved(self, frames: Sequence[bytes]) -> None:
        """Note what groups said in a superstep that was under way at the verdict."""
        for frame in frames:
            if frame != _NOTHING:  # of a group that has made its last step
                self._unserved += subjects_of(self._codec.decode_report(frame)[2])

    def _take_outputs(self) -> None:
        for name, data in self._host.take_outputs():
            self._outputs.append((name, data))
            self._output_bytes += len(data)

    def _take_order(self, *, final: bool = False) -> None:
        for kind, data in self._host.take_order(final=final):
            self._order.append((kind, data))
            self._order_bytes += len(data)

    def show(self, again: bool) -> tuple[list[Tail], list[dict[str, Any]]]:
        """Return what of the trace is in no chunk yet, and the counters of locks."""
        return self._host.show_trace(again=again), self._host.plain_locks()

    def keep_served(self) -> None:
        """Note what the kernel serves from now on, for checkpoints."""
        self._host.served = ServedLog()

    def _served_bytes(self) -> int:
        served = self._host.served
        return 0 if served is None else _ENTRY_BYTES * served.entries

    def take_served(self) -> bytes:
        """Hand over what is held here of the log of what was served."""
        served = self._host.served
        return b"" if served is None else served.take()

    def set_down(self) -> tuple[bytes, bytes, str]:
        """Return the state around the kernel, as for ``CpuActor``; or why there is none.

        Returns:
            The state, frames that are not done (of groups and of the kernel), and the reason.
        """
        try:
            return set_down_host(self._host), pack(self._frames()), ""
        except NotSetDown as error:
            return b"", b"", str(error)

    def serve_again(self, piece: bytes) -> str:
        """Serve a piece of the log up to a checkpoint; return what is wrong with it."""
        if self._again is None:
            self._again = MadeAgain(self._host, self._codec)
        try:
            self._again.feed(piece)
        except (TakeUpError, ValueError, TypeError) as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def take_up(self, data: bytes, under_way: bytes) -> tuple[str, list[tuple[str, bytes]]]:
        """Stand where ``set_down`` was called; go on with noting what is served.

        All of the log up to there has been served again.

        Args:
            data: the state.
            under_way: frames that were not done.

        Returns:
            What is wrong with the data, and accounting records that no file has.
        """
        again, self._again = self._again, None
        try:
            again = again or MadeAgain(self._host, self._codec)  # of nothing
            acct = take_up_host(self._host, data, again, self._states)
            self._take_frames(unpack_plain(under_way))
        except (TakeUpError, ValueError, TypeError) as error:
            return f"{type(error).__name__}: {error}", []
        self.keep_served()
        return "", acct

    def _frames(self) -> list[Any]:
        """Return the frames that are not done."""
        return [self._said, self._due, self.answers]

    def _take_frames(self, frames: Sequence[Any]) -> None:
        """Take what ``_frames`` has returned elsewhere."""
        self._said, due, answers = frames
        self._due, self.answers = list(due), list(answers)
        self._head = head_of(self._said)
        self._wires.go_on_after(self._head)

    def fetch(self) -> tuple[list[MarkedChunk], list[tuple[str, bytes]], list[OrderChunk]]:
        """Hand over the chunks of trace, the outputs and what is held here of the order log."""
        outputs, self._outputs = self._outputs, []
        order, self._order = self._order, []
        self._output_bytes = self._order_bytes = 0
        return self._take_chunks(), outputs, order

    def finish(self) -> dict[str, Any]:
        """End the run here and return all that is left.

        Returns:
            ``chunks``, ``outputs``, ``order``, ``order_counts``, ``results``, ``run``, ``message``,
            ``wall``, ``failure``.
        """
        host = self._host
        if host.verdict:
            for frames in self.answers:
                self._keep_unserved(frames)
            self.answers.clear()
        self._take_outputs()
        self._hold(AT_THE_END, host.drain_trace(final=True))
        self._take_order(final=True)
        chunks, outputs, order = self.fetch()
        self._log("the kernel has ended", host.virtual_ns, supersteps=host.supersteps)
        return {
            "order": order,
            "order_counts": host.order_counts(),
            "chunks": chunks,
            "outputs": outputs,
            "results": host.plain_results(),
            "run": host.plain_run(),
            "message": host.message(),
            "wall": {"kernel_ns": host.kernel_ns, "encode_ns": self._codec_ns},
            "failure": self._failed or b"",
        }

    def check(
        self, places: Sequence[CpuPlaces], unserved: Sequence[tuple[Any, ...]], complete: bool
    ) -> list[str]:
        """Return the violations of invariants at the end of a run, as the local engine finds them.

        Args:
            places: what the CPUs said of themselves.
            unserved: messages of the last step; nobody has them.
            complete: the machine came to its end, so nothing may be left over.
        """
        from kernel.check.at_rest import check_end
        from kernel.check.invariants import check_parts

        try:
            unserved = [*self._host.pending.requests, *self._unserved, *unserved]
            stories = check_parts(self._host.kernel, places, unserved)
            if complete:
                stories += check_end(self._host.kernel, self._host.boot_counts)
        except Exception as error:
            found = kernel_failure(error, self._spec, self._scheme)
            if found is None:
                raise
            return [found[1]]
        return stories
