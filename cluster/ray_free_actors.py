"""What runs inside Ray's actors under a scheme that runs free: goes and reports, without rounds.

``FreeCpuActor`` hosts a group of CPUs and answers each *go* frame with a report frame;
``FreeKernelActor`` hosts the kernel, takes the reports that have arrived and returns the goes that
follow (``cluster.free_running``). As in ``cluster.ray_actors``, neither knows how frames travel,
and this module does not import Ray.

Frames may be carried by a thread of the actor's own while Ray calls ``fetch`` in another, for here
is no moment at which all stand still: what waits to be fetched is kept under a lock.

The end has three steps, whatever brings it about. A verdict: those on their way come in, then last
goes let dead tasks leave their CPUs, and their answers are empty. Or the engine says ``halt``, or
something failed: those on their way come in, and nothing of theirs is served. Then the kernel actor
is *at rest*, and says so in its head.
"""

from collections.abc import Callable, Sequence
from threading import Lock
from time import perf_counter_ns
from typing import Any, Final

from cluster import lps
from cluster.codec import Head, pack
from cluster.free_running import Arrival, FreeHost, Go
from cluster.ray_actors import CpuActor, KernelActor, Logs, MarkedChunk, failure_of, subjects_of
from cluster.sync.order_log import Chunk as OrderChunk

_ENTRIES: Final = 512  # of the log of what was served, that may wait

# number of a group and its frame: of a go, or of a report
Addressed = tuple[int, bytes]


class _Locked:
    """Chunks of trace that one thread adds and another takes."""

    _lock: Lock

    def _hold(self, superstep: int, chunks: list[lps.Chunk]) -> None:
        with self._lock:
            super()._hold(superstep, chunks)  # type: ignore[misc]

    def _take_chunks(self) -> list[MarkedChunk]:
        with self._lock:
            taken: list[MarkedChunk] = super()._take_chunks()  # type: ignore[misc]
        return taken


class FreeCpuActor(_Locked, CpuActor):
    """A group of CPUs that runs when it is told to; arguments as for ``CpuActor``."""

    def __init__(self, plain: bytes, group: int, cpus: Sequence[int], logs: Logs | None) -> None:
        self._lock = Lock()
        super().__init__(plain, group, cpus, logs)

    def go(self, frame: bytes) -> bytes:
        """Run as far as a go frame says; return the report frame, of the last an empty one."""
        return self._turn(self._guarded, self._go, frame)

    def _go(self, frame: bytes) -> bytes:
        started = perf_counter_ns()
        last, horizons, inboxes = self._codec.decode_go(frame)
        decoded = perf_counter_ns()
        reports = self._group.step(horizons, inboxes)
        self._supersteps += 1
        self._hold(self._supersteps, self._group.drain_trace())
        if last:
            self._ended = True
            self._unserved = subjects_of(reports)
            return pack(b"")
        stepped = perf_counter_ns()
        answer = self._codec.encode_report(self._supersteps, self._held, reports)
        self._codec_ns += decoded - started + perf_counter_ns() - stepped
        return answer


