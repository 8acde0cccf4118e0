"""A run as one page to look at: ``smplab report RUN``.

The page is one file that needs no network and no server: style, script and data are in it. Numbers
of the trace are in columns (``cluster.page.history``), compressed and in base64; the script
unpacks them and draws timeline, runqueues and tasks on canvases. What needs no script (histograms,
tables, the configuration) is plain HTML, and says in words what it shows.

A page holds what a browser can; a million stays of tasks on CPUs are some ten megabytes.
"""

import json
import sys
import zlib
from array import array
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from itertools import chain
from operator import sub
from pathlib import Path
from typing import Any, Final

import yaml

from cluster.export.stream import Records
from cluster.page.document import document, heading
from cluster.page.drawings import bars, histogram, shown_ns, table
from cluster.page.history import History
from cluster.trace import TraceReader

_HERE: Final = Path(__file__).parent
_LEVEL: Final = 6
_LARGEST: Final = (1 << 32) - 1


def make_page(
    manifest: Mapping[str, Any], summary: Mapping[str, Any] | None, trace: Path | None
) -> str:
    """Return the page of a run.

    Args:
        manifest: of the run.
        summary: likewise, with the digest; None: the run did not get so far.
        trace: its ``trace.smpt``; None: it has none, and the page neither timeline nor tasks.

    Raises:
        TraceError: the trace is damaged.
        OSError: it cannot be read.
    """
    name = str(manifest.get("name", "run"))
    parts = [_head(name, manifest, summary)]
    script = ""
    if trace is not None:
        with TraceReader(trace) as reader:
            records = Records(reader)
            history = History(records)
            cut = not records.complete
        parts.append(_timeline(history, cut))
        parts.append(_waits(history))
        script = _script(history)
    else:
        parts.append("<p>This run has no trace: no timeline (run with trace.enabled: true).</p>")
    if summary is not None:
        parts.append(_counts(summary))
    parts.append(_configuration(manifest))
    return document(name, parts, script=script)


def _head(name: str, manifest: Mapping[str, Any], summary: Mapping[str, Any] | None) -> str:
    ended = str(manifest.get("exit_kind", "")) or "not ended"
    message = str(manifest.get("message", ""))
    lines = [("ended", f"{ended}: {message}" if message else ended)]
    if summary is not None:
        run = summary["run"]
        lines += [
            ("virtual time", shown_ns(run["virtual_ns"])),
            ("lifecycles", f"{summary['lifecycles']['completed']:,}"),
            ("machine", f"{summary['machine']['cpus']} CPUs, scheme {run['scheme']}"),
            ("digest", str(summary["digest"])),
        ]
    lines.append(("begun", str(manifest.get("started", ""))))
    return heading(name, lines)


def _timeline(history: History, cut: bool) -> str:
    stays = sum(len(each.start) for each in history.stays)
    note = " The trace has no end: its run was stopped, or it was cut." if cut else ""
    busy = [
        (f"CPU {cpu}", int(ran), f"{ran / history.end_ns:.1%} busy" if history.end_ns else "idle")
        for cpu, ran in enumerate(sum(each.length) for each in history.stays)
    ]
    longest = sorted(history.tasks, key=lambda task: -task.ran_ns)[:12]
    most = [(f"{task.comm} {task.pid}", task.ran_ns, shown_ns(task.ran_ns)) for task in longest]
    buttons = "".join(
        f'<button id="{name}" type="button">{text}</button> '
        for name, text in (
            ("left", "earlier"),
            ("right", "later"),
            ("in", "zoom in"),
            ("out", "zoom out"),
            ("all", "all"),
        )
    )
    keys = "".join(
        f'<span><i style="background:{colour}"></i>{text}</span>'
        for colour, text in (
            ("#009e73", "running (high bar)"),
            ("#e69f00", "runnable"),
            ("#9db7cc", "sleeping"),
            ("#d55e00", "uninterruptible"),
            ("#cc79a7", "stopped"),
            ("#7f7f7f", "zombie"),
        )
    )
    return (
        f'<section><h2>Who ran where</h2><p class="faint">{stays:,} stays of '
        f"{len(history.tasks):,} tasks on {len(history.stays)} CPUs.{note} Drag or use the arrow "
        "keys to go along, the wheel or + and - to zoom, Home for all.</p>"
        f"<p>{buttons}<span id='span'></span></p>"
        '<p id="readout" aria-live="polite"></p>'
        '<canvas id="lanes" tabindex="0" role="img" aria-label="Timeline: who ran on which CPU. '
        'The tables below say how busy each CPU was and who ran longest."></canvas>'
        "<h2>Tasks that were runnable</h2>"
        '<canvas id="queues" tabindex="0" role="img" aria-label="Number of runnable tasks of all '
        'CPUs over time"></canvas>'
        f'<h2>Tasks</h2><p class="keys">{keys}</p>'
        '<div id="tasks" tabindex="0" role="img" aria-label="Tree of tasks, each with its states '
        'over time"><div id="room"></div><canvas id="rows"></canvas></div>'
        f"<h2>CPUs</h2>{bars(busy)}<h2>Who ran longest</h2>{bars(most)}</section>"
    )


