"""Floors of a run on Ray: a round of a link on which nobody has anything to do, and the codec.

The actors of an empty round answer at once, with frames of a size that is asked for. What the codec
takes is measured in one process, of the messages of a run as they travel: ``msgpack`` alone to pack
and to unpack them, and all that actors do to get from messages to frames and back.
"""

from collections.abc import Iterator
from time import perf_counter, process_time_ns
from typing import Any, Final

import msgpack

from cluster import ray_actors
from cluster.engine_api import DONE, RunRequest, RunResult
from cluster.interrupt import HeldInterrupt
from cluster.pieces import is_whole
from cluster.ray_watch import PULSE_GROUPS, Actors, Watch
from cluster.transport.frames import Link
from cluster.transport.ray_calls import CallsLink
from cluster.transport.ray_graph import GraphLink
from cluster.transport.ray_shm import ShmLink
from tests.cluster.direct_run import DirectLink, DirectRun

LINKS: Final = {"shm": ShmLink, "graph": GraphLink, "calls": CallsLink}
EMPTY_S: Final = 1.0  # of empty rounds, for each floor


def checked(result: RunResult) -> RunResult:
    """Return a result that is whole; a run that did not end well is an error."""
    if result.exit_kind != DONE or {status for _, _, status in result.statuses} != {0}:
        raise SystemExit(f"a run broke: {result.exit_kind} {result.message}")
    return result


class Empty:
    """An actor that does nothing: the kernel's or that of CPUs."""

    def __init__(self, frame: bytes) -> None:
        self.link: Any = None
        self.near: list[Any] = []
        self.answers: list[list[bytes]] = []
        self._frame = frame
        self._turns = 0

    def ready(self) -> str:
        """See ``_Actor.ready``."""
        return "empty"

    def turns(self) -> int:
        """Return how many turns have been made."""
        return self._turns

    def last(self) -> tuple[int, bytes]:
        """See ``KernelActor.last``."""
        return self._turns, self._frame

    def take_due(self) -> list[bytes]:
        """See ``KernelActor.take_due``."""
        return [self._frame]

    def at_rest(self) -> bool:
        """See ``KernelActor.at_rest``."""
        return False

    def step(self, _frame: bytes) -> bytes:
        """See ``CpuActor.step``."""
        return self._frame

    def superstep(self, *_frames: bytes) -> bytes:
        """See ``KernelActor.superstep``."""
        self._turns += 1
        return self._frame


def empty_round_us(link: str, actors: int, frame: bytes) -> float:
    """Return what a superstep takes of a link on which nobody has anything to do."""
    import ray

    decorate: Any = ray.remote
    remote = decorate(num_cpus=0, max_restarts=0, concurrency_groups=PULSE_GROUPS)(Empty)
    kernel, *cpus = (remote.remote(frame) for _ in range(actors + 1))
    found = Actors(kernel, cpus, ["empty"] * (actors + 1))
    watch = Watch(HeldInterrupt(), None)
    watch.get([actor.ready.remote() for actor in found.all()])
    way: Link = LINKS[link](found, watch)
    way.round(frame)
    before = watch.get([kernel.turns.remote()])[0]
    started = perf_counter()
    while perf_counter() - started < EMPTY_S:
        way.round(frame)
    took = perf_counter() - started
    turns = watch.get([kernel.turns.remote()])[0] - before
    way.close()
    for actor in found.all():
        ray.kill(actor)
    return took * 1e6 / turns


class FramesLink(DirectLink):
    """Keeps the frames."""

    def __init__(self, actors: Actors, layers: int) -> None:
        super().__init__(actors, layers)
        self.kept: list[bytes] = []

    def round(self, frame: bytes) -> bytes:
        """See ``Link.round``."""
        reports = [cpu.step(frame) for cpu in self.actors.cpus]
        self.kept += [frame, *reports]
        answer: bytes = self.actors.kernel.superstep(*reports)
        return answer


class CodecRun(DirectRun):
    """A run in one process whose actors' times are process times, and whose frames are kept."""

    def _start(self) -> None:
        super()._start()
        assert self.transport is not None and self.actors is not None
        self.frames = FramesLink(self.actors, 1)
        self.transport.link = self.frames


def _opened(frames: list[bytes]) -> Iterator[Any]:
    """Yield what is in frames: whole reports, and the segments of superstep frames."""
    for frame in frames:
        kind, *rest = _unpacked(frame)
        if kind == 2:
            yield from (_unpacked(segment) for segment in rest[1] if segment)
        else:
            yield rest


def _unpacked(data: bytes) -> Any:
    return msgpack.unpackb(data, use_list=False, strict_map_key=False)


def codec_floors(request: RunRequest) -> dict[str, float]:
    """Return us of a request that msgpack and the codec take, and its bytes, in one process."""
    clock, ray_actors.perf_counter_ns = ray_actors.perf_counter_ns, process_time_ns
    try:
        run = CodecRun(request)
        result = checked(run.run())
    finally:
        ray_actors.perf_counter_ns = clock
    count = result.summary["other"]["kernel_requests"]
    messages = list(_opened([frame for frame in run.frames.kept if is_whole(frame)]))
    started = process_time_ns()
    packed = [msgpack.packb(each) for each in messages]
    between = process_time_ns()
    for each in packed:
        _unpacked(each)
    ended = process_time_ns()
    return {
        "msgpack_pack_us": (between - started) / 1e3 / count,
        "msgpack_unpack_us": (ended - between) / 1e3 / count,
        "codec_us": result.wall["encode_ns"] / 1e3 / count,
        "bytes": sum(map(len, packed)) / count,
    }