class FreeKernelActor(_Locked, KernelActor):
    """The kernel, served by reports as they come; arguments as for ``KernelActor``."""

    _host: FreeHost

    def __init__(self, plain: bytes, groups: Sequence[Sequence[int]], *options: Any) -> None:
        self._lock = Lock()
        super().__init__(plain, groups, *options)
        self._passes = [0] * len(groups)  # reports of each group
        self._held_by = [0] * len(groups)
        self._on_way = 0  # frames that have not been answered
        self._late: list[Arrival] = []  # reports that came in after the verdict
        self._ending = False  # the last goes are on their way
        self._begun = False
        self._paused = False
        self._ready: list[Addressed] = []  # goes that are for after the pause
        self._served_parts: list[bytes] = []  # of the log of what was served

    @property
    def failed(self) -> bool:
        """Whether an LP could not go on; once the kernel rests its head says which."""
        return self._failed is not None

    @property
    def resting(self) -> bool:
        """Whether nothing is under way, and nothing will be."""
        ended = self._ending or self._failed is not None
        stops = (self._halted or self._paused) and not self._host.verdict
        return not self._on_way and (ended or stops)

    def first(self) -> tuple[list[Addressed], bytes]:
        """Start the machine, or go on after ``pause``; return the first goes, and the head."""
        if not self._begun:
            self._begun = True
            return self._answered(self._begin)
        self._paused = False
        return self._handed_out([]), self._head_frame()

    def pause(self) -> None:
        """Let no group go any more, until ``first`` is called again.

        Whoever is on its way comes in and is served as ever; the goes that follow are kept. So the
        pause is nothing that the order of arrivals does not tell: a go that takes long.
        """
        self._paused = True

    def _handed_out(self, frames: list[Addressed]) -> list[Addressed]:
        """Return the frames that go now."""
        if self._failed is not None:
            return []
        frames, self._ready = self._ready + frames, []
        if self._paused and not self._host.verdict:
            self._ready = frames
            return []
        self._on_way += len(frames)
        return frames

    def arrived(self, numbers: Sequence[int], *frames: bytes) -> tuple[list[Addressed], bytes]:
        """Serve report frames, in the order in which they came; return the goes, and the head.

        Args:
            numbers: of the groups that sent them.
            frames: one of each.
        """
        self._on_way -= len(numbers)
        return self._answered(self._arrived, numbers, frames)

    def _answered(
        self, function: Callable[..., list[Go]], *arguments: Any
    ) -> tuple[list[Addressed], bytes]:
        self._busy = True
        gos: list[Go] = []
        frames: list[Addressed] = []
        if self._failed is None:
            try:
                gos = function(*arguments)
                started = perf_counter_ns()
                frames = self._encoded(gos)
                self._codec_ns += perf_counter_ns() - started
            except (Exception, SystemExit) as error:
                self._failed = failure_of(self._name, error, self._spec, self._scheme)
                frames = []
        frames = self._handed_out(frames)
        self._turns += 1
        self._busy = False
        return frames, self._head_frame()

    def _encoded(self, gos: Sequence[Go]) -> list[Addressed]:
        encode, last = self._codec.encode_go, self._ending
        return [(group, encode(last, ways, inbox)) for group, ways, inbox in gos]

    def _begin(self) -> list[Go]:
        return self._served(self._host.begin())

    def _arrived(self, numbers: Sequence[int], frames: Sequence[bytes]) -> list[Go]:
        if self._ending:
            return []  # the answers to the last goes
        arrivals = self._decoded(numbers, frames)
        if self._host.verdict:
            self._late += arrivals
            return self._last()
        if self._halted or not arrivals:
            return []
        return self._served(self._host.arrive(arrivals))

    def _decoded(self, numbers: Sequence[int], frames: Sequence[bytes]) -> list[Arrival]:
        started = perf_counter_ns()
        arrivals: list[Arrival] = []
        for group, frame in zip(numbers, frames):
            number, held, reports = self._codec.decode_report(frame)
            self._passes[group] += 1
            if number != self._passes[group]:
                raise AssertionError(f"report {number} of group {group}, not {self._passes[group]}")
            self._held_by[group] = held
            arrivals.append((group, reports))
        self._codec_ns += perf_counter_ns() - started
        return arrivals

    def _served(self, gos: list[Go]) -> list[Go]:
        host = self._host
        lps.collect_now_and_then(host.supersteps)
        self._hold(host.supersteps, host.drain_trace())
        with self._lock:
            self._take_order()
            self._take_outputs()
            if host.served is not None and host.served.entries >= _ENTRIES:
                self._served_parts.append(host.served.take())
        return self._last() if host.verdict else gos

    def _last(self) -> list[Go]:
        """Return the last goes, once all are in."""
        if self._host.under_way > len(self._late):
            return []
        self._ending = True
        self._late.sort(key=lambda arrival: arrival[0])
        return self._host.end(self._late)

    def _head_frame(self) -> bytes:
        """Return a frame with the head alone; once the kernel rests, of how it ended."""
        if self._failed is not None:
            return self._failed
        host = self._host
        counters = host.counters()
        held = sum(self._held_by) + self._held
        head: Head = (
            host.supersteps,
            host.verdict if self.resting else "",
            0,
            host.virtual_ns,
            counters["lifecycles"],
            counters["tasks"],
            held + self._output_bytes + self._order_bytes + self._served_bytes(),
        )
        return self._codec.encode_head(head)

    def take_served(self) -> bytes:
        """See ``KernelActor.take_served``; while the kernel serves, what has come together."""
        with self._lock:
            parts, self._served_parts = self._served_parts, []
        if self.resting:
            parts.append(super().take_served())
        return b"".join(parts)

    def _served_bytes(self) -> int:
        return super()._served_bytes() + sum(map(len, self._served_parts))

    def _frames(self) -> list[Any]:
        return [self._ready, self._passes, self._held_by]

    def _take_frames(self, frames: Sequence[Any]) -> None:
        ready, passes, held_by = frames
        self._ready, self._passes, self._held_by = list(ready), list(passes), list(held_by)
        self._begun = True

    def fetch(self) -> tuple[list[MarkedChunk], list[tuple[str, bytes]], list[OrderChunk]]:
        """See ``KernelActor.fetch``."""
        with self._lock:
            outputs, self._outputs = self._outputs, []
            order, self._order = self._order, []
            self._output_bytes = self._order_bytes = 0
        return self._take_chunks(), outputs, order
