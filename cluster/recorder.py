"""What every engine does with the results of a run: trace file, digest, outputs, summary.

The engines only drive LPs; here their chunks of trace, the outputs of programs and the counters
become files, which grow while the run goes on, and a ``RunResult``. It is the same code for all
engines, so it cannot make them differ.
"""

from pathlib import Path
from time import perf_counter, perf_counter_ns
from typing import Any, Final

from cluster import engine_api, fast_core
from cluster.digest import RunDigest
from cluster.engine_api import RunRequest, RunResult
from cluster.lps import Chunk
from cluster.outputs import OUTPUTS, OutputWriter
from cluster.report.summary import make_summary
from cluster.sync import ORDER_LOG
from cluster.sync.order_log import Chunk as OrderChunk
from cluster.sync.order_log import OrderWriter, header_of
from cluster.sync.scheme import Scheme
from cluster.trace.store import TraceWriter
from kernel.process.acct import OUTPUTS as ACCT_OUTPUTS

_DISTRIBUTIONS: Final = ("fork_to_run", "rq_wait", "lateness")  # of CpuStats


class Recorder:
    """Collects one run. ``close`` must be called however the run ends."""

    def __init__(self, request: RunRequest) -> None:
        self._request = request
        names = [f"cpu{cpu}" for cpu in range(request.spec.cpus)]
        names.append("kernel")
        self._digest = RunDigest(names)
        self._writer: TraceWriter | None = None
        if request.out_dir is not None and request.spec.trace:
            self._writer = TraceWriter(Path(request.out_dir) / "trace.smpt", names)
        self._file: OutputWriter | None = None
        if request.out_dir is not None:
            self._file = OutputWriter(Path(request.out_dir) / OUTPUTS)
        self._order: OrderWriter | None = None
        self._outputs: dict[str, list[bytes]] = {}
        self._started = perf_counter()
        self._output_ns = 0

    def trace(self, chunks: list[Chunk]) -> None:
        """Take chunks of trace in the order each LP made them."""
        for lp, chunk in chunks:
            self._digest.update(lp, chunk)
            if self._writer is not None:
                self._writer.append(lp, chunk)

    def begin_order(self, scheme: Scheme) -> bool:
        """Begin the order log, if the run is to have one; return whether it has."""
        request = self._request
        wanted = request.record_order or not scheme.deterministic
        if request.out_dir is None or request.replay is not None or not wanted:
            return False
        path = Path(request.out_dir) / ORDER_LOG
        self._order = OrderWriter(path, header_of(request, scheme))
        return True

    def order(self, chunks: list[OrderChunk]) -> None:
        """Take what the kernel served, in the order in which it did."""
        if self._order is not None and chunks:
            self._order.append(chunks)

    def end_order(self, counts: dict[str, Any] | None) -> None:
        """Finish the order log; ``counts`` None: the run broke inside a round."""
        if self._order is not None:
            self._order.close(counts)
            self._order = None

    def output(self, outputs: list[tuple[str, bytes]]) -> None:
        """Take what programs wrote, in order."""
        if self._file is not None:
            started = perf_counter_ns()
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
            self._outputs.setdefault(name, []).append(data)

    def close(self, *, complete: bool) -> None:
        """Finish the files of trace and outputs."""
        try:
            self.end_order(None)
            self._close_outputs()
        finally:
            if self._writer is not None:
                self._writer.close(complete=complete)
                self._writer = None

    def _close_outputs(self) -> None:
        if self._file is not None:
            started = perf_counter_ns()
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
            outputs={name: b"".join(parts) for name, parts in sorted(self._outputs.items())},
            wall=summary["wall"],
            not_emulated=tuple(kernel["not_emulated"]),
            totals={name: _total(name, cpus) for name in _DISTRIBUTIONS},
        )

    def partial(self, exit_kind: str, message: str) -> RunResult:
        """Make the result of a run whose LPs are lost: what was recorded, and no summary."""
        return RunResult(
            exit_kind=exit_kind,
            message=message,
            outputs={name: b"".join(parts) for name, parts in sorted(self._outputs.items())},
        )


def _total(name: str, cpus: list[dict[str, Any]]) -> tuple[int, int]:
    return sum(cpu[name]["count"] for cpu in cpus), sum(cpu[name]["total"] for cpu in cpus)


def verdict_kind(verdict: str) -> str:
    """Return the exit kind of a run whose superstep loop ended with ``verdict``."""
    return {
        "done": engine_api.DONE,
        "deadlock": engine_api.DEADLOCK,
        "limit": engine_api.LIMIT,
        "fatal": engine_api.GUEST,
    }[verdict]
