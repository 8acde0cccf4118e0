"""The Parquet table has every record with every field, and says what is missing where it cannot."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.cli.main import run_command
from cluster.exit_codes import USAGE
from cluster.export import export
from cluster.export.parquet import FIELDS
from cluster.trace import TraceWriter, encode_chunk
from kernel.events import EVENTS, PAGE_FAULT_USER, TASK_RENAME


def table(path: Path) -> list[dict[str, Any]]:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    return parquet.read_table(path).to_pylist()  # type: ignore[no-any-return]


def test_rows_are_the_records(run: Path, tmp_path: Path, exported: Callable[[str], Path]) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    rows = table(exported("parquet"))
    lines = [json.loads(line) for line in exported("jsonl").read_text().splitlines()]
    assert len(rows) == len(lines)
    for row, line in zip(rows, lines):
        if line["event"] == "task_change":
            line["value"] = str(line["value"])
        assert {name: value for name, value in row.items() if value is not None} == line
        assert row.keys() == {"time_ns", "cpu", "current", "event", *FIELDS}


def test_text_that_is_no_unicode_and_addresses_of_64_bits_are_taken(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    with TraceWriter(tmp_path / "t.smpt", ["cpu0", "kernel"]) as writer:
        writer.append(
            1,
            encode_chunk(
                [
                    (1, TASK_RENAME, 0, 3, "a", "b\udc80", 0),
                    (2, PAGE_FAULT_USER, 0, 3, (1 << 64) - 4096, 6, "anon"),
                ]
            ),
        )
    export(tmp_path / "t.smpt", "parquet", tmp_path / "t.parquet")
    first, second = table(tmp_path / "t.parquet")
    assert first["newcomm"] == "b?"
    assert second["address"] == (1 << 64) - 4096


def test_without_pyarrow_the_command_that_installs_it_is_told(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> Any:
        if name.startswith("pyarrow"):
            raise ModuleNotFoundError("No module named 'pyarrow'")
        return original(name)

    original = importlib.import_module
    monkeypatch.setattr(importlib, "import_module", missing)
    assert run_command(["export", str(run), "-f", "parquet", "-o", str(tmp_path / "x")]) == USAGE
    assert capsys.readouterr().err == (
        "smplab: cannot export: parquet needs pyarrow (No module named 'pyarrow'):"
        " pip install 'smplab[data]'\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_every_field_of_every_event_has_a_column_of_one_kind() -> None:
    assert set(FIELDS) == {name for _, fields in EVENTS.values() for name in fields}
