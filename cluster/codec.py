"""The wire form of a superstep's traffic: msgpack, one encoding per frame.

Two kinds of frame travel. A *report frame* goes from a group of CPUs to the kernel: what each CPU
that did anything has to say. A *superstep frame* goes from the kernel to all groups: the next
horizon and, for each group, a segment with the messages for its CPUs. A group decodes only its own
segment; the engine decodes only the head. Where CPUs run free, a *go frame* goes to one group
instead.

Messages are tuples of plain data already, so they are handed to msgpack as they are, whole
superstep at once, and come back as tuples. Three things are not plain data, and msgpack's hook for
what it does not know turns each into an extension type:

======== ========================= ================================================================
type     what                      body
======== ========================= ================================================================
INTEGER  int beyond 64 bits        two's complement, little-endian
CONTEXT  a user context            ``UserContext.pack()``, read by ``Loader.unpack()``
TASK     a ``CpuTask`` on the move ``CpuTask.pack()``, read by ``CpuTask.unpack()``
======== ========================= ================================================================

The kernel only passes tasks on, so on its side a TASK stays a body of bytes. A task that moves
between two CPUs of one group does not travel at all: it waits in the group while its message, with
None in its place, takes the way through the kernel that gives it its order.

Codes are closed sets: a message with a code or a length that is not in ``kernel.messages`` is
refused. Nothing that is decoded is ever executed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgpack

from cluster.pieces import PIECE, TURN, kind_of
from kernel.cpu.task import CpuTask
from kernel.messages import ARRIVE, EFFECTS, R_ARGS, R_CODE, REQUESTS, Effect, Request
from kernel.process.spawn_child import unpack_context
from kernel.user import Loader, UserContext

if TYPE_CHECKING:
    from cluster.lps import CpuReport

INTEGER: Final = 1
CONTEXT: Final = 2
TASK: Final = 3

_REPORT: Final = 1
_SUPERSTEP: Final = 2
_FAILURE: Final = 3
_GO: Final = 6  # 4 and 5: ``cluster.pieces``
_IN_TURN: Final = 7

_REQUEST_LENGTHS: Final = {code: R_ARGS + len(row[1]) for code, row in REQUESTS.items()}
_EFFECT_LENGTHS: Final = {code: 3 + len(row[1]) for code, row in EFFECTS.items()}
_ARRIVE_TASK: Final = 3
_NO_HEAD: Final = (0, "", 0, 0, 0, 0, 0)  # before the first superstep frame

ExtType: Final = msgpack.ExtType

Segment = dict[int, list[Effect]]  # lists, or the tuples that msgpack makes of them
# (superstep, verdict, horizon_ns, virtual_ns, lifecycles, tasks, bytes of trace and output held)
Head = tuple[int, str, int, int, int, int, int]


class WireError(ValueError):
    """A frame is not what the other side can have sent: a bug, or two versions of smplab."""


class LpFailure(Exception):
    """A logical process could not go on; raised where its failure frame is read.

    Args:
        lp: which one, for people (``cpus 0-3``, ``kernel``).
        kind: an exit kind of ``engine_api``; ``error``: the message is of an unforeseen exception.
        message: what happened: the story of an invariant, else one line.
        details: the traceback, for logs.
    """

    def __init__(self, lp: str, kind: str, message: str, details: str) -> None:
        super().__init__(lp, kind, message, details)
        self.lp = lp
        self.kind = kind
        self.message = message
        self.details = details


# -- msgpack with the three extension types -------------------------------------------------------


def _default(value: Any) -> Any:
    """Give msgpack an extension type for what it does not know."""
    kind = value.__class__
    if kind is int:
        body = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
        return ExtType(INTEGER, body)
    if kind is CpuTask:
        return ExtType(TASK, pack(value.pack()))
    if hasattr(value, "resume"):  # a UserContext; no other value has code to run
        return ExtType(CONTEXT, pack(value.pack()))
    raise WireError(f"a {kind.__name__} cannot travel between logical processes")


def pack(value: Any) -> bytes:
    """Return plain data, user contexts and CpuTasks as msgpack.

    Raises:
        WireError: there is something else in it.
    """
    try:
        packed: bytes = msgpack.packb(value, default=_default)
    except UnicodeEncodeError:  # a file name that is no text; slower for every string
        packed = msgpack.packb(value, default=_default, unicode_errors="surrogatepass")
    return packed


def _unpack(data: bytes, hook: Callable[[int, bytes], Any]) -> Any:
    """Return what ``pack`` was given; every sequence is a tuple."""
    try:
        return msgpack.unpackb(data, use_list=False, strict_map_key=False, ext_hook=hook)
    except UnicodeDecodeError:
        return msgpack.unpackb(
            data,
            use_list=False,
            strict_map_key=False,
            ext_hook=hook,
            unicode_errors="surrogatepass",
        )
    except WireError:
        raise
    except (ValueError, msgpack.UnpackException) as error:
        raise WireError(
            f"{len(data)} bytes are no frame: {error or type(error).__name__}"
        ) from None


def _plain_hook(code: int, body: bytes) -> Any:
    if code == INTEGER:
        return int.from_bytes(body, "little", signed=True)
    raise WireError(f"extension type {code} in plain data")


def unpack_plain(data: bytes) -> Any:
    """Return plain data that ``pack`` was given; sequences are tuples.

    Raises:
        WireError: the bytes are no msgpack, or hold a context or task.
    """
    return _unpack(data, _plain_hook)


def _unpack_frame(data: bytes, kind: int, hook: Callable[[int, bytes], Any]) -> tuple[Any, ...]:
    frame = _unpack(data, hook)
    if frame.__class__ is not tuple or not frame:
        raise WireError(f"{len(data)} bytes are no frame: no sequence")
    if frame[0] == _FAILURE:
        raise LpFailure(*frame[1:])
    if frame[0] != kind:
        raise WireError(f"frame of kind {frame[0]!r} where {kind} is due")
    return frame


def failure_frame(lp: str, kind: str, message: str, details: str) -> bytes:
    """Return the frame that says that ``lp`` could not go on, in place of any other frame."""
    return pack((_FAILURE, lp, kind, message, details))


def report_frame(superstep: int, held: int, reports: "Sequence[CpuReport] | None") -> bytes:
    """Return a report frame; without reports: they take another way (``cluster.ray_beside``)."""
    return pack((_REPORT, superstep, held, reports))


def _check_requests(requests: Sequence[Request]) -> None:
    lengths = _REQUEST_LENGTHS
    for request in requests:
        if len(request) <= R_CODE or lengths.get(request[R_CODE]) != len(request):
            raise WireError(f"no such request: {request!r}")


def _check_effects(effects: Sequence[Effect]) -> None:
    lengths = _EFFECT_LENGTHS
    for effect in effects:
        if len(effect) < 2 or lengths.get(effect[1]) != len(effect):
            raise WireError(f"no such effect: {effect!r}")


class ServedLog:
    """What the kernel served, as bytes: a checkpoint's log (``cluster.checkpoint``).

    An entry is a msgpack sequence ``(requests, limit)``. Contexts go on to run once they are with
    the kernel, so each entry is packed at once.
    """

    def __init__(self) -> None:
        self._packer = msgpack.Packer(
            default=_default, autoreset=False, unicode_errors="surrogatepass"
        )
        self.entries = 0  # since the last ``take``

    def serve(self, requests: Sequence[Request], limit_ns: int) -> None:
        """Note what the kernel is about to serve."""
        self._packer.pack((requests, limit_ns))
        self.entries += 1

    def take(self) -> bytes:
        """Return what has come together since the last call."""
        data: bytes = self._packer.bytes()
        self._packer.reset()
        self.entries = 0
        return data


# -- the two sides --------------------------------------------------------------------------------


def head_of(frame: bytes) -> Head:
    """Return the head of a superstep frame, of a piece of one, or of a turn of the kernel's.

    Raises:
        LpFailure: it is the frame of a failure.
        WireError: it is none of these.
    """
    kind = kind_of(frame)
    if kind not in (PIECE, TURN):
        kind = _SUPERSTEP
    head: Head | None = _unpack_frame(frame, kind, _plain_hook)[1]
    return head or _NO_HEAD


def split(frame: bytes, groups: int) -> list[bytes]:
    """Return for each group its own part of a superstep frame: the head and its segment.

    ``GroupCodec.decode`` takes one for the other. Any other wire is returned for each as it is.

    Args:
        frame: what the kernel has said.
        groups: how many there are.
    """
    if kind_of(frame) != _SUPERSTEP:
        return [frame] * groups
    _, head, segments = _unpack_frame(frame, _SUPERSTEP, _plain_hook)
    begin = pack((_SUPERSTEP, head, None))[:-1]  # None is one byte
    return [begin + pack({group: segment}) for group, segment in enumerate(segments)]


class GroupCodec:
    """The side of a group of CPUs.

    Args:
        group: number of the group: which segment of a superstep frame is its own.
        cpus: its CPUs.
        loader: makes user contexts.
    """

    def __init__(self, group: int, cpus: Iterable[int], loader: Loader) -> None:
        self._group = group
        self._cpus = frozenset(cpus)
        self._staying: dict[int, CpuTask] = {}  # pid -> task on its way within the group
        self._loader = loader

    def staying(self) -> list[tuple[int, CpuTask]]:
        """Return the tasks on their way within the group, for a checkpoint."""
        return list(self._staying.items())

    def stay(self, tasks: Iterable[tuple[int, CpuTask]]) -> None:
        """Keep what ``staying`` returned."""
        self._staying = dict(tasks)

    def encode_report(self, superstep: int, held: int, reports: "Sequence[CpuReport]") -> bytes:
        """Return the report frame of one superstep.

        Args:
            superstep: number of the superstep that the reports answer.
            held: bytes of trace that wait to be fetched.
            reports: as ``CpuGroup.step`` returns them; tasks that stay in the group are taken out.
        """
        for _cpu, _next_ns, _requests, forwards in reports:
            if forwards:
                assert isinstance(forwards, list)  # none of these has come over a wire
                self._keep(forwards)
        return report_frame(superstep, held, reports)

    def _keep(self, forwards: list[tuple[int, Effect]]) -> None:
        """Take the tasks out of the messages that come back to this group."""
        for index, (dest, message) in enumerate(forwards):
            if message[1] == ARRIVE and dest in self._cpus:
                at_ns, code, pid, task, reason = message
                self._staying[pid] = task
                forwards[index] = (dest, (at_ns, code, pid, None, reason))

    def decode(self, frame: bytes) -> tuple[Head, Segment]:
        """Return head and segment of a superstep frame.

        Raises:
            LpFailure: another LP could not go on.
            WireError: the frame is none of ours.
        """
        _, head, segments = _unpack_frame(frame, _SUPERSTEP, _plain_hook)
        return head, self._segment(segments[self._group])

    def decode_go(self, frame: bytes) -> tuple[bool, dict[int, int], Segment]:
        """Return whether it is the last, horizons and messages of a go frame.

        Raises:
            WireError: the frame is none of ours.
        """
        _, last, horizons, body = _unpack_frame(frame, _GO, _plain_hook)
        return last, horizons, self._segment(body)

    def decode_turn(self, frame: bytes) -> tuple[int, int, int, Segment]:
        """Return round, CPU, horizon and messages of a turn frame.

        Raises:
            WireError: the frame is none of ours.
        """
        _, number, cpu, horizon_ns, body = _unpack_frame(frame, _IN_TURN, _plain_hook)
        if cpu not in self._cpus:
            raise WireError(f"a turn of cpu {cpu}, which is not in group {self._group}")
        return number, cpu, horizon_ns, self._segment(body)

    def _segment(self, body: bytes) -> Segment:
        if not body:
            return {}
        segment: Segment = _unpack(body, self._hook)
        for cpu, effects in segment.items():
            if cpu not in self._cpus:
                raise WireError(f"messages for cpu {cpu}, which is not in group {self._group}")
            _check_effects(effects)
            for effect in effects:
                if effect[1] == ARRIVE and effect[_ARRIVE_TASK] is None:
                    segment[cpu] = self._resolve(effects)
                    break
        return segment

    def _resolve(self, effects: Sequence[Effect]) -> list[Effect]:
        """Put the tasks that stayed here back into their messages."""
        resolved = []
        for effect in effects:
            if effect[1] == ARRIVE and effect[_ARRIVE_TASK] is None:
                at_ns, code, pid, _, reason = effect
                task = self._staying.pop(pid, None)
                if task is None:
                    raise WireError(f"task {pid} arrives without its body and did not stay here")
                effect = (at_ns, code, pid, task, reason)
            resolved.append(effect)
        return resolved

    def _hook(self, code: int, body: bytes) -> Any:
        if code == TASK:
            return CpuTask.unpack(_unpack(body, _plain_hook), self._context)
        if code == CONTEXT:
            return self._context(_unpack(body, _plain_hook))
        return _plain_hook(code, body)

    def _context(self, data: Any) -> UserContext:
        return unpack_context(self._loader, data)


class StateCodec:
    """States of logical processes as bytes: contexts and tasks are made again from their data.

    Args:
        loader: makes user contexts.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def unpack(self, data: bytes) -> Any:
        """Return what ``pack`` was given; every sequence is a tuple.

        Raises:
            WireError: the bytes are none of ours.
        """
        return _unpack(data, self._hook)

    def context(self, data: Any) -> UserContext:
        """Return the context that ``UserContext.pack`` described."""
        return unpack_context(self._loader, data)

    def _hook(self, code: int, body: bytes) -> Any:
        if code == TASK:
            return CpuTask.unpack(_unpack(body, _plain_hook), self.context)
        if code == CONTEXT:
            return self.context(_unpack(body, _plain_hook))
        return _plain_hook(code, body)


