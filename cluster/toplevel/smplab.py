"""``import smplab``: run machines and look at them from Python. See ``cluster.api``."""

from cluster.api import (
    Breakpoint,
    ConfigError,
    EmulatorError,
    Event,
    Machine,
    MissingError,
    Run,
    Task,
    open_run,
    run,
)

__all__ = [
    "Breakpoint",
    "ConfigError",
    "EmulatorError",
    "Event",
    "Machine",
    "MissingError",
    "Run",
    "Task",
    "open_run",
    "run",
]
