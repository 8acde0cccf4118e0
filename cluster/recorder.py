"""What every engine does with the results of a run: trace file, digest, outputs, summary.

The engines only drive LPs; here their chunks of trace, the outputs of programs and the counters
become files, which grow while the run goes on, and a ``RunResult``. It is the same code for all
engines, so it cannot make them differ.

A run that is gone on with (``RunRequest.resume``) gets its files back as they were at the
checkpoint: what came later is cut off, and is written again. A file that cannot be written raises
``StorageError``; what the run has then is what its last checkpoint says.
"""

import os
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter, perf_counter_ns
from typing import Any, Final

from cluster import engine_api, fast_core
from cluster.digest import RunDigest
from cluster.engine_api import RunRequest, RunResult, StorageError
from cluster.lps import Chunk
from cluster.outputs import OUTPUTS, OutputReader, OutputWriter
from cluster.report.summary import make_summary
from cluster.sync import ORDER_LOG
from cluster.sync.order_log import Chunk as OrderChunk
from cluster.sync.order_log import OrderWriter, header_of
from cluster.sync.scheme import Scheme
from cluster.trace import TraceError, TraceReader
from cluster.trace.format import TRACE
from cluster.trace.store import TraceWriter
from cluster.trace.tails import Tail
from cluster.watched import Frame, Showing
from kernel.process.acct import OUTPUTS as ACCT_OUTPUTS

_DISTRIBUTIONS: Final = ("fork_to_run", "rq_wait", "lateness")  # of CpuStats


# of what a program writes, in memory for the result, where a file has all of it
MOST_KEPT: Final = 1 << 20
STREAMED: Final = (TRACE, OUTPUTS, ORDER_LOG)  # files that grow while a run goes on


