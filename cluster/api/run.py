"""Runs from Python: make one, open one, and ask what happened."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from cluster.api.configuration import Config, load
from cluster.api.errors import EmulatorError, MissingError, told_plainly
from cluster.api.tasks import Task, Tasks
from cluster.arrow import HOW, NoArrow, arrow
from cluster.cli.common import outcome
from cluster.cli.keeping import abandoned_on_failure, begun, record
from cluster.engine import run_machine
from cluster.export.parquet import column
from cluster.figures.library import HOW as FIGURES_HOW
from cluster.figures.library import NoMatplotlib
from cluster.figures.timeline import run_figure_of
from cluster.report.process_table import ProcessTable
from cluster.request import request_of
from cluster.rundir import RunDir, run_path
from cluster.trace import TraceReader
from kernel.events import EVENTS

_SHOWN = ("completed", "forks", "execs", "exits")  # of the lifecycles


def run(
    config: Config,
    *,
    settings: Mapping[str, Any] | None = None,
    engine: str | None = None,
    out: str | Path | None = None,
) -> "Run":
    """Run a configuration to its end, as ``smplab run`` does, without a word.

    Args:
        config: the name of a shipped configuration, a YAML file, or a mapping of what it holds.
        settings: on top of it: key, as ``machine.cpus``, to value. ``{"trace.enabled": True}``
            gives the run events.
        engine: local or ray; by default what the configuration says.
        out: the folder in which the run gets its directory.

    Raises:
        ConfigError: the configuration cannot be used; says every problem.
        EmulatorError: a program is none, or the directory cannot be made.

    How the run ended is in ``Run.exit_kind``: a deadlock, say, is a result.
    """
    changes = dict(settings or {})
    if engine is not None:
        changes["engine"] = engine
    if out is not None:
        changes["out"] = str(out)
    loaded, spec = load(config, changes)
    request = request_of(loaded, spec)
    expected = loaded.config.expect.exit_status
    with (
        told_plainly(),
        begun(loaded, request, ["smplab.run"]) as directory,
        abandoned_on_failure(directory, spec, request.scheme),
    ):
        result = run_machine(request)
        record(directory, result, *outcome(result, expected, mutated=bool(spec.mutations)))
    return Run(directory)


def open_run(path: str | Path) -> "Run":
    """Return a run that was made before.

    Args:
        path: its directory; ``latest``, the newest of ``runs``.

    Raises:
        EmulatorError: it is no run directory.
    """
    with told_plainly():
        return Run(RunDir.open(run_path(Path(path))))


class Run:
    """A run that has ended, or was cut; all of it is read from its directory when asked for.

    Attributes:
        path: the directory.
        manifest: what ran when, how it ended, and the configuration as it was understood.
    """

    def __init__(self, directory: RunDir) -> None:
        self._directory = directory
        self.path = directory.path
        with told_plainly():
            self.manifest: dict[str, Any] = directory.manifest()

    @property
    def exit_kind(self) -> str:
        """How it ended: ``done``, ``limit``, ``deadlock``, …; "" if nobody noted it."""
        return str(self.manifest.get("exit_kind", ""))

    @property
    def message(self) -> str:
        """What there is to say of it, "" if all is well."""
        return str(self.manifest.get("message", ""))

    @property
    def summary(self) -> dict[str, Any]:
        """Everything that was counted. Raises EmulatorError for a run that did not get so far."""
        with told_plainly():
            found = self._directory.summary()
        found.pop("digest")
        return found

    @property
    def digest(self) -> str:
        """The digest of all it did: the same configuration, seed and version have the same."""
        with told_plainly():
            return str(self._directory.summary()["digest"])

    def output(self, label: str, stream: str = "stdout") -> bytes:
        """Return what a program and its descendants wrote.

        Args:
            label: one of ``labels``.
            stream: stdout or stderr.

        Raises:
            KeyError: no program has this label and wrote something.
        """
        with told_plainly(), self._directory.outputs() as outputs:
            if label not in outputs.labels():
                raise KeyError(label)
            return outputs.read(label, stream)

    @property
    def labels(self) -> list[str]:
        """The labels of the programs that wrote something."""
        with told_plainly(), self._directory.outputs() as outputs:
            return list(outputs.labels())

    def events(
        self,
        *names: str,
        from_ns: int | None = None,
        to_ns: int | None = None,
        pid: int | None = None,
    ) -> Any:
        """Return the records of the trace as a ``pyarrow.Table``, in order of time.

        Columns are ``time_ns``, ``cpu`` (null: booting), ``event``, and one for each field that
        the events named, or those that occur, have.

        Args:
            names: tracepoints; none: all.
            from_ns, to_ns: only of this time, the end not included.
            pid: only records that name this task.

        Raises:
            ValueError: there is no such tracepoint.
            MissingError: the run has no trace, or pyarrow is not installed.
            EmulatorError: the trace is damaged.
        """
        known = {name for name, _ in EVENTS.values()}
        for name in names:
            if name not in known:
                raise ValueError(f"there is no tracepoint {name}")
        try:
            pa = arrow()
        except NoArrow as missing:
            raise MissingError(f"events need pyarrow ({missing}): {HOW}") from None
        rows = self._rows(frozenset(names), from_ns, to_ns, pid)
        return _table(pa, rows, names)

    def _rows(
        self, names: frozenset[str], from_ns: int | None, to_ns: int | None, pid: int | None
    ) -> list[tuple[int, int | None, str, dict[str, Any]]]:
        with told_plainly(), TraceReader(self._trace()) as reader:
            return [
                (record.time_ns, record.cpu, record.event, record.fields)
                for record in reader.select(from_ns=from_ns, to_ns=to_ns)
                if (not names or record.event in names) and (pid is None or record.concerns(pid))
            ]

    def tasks(self, at: int | None = None) -> Tasks:
        """Return all threads there were at a virtual time, by pid; from the trace.

        Args:
            at: in ns; None: at the end.

        Raises:
            MissingError: the run has no trace.
            EmulatorError: the trace is damaged.
        """
        with told_plainly(), TraceReader(self._trace()) as reader:
            to_ns = None if at is None else at + 1
            table = ProcessTable.at(reader.select(to_ns=to_ns), at)
        rows = sorted((row for row in table.tasks.values() if not row.freed), key=_pid_of)
        return Tasks(
            Task(
                row.pid,
                row.tgid,
                table.ppid_of(row),
                row.comm,
                row.state,
                row.cpu,
                row.nice,
                row.pgid,
                row.sid,
                table.ran_ns(row),
            )
            for row in rows
        )

    def plot_timeline(self) -> Any:
        """Return the run as a ``matplotlib.figure.Figure``, which a notebook shows.

        Who ran where, tasks by state, runqueues over virtual time, and how long waits took; it
        is what ``smplab report --format svg`` writes.

        Raises:
            MissingError: the run has no trace, or matplotlib is not installed.
            EmulatorError: the trace is damaged.
        """
        trace = self._trace()
        try:
            with told_plainly():
                name = str(self.manifest.get("name", "run"))
                return run_figure_of(trace, name, self._digest())
        except NoMatplotlib as missing:
            raise MissingError(f"figures need matplotlib ({missing}): {FIGURES_HOW}") from None

    def _digest(self) -> str:
        """Return the digest; "" of a run that did not get so far."""
        try:
            return self.digest
        except EmulatorError:
            return ""

    def _trace(self) -> Path:
        path = self._directory.trace_path
        if not path.is_file():
            raise MissingError(
                f"{self.path} has no trace: run with settings={{'trace.enabled': True}}"
            )
        return path

    def __repr__(self) -> str:
        told = f": {self.message}" if self.message else ""
        return f"<Run {self.path.name} {self.exit_kind}{told}>"

    def _repr_html_(self) -> str:
        lines = [("run", str(self.path)), ("ended", f"{self.exit_kind} {self.message}".strip())]
        try:
            counts = self.summary["lifecycles"]
            lines += [(name, f"{counts[name]:,}") for name in _SHOWN]
            lines.append(("digest", self.digest))
        except EmulatorError:
            pass  # it did not get so far
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in lines
        )
        return f"<table>{rows}</table>"


def _pid_of(row: Any) -> int:
    return int(row.pid)


def _table(pa: Any, rows: list[Any], names: tuple[str, ...]) -> Any:
    """Return records as a table; a record has nulls where its event has no such field."""
    there = names or tuple(dict.fromkeys(event for _, _, event, _ in rows))
    fields_of = dict(EVENTS.values())
    columns: dict[str, Any] = {
        "time_ns": pa.array([row[0] for row in rows], pa.int64()),
        "cpu": pa.array([row[1] for row in rows], pa.int32()),
        "event": pa.array([row[2] for row in rows], pa.string()).dictionary_encode(),
    }
    for field in dict.fromkeys(field for name in there for field in fields_of[name]):
        columns[field] = column(pa, field, [row[3].get(field) for row in rows])
    return pa.table(columns)
