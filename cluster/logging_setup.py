"""Logging, set up the same way in the command line and inside every actor.

Events go to stderr, one line each, for people (``console``) or for programs (``json``). Host time
is ``timestamp``; virtual time is an event's own ``sim_ns``. The run's id, and the CPU where there
is one, are bound in context variables and so are in every line of that process.

The configuration of one process does not reach another one's: an actor calls ``setup_logging``
itself, first thing, and keeps its lines (``HeldLines``) for the engine, which logs them with the
actor's name (``relay``). The kernel and the guests never log.
"""

import json
import logging
import sys
from collections.abc import Iterable
from typing import Any, Final, TextIO, cast

import structlog

FORMATS: Final = ("console", "json")
LEVELS: Final = ("debug", "info", "warning", "error")
_MOST_LINES: Final = 1000  # that are kept of an actor's


def setup_logging(
    format: str = "console",
    run_id: str = "",
    *,
    cpu: int | None = None,
    level: str = "info",
    stream: "TextIO | HeldLines | None" = None,
) -> None:
    """Configure structlog in this process; may be called again.

    Args:
        format: console or json.
        run_id: bound to every line, unless empty.
        cpu: bound to every line, unless None.
        level: the least level that is shown: debug, info, warning or error.
        stream: where lines go; stderr if None.

    Raises:
        ValueError: an unknown format or level.
    """
    if format not in FORMATS:
        raise ValueError(f"unknown log format {format!r} (there is: {', '.join(FORMATS)})")
    if level not in LEVELS:
        raise ValueError(f"unknown log level {level!r} (there is: {', '.join(LEVELS)})")
    target = sys.stderr if stream is None else stream
    renderer: Any
    if format == "json":
        renderer = structlog.processors.JSONRenderer(sort_keys=True, default=str)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=target.isatty(),
            pad_event_to=0,
            exception_formatter=structlog.dev.plain_traceback,
        )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if format == "json" else _keep,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        # sys.stderr is looked up at each line: tests and embedders replace it
        logger_factory=lambda *_: structlog.WriteLogger(cast(TextIO, stream or sys.stderr)),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    if run_id:
        structlog.contextvars.bind_contextvars(run_id=run_id)
    if cpu is not None:
        structlog.contextvars.bind_contextvars(cpu=cpu)


class HeldLines:
    """A stream for ``setup_logging``: lines go to stderr, and are kept until they are taken."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def write(self, line: str) -> None:
        """Keep a line; of too many the first."""
        sys.stderr.write(line)
        if len(self._lines) < _MOST_LINES:
            self._lines.append(line)

    def flush(self) -> None:
        """Let what went to stderr be seen."""
        sys.stderr.flush()

    def isatty(self) -> bool:
        """Nobody looks at this."""
        return False

    def take(self) -> list[str]:
        """Return the lines since the last call."""
        lines, self._lines = self._lines, []
        return lines


def relay(actor: str, lines: Iterable[str]) -> None:
    """Log in this process what an actor has logged, in json."""
    for line in lines:
        fields = json.loads(line)
        level, event = fields.pop("level"), fields.pop("event")
        for name in ("timestamp", "run_id"):  # this process has its own
            fields.pop(name, None)
        getattr(get_logger(), level)(event, actor=actor, **fields)


def get_logger() -> Any:
    """Return a logger: ``log.info("superstep", sim_ns=now_ns, requests=12)``.

    Where nobody called ``setup_logging`` (the engines used as a library), warnings and errors go
    to stderr and nothing else does.
    """
    if not structlog.is_configured():
        setup_logging(level="warning")
    return structlog.get_logger()


def _keep(_logger: Any, _name: str, event: Any) -> Any:
    return event