class _Kept:
    """What was written to one stream; of more than ``most`` bytes the last ones.

    Args:
        most: None: all of it.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._pieces: deque[bytes] = deque()
        self._size = 0

    def add(self, data: bytes) -> None:
        """Take what comes next."""
        pieces = self._pieces
        pieces.append(data)
        self._size += len(data)
        while self._most is not None and self._size - len(pieces[0]) >= self._most:
            self._size -= len(pieces.popleft())

    def data(self) -> bytes:
        """Return what there is."""
        whole = b"".join(self._pieces)
        return whole if self._most is None else whole[-self._most :]


class Recorder:
    """Collects one run. ``close`` must be called however the run ends."""

    def __init__(self, request: RunRequest) -> None:
        self._request = request
        names = [f"cpu{cpu}" for cpu in range(request.spec.cpus)]
        names.append("kernel")
        self._digest = RunDigest(names)
        self._writer: TraceWriter | None = None
        self._file: OutputWriter | None = None
        self._order: OrderWriter | None = None
        self._outputs: dict[str, _Kept] = {}
        self._sums: dict[str, tuple[int, int]] = {}  # of files: so many bytes have this checksum
        self.showing: Showing | None = None  # to who watches; None: there is no trace to be seen
        self._before = [0] * len(names)  # records of the trace that is gone on with
        self._started = perf_counter()
        self._output_ns = 0
        if request.out_dir is not None:
            with storing(request.out_dir):
                self._open(Path(request.out_dir), names)

    def _open(self, folder: Path, names: list[str]) -> None:
        """Make the files, or open those of a run that is gone on with."""
        resume = self._request.resume
        if resume is not None:
            position = resume.checkpoint.position
            self._sums = {name: (size, crc) for name, (size, crc) in position.items()}
        if self._request.spec.trace:
            self._writer = self._open_trace(folder / TRACE, names)
            self._before = list(self._writer.records)
            self.showing = Showing(folder)
        if resume is None:
            self._file = OutputWriter(folder / OUTPUTS)
            return
        with OutputReader(folder / OUTPUTS, self._sums[OUTPUTS][0]) as before:
            if self._request.on_output is None:
                for piece in before.pieces():
                    self._keep(f"{piece.label}.{piece.stream}", piece.data)
        self._file = OutputWriter(folder / OUTPUTS, after=before)

    def _open_trace(self, path: Path, names: list[str]) -> TraceWriter:
        if self._request.resume is None:
            return TraceWriter(path, names)
        size = self._sums[TRACE][0]
        with TraceReader(path, size) as before:
            for lp, chunk in before.chunks():
                self._digest.update(lp, chunk)
            return TraceWriter(path, names, end=size, index=before.index())

    def position(self) -> dict[str, tuple[int, int]]:
        """Make all files durable as they are; return the length and checksum of each."""
        sizes: dict[str, int] = {}
        with storing(self._request.out_dir):
            if self._writer is not None:
                sizes[TRACE] = self._writer.sync()
            if self._file is not None:
                sizes[OUTPUTS] = self._file.sync()
            if self._order is not None:
                sizes[ORDER_LOG] = self._order.sync()
            for name, size in sizes.items():
                self._sums[name] = self._sum(name, size)
        return {name: self._sums[name] for name in sizes}

    def _sum(self, name: str, size: int) -> tuple[int, int]:
        """Return length and checksum of a file: only what is new of it is read."""
        before, crc = self._sums.get(name, (0, 0))
        if size > before:
            assert self._request.out_dir is not None
            with (Path(self._request.out_dir) / name).open("rb") as file:
                file.seek(before)
                while before < size and (data := file.read(min(size - before, 1 << 20))):
                    crc = zlib.crc32(data, crc)
                    before += len(data)
        return size, crc

    def trace(self, chunks: list[Chunk]) -> None:
        """Take chunks of trace in the order each LP made them."""
        for lp, chunk in chunks:
            self._digest.update(lp, chunk)
            if self._writer is not None:
                with storing(self._request.out_dir):
                    self._writer.append(lp, chunk)

    def show(
        self, virtual_ns: int, counters: dict[str, int], locks: list[Any], tails: list[Tail]
    ) -> None:
        """Tell who watches how things stand, and what the trace does not have yet.

        Args:
            tails: as the LPs number them: from where the run was begun, or gone on with.
        """
        if self.showing is not None:
            placed = [(lp, self._before[lp] + first, chunk) for lp, first, chunk in tails]
            self.showing.write(Frame(virtual_ns, counters, locks, placed))

    def begin_order(self, scheme: Scheme) -> bool:
        """Begin the order log, if the run is to have one; return whether it has."""
        request = self._request
        if not ordered(request, scheme):
            return False
        assert request.out_dir is not None
        path = Path(request.out_dir) / ORDER_LOG
        end = None if request.resume is None else self._sums[ORDER_LOG][0]
        with storing(request.out_dir):
            self._order = OrderWriter(path, header_of(request, scheme), end)
        return True

    def order(self, chunks: list[OrderChunk]) -> None:
        """Take what the kernel served, in the order in which it did."""
        if self._order is not None and chunks:
            with storing(self._request.out_dir):
                self._order.append(chunks)

    def end_order(self, counts: dict[str, Any] | None) -> None:
        """Finish the order log; ``counts`` None: the run broke inside a round."""
        order, self._order = self._order, None
        if order is not None:
            with storing(self._request.out_dir):
                order.close(counts)

    def output(self, outputs: list[tuple[str, bytes]]) -> None:
        """Take what programs wrote, in order."""
        if self._file is not None:
            started = perf_counter_ns()
            with storing(self._request.out_dir):
                for name, data in outputs:
                    if name not in ACCT_OUTPUTS:
                        self._file.append(name, data)
                self._file.flush()
            self._output_ns += perf_counter_ns() - started
        if self._request.on_output is not None:
            if outputs:
                self._request.on_output(outputs)
            return
        for name, data in outputs:
            self._keep(name, data)

    def _keep(self, name: str, data: bytes) -> None:
        """Keep in memory what the result says of outputs."""
        kept = self._outputs.get(name)
        if kept is None:
            elsewhere = self._request.out_dir is not None and name not in ACCT_OUTPUTS
            kept = self._outputs[name] = _Kept(MOST_KEPT if elsewhere else None)
        kept.add(data)

    def _results(self) -> dict[str, bytes]:
        return {name: kept.data() for name, kept in sorted(self._outputs.items())}

    def made_again(self, outputs: list[tuple[str, bytes]]) -> None:
        """Take what no file has of a run that is gone on with: accounting records."""
        for name, data in outputs:
            self._keep(name, data)

    def close(self, *, complete: bool) -> None:
        """Finish the files of trace and outputs."""
        if self.showing is not None:
            self.showing.close()
        try:
            self.end_order(None)
            self._close_outputs()
        finally:
            writer, self._writer = self._writer, None
            if writer is not None:
                with storing(self._request.out_dir):
                    writer.close(complete=complete)

    def abandon(self) -> None:
        """Close the files of a run that cannot write: they end somewhere."""
        with suppress(StorageError):
            self.close(complete=False)

    def _close_outputs(self) -> None:
        if self._file is not None:
            started = perf_counter_ns()
            with storing(self._request.out_dir):
                self._file.close()
            self._output_ns += perf_counter_ns() - started

    def result(
        self,
        exit_kind: str,
        message: str,
        kernel: dict[str, Any],
        cpus: list[dict[str, Any]],
        run: dict[str, Any],
        wall: dict[str, Any],
    ) -> RunResult:
        """Make the result of the run.

        Args:
            exit_kind: one of ``engine_api.EXIT_KINDS``.
            message: what ended it, for people.
            kernel: ``stats``, ``locks``, ``statuses``, ``not_emulated`` of the kernel LP as plain
                data.
            cpus: CpuStats of every CPU, by number, as plain data.
            run: facts about the run that equal runs share (virtual time, supersteps, …).
            wall: host times; they are no part of the digest, nor is which core ran.
        """
        self._close_outputs()
        if self._file is not None:
            wall = {**wall, "output_ns": self._output_ns}
        wall = {
            "total_ns": round((perf_counter() - self._started) * 1e9),
            "core": fast_core.core(),
            **wall,
        }
        summary = make_summary(
            self._request.spec,
            kernel["stats"],
            cpus,
            kernel["locks"],
            run,
            wall,
            kernel["cgroups"],
        )
        digest = self._digest.finish(summary)
        return RunResult(
            exit_kind=exit_kind,
            message=message,
            summary=summary,
            digest=digest,
            statuses=[tuple(row) for row in kernel["statuses"]],
            outputs=self._results(),
            wall=summary["wall"],
            not_emulated=tuple(kernel["not_emulated"]),
            totals={name: _total(name, cpus) for name in _DISTRIBUTIONS},
        )

    def partial(self, exit_kind: str, message: str) -> RunResult:
        """Make the result of a run whose LPs are lost: what was recorded, and no summary."""
        return RunResult(
            exit_kind=exit_kind,
            message=message,
            outputs=self._results(),
        )


def _total(name: str, cpus: list[dict[str, Any]]) -> tuple[int, int]:
    return sum(cpu[name]["count"] for cpu in cpus), sum(cpu[name]["total"] for cpu in cpus)


@contextmanager
def storing(folder: Path | None) -> Iterator[None]:
    """Say of a file that cannot be written that it is the storage's fault."""
    try:
        yield
    except (OSError, TraceError) as error:
        raise StorageError(f"{folder}: {storage_cause(error)}") from error


def storage_cause(error: BaseException) -> str:
    """Return in words why a file cannot be written."""
    if isinstance(error, TraceError) and error.__cause__ is not None:
        error = error.__cause__
    if not isinstance(error, OSError):
        return str(error)
    name = f"{Path(os.fsdecode(error.filename)).name}: " if error.filename else ""
    return f"{name}{error.strerror or error}"


def ordered(request: RunRequest, scheme: Scheme) -> bool:
    """Return whether a run has an order log."""
    wanted = request.record_order or not scheme.deterministic
    return wanted and request.out_dir is not None and request.replay is None


def verdict_kind(verdict: str) -> str:
    """Return the exit kind of a run whose superstep loop ended with ``verdict``."""
    return {
        "done": engine_api.DONE,
        "deadlock": engine_api.DEADLOCK,
        "limit": engine_api.LIMIT,
        "fatal": engine_api.GUEST,
    }[verdict]
