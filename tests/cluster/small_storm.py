"""A small fork-exec storm with a trace, for tests of what is done with runs."""

from pathlib import Path
from typing import Any, Final

import smplab

SMALL: Final[dict[str, Any]] = {
    "engine": "local",
    "machine.cpus": 2,
    "workloads.0.params.parents": 2,
    "workloads.0.params.children": 3,
    "trace.enabled": True,
}


def small_storm(folder: Path, **settings: Any) -> smplab.Run:
    """Run it, its directory in a folder; ``settings`` go on top."""
    return smplab.run("fork_exec_storm", settings={**SMALL, **settings}, out=folder)
