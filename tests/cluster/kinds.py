"""The kinds of core: a process of each, which makes as many runs as a test asks of it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cluster import fast_core
from cluster.core import forms
from kernel.drive.forms import QUICK as QUICK_FORMS

ROOT = Path(__file__).resolve().parents[2]
#: SMPLAB_CORE and SMPLAB_FORMS: paths as they are written, their quick forms, the latter compiled
WRITTEN, QUICK, COMPILED = KINDS = (("pure", "off"), ("pure", "on"), ("compiled", "on"))


def start(kind: tuple[str, str], *arguments: str) -> subprocess.Popen[str]:
    """Start Python in a process of one of KINDS."""
    core, form = kind
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            fast_core.VARIABLE: core,
            forms.VARIABLE: form,
        },
    )


@contextmanager
def paths_as_written() -> Iterator[None]:
    """Take the quick forms of paths away from the drivers of this process, for a while."""
    saved = dict(QUICK_FORMS)
    assert saved, "there are none"
    QUICK_FORMS.clear()
    try:
        yield
    finally:
        QUICK_FORMS.update(saved)


class Outcomes:
    """Asks ``core_outcomes.py``, in a process of its own, what runs give."""

    def __init__(self, kind: tuple[str, str]) -> None:
        self._process = start(kind, str(Path(__file__).with_name("core_outcomes.py")))
        self.core = self._read()

    def of(self, *arguments: Any) -> Any:
        """Return the outcome of a program on a machine, or of a configuration."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return json.loads(self._read())

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the process ended with {self._process.wait()}"
        return line.rstrip("\n")

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