def _waits(history: History) -> str:
    return (
        "<section><h2>Waits</h2>"
        + histogram("From runnable to running", history.waits.rows(), history.waits.largest)
        + histogram(
            "From fork to the child's first turn",
            history.first_runs.rows(),
            history.first_runs.largest,
        )
        + "</section>"
    )


def _counts(summary: Mapping[str, Any]) -> str:
    locks = sorted(summary["locks"], key=lambda lock: (-lock["wait_ns"], -lock["acquisitions"]))
    rows = [
        (
            str(lock["name"]),
            f"{lock['acquisitions']:,}",
            f"{lock['contended']:,}",
            shown_ns(lock["wait_ns"]),
            shown_ns(lock["wait_max_ns"]),
            shown_ns(lock["hold_ns"]),
        )
        for lock in locks
        if lock["acquisitions"]
    ]
    memory = [
        (name.replace("_", " "), count, f"{count:,}") for name, count in summary["memory"].items()
    ]
    peaks = [(name, count, f"{count:,}") for name, count in summary["peaks"].items()]
    head = ("lock", "taken", "contended", "waited", "longest wait", "held")
    return (
        f"<section><h2>Locks</h2>{table(head, rows)}<h2>Pages and faults</h2>{bars(memory)}"
        f"<h2>Most at once</h2>{bars(peaks)}</section>"
    )


def _configuration(manifest: Mapping[str, Any]) -> str:
    text = yaml.safe_dump(manifest.get("config", {}), sort_keys=False, allow_unicode=True)
    return (
        "<section><h2>Configuration</h2><details><summary>as it was understood, with every default"
        f"</summary><pre>{escape(text)}</pre></details></section>"
    )


def _script(history: History) -> str:
    width_ns = max(curve.width_ns for curve in history.queues)
    for curve in history.queues:
        curve.widen(width_ns)
    data = {
        "end_ns": history.end_ns,
        "names": list(history.names),
        "queue_width_ns": width_ns,
        "cpus": [
            {
                "start": _times(stays.start),
                "length": _small(stays.length),
                "task": _column(stays.task),
                "name": _column(stays.name),
                "state": _column(stays.state),
                "queue": _column(array("f", curve.means())),
            }
            for stays, curve in zip(history.stays, history.queues)
        ],
        "woken": {"ns": _times(history.woken_ns), "task": _column(history.woken)},
        "tasks": [
            [task.pid, task.tgid, task.parent, task.comm, task.start_ns, task.end_ns]
            for task in history.tasks
        ],
    }
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    script = (_HERE / "page.js").read_text("utf-8")
    return f'<script type="application/json" id="data">{text}</script>\n<script>{script}</script>\n'


def _times(values: "array[float]") -> list[str]:
    """Return times in order as the distances from one to the next, if these are small enough."""
    distances = array("d", map(sub, values, chain((0.0,), values)))
    if len(distances) and (max(distances) > _LARGEST or min(distances) < 0):
        return _column(values)
    return ["+", _small(distances)[1]]


def _small(values: "array[float]") -> list[str]:
    """Return whole numbers in four bytes each, if they have room there."""
    if len(values) and max(values) > _LARGEST:
        return _column(values)
    return _column(array("I", map(int, values)))


def _column(values: "array[Any]") -> list[str]:
    """Return a kind of numbers and the numbers, as the script unpacks them."""
    if sys.byteorder == "big":
        values = array(values.typecode, values)
        values.byteswap()
    packed = zlib.compress(values.tobytes(), _LEVEL)
    return [values.typecode, b64encode(packed).decode("ascii")]