class KernelCodec:
    """The kernel's side.

    Args:
        groups: the CPUs of every group, as numbered.
        loader: makes user contexts.
    """

    def __init__(self, groups: Sequence[Sequence[int]], loader: Loader) -> None:
        self._group_of = {cpu: number for number, cpus in enumerate(groups) for cpu in cpus}
        self._groups = len(groups)
        self._loader = loader

    def decode_report(self, frame: bytes) -> "tuple[int, int, Sequence[CpuReport]]":
        """Return ``(superstep, bytes held, reports)`` of a report frame.

        Raises:
            LpFailure: the group could not go on.
            WireError: the frame is none of ours.
        """
        _, superstep, held, reports = _unpack_frame(frame, _REPORT, self.hook)
        if reports is None:
            return superstep, held, self._reports_beside()
        for cpu, _next_ns, requests, forwards in reports:
            if cpu not in self._group_of:
                raise WireError(f"a report of cpu {cpu}, which there is not")
            _check_requests(requests)
            if forwards:
                _check_effects([message for _dest, message in forwards])
        return superstep, held, reports

    def _reports_beside(self) -> "Sequence[CpuReport]":
        raise WireError("a report frame without reports")

    def unpack_requests(self, data: bytes) -> "Sequence[Request]":
        """Return requests that ``pack`` was given.

        Raises:
            WireError: the bytes are none of ours.
        """
        requests: Sequence[Request] = _unpack(data, self.hook)
        _check_requests(requests)
        return requests

    def encode(self, head: Head, inboxes: Mapping[int, Sequence[Effect]]) -> bytes:
        """Return the superstep frame with the messages for every CPU."""
        parts: list[dict[int, Sequence[Effect]]] = [{} for _ in range(self._groups)]
        group_of = self._group_of
        for cpu, effects in inboxes.items():
            parts[group_of[cpu]][cpu] = effects
        return pack((_SUPERSTEP, head, [pack(part) if part else b"" for part in parts]))

    def encode_head(self, head: Head) -> bytes:
        """Return a frame with a head alone, for the engine."""
        return pack((_SUPERSTEP, head, ()))

    def encode_go(
        self, last: bool, horizons: dict[int, int], inboxes: Mapping[int, Sequence[Effect]]
    ) -> bytes:
        """Return the frame that tells one group how far to go, with the messages for its CPUs."""
        return pack((_GO, last, horizons, pack(inboxes) if inboxes else b""))

    def encode_turn(
        self, number: int, cpu: int, horizon_ns: int, effects: Sequence[Effect]
    ) -> bytes:
        """Return the frame that tells one CPU in round ``number`` how far to go, with messages."""
        body = pack({cpu: effects}) if effects else b""
        return pack((_IN_TURN, number, cpu, horizon_ns, body))

    def hook(self, code: int, body: bytes) -> Any:
        """Return what an extension type stands for on the kernel's side."""
        if code == TASK:
            return ExtType(TASK, body)
        if code == CONTEXT:
            return unpack_context(self._loader, _unpack(body, _plain_hook))
        return _plain_hook(code, body)


class ServedReader:
    """Reads a ``ServedLog``, cut into pieces at any place; it keeps no more than an entry.

    Args:
        codec: reads requests.

    Raises:
        WireError: by everything here: the bytes are none of ours.
    """

    def __init__(self, codec: KernelCodec) -> None:
        self._unpacker = msgpack.Unpacker(
            use_list=False,
            strict_map_key=False,
            ext_hook=codec.hook,
            unicode_errors="surrogatepass",
        )
        self._fed = 0

    def feed(self, piece: bytes) -> "Iterator[tuple[Sequence[Request], int]]":
        """Yield the entries that end in the next piece."""
        self._fed += len(piece)
        try:
            self._unpacker.feed(piece)
            for entry in self._unpacker:
                requests, limit_ns = entry
                _check_requests(requests)
                yield requests, limit_ns
        except WireError:
            raise
        except (ValueError, TypeError, msgpack.UnpackException) as error:
            raise WireError(f"no log of requests: {error or type(error).__name__}") from None

    def end(self) -> None:
        """See that the last entry was whole."""
        if self._unpacker.tell() != self._fed:
            raise WireError("the log of requests ends within an entry")
