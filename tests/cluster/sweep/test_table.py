"""The table of all results: columns, types, and the same bytes whoever ran the points."""

import csv
import sys
from pathlib import Path

import pytest

from cluster.sweep.table import columns, csv_bytes, parquet_bytes, typed

pq = pytest.importorskip("pyarrow.parquet")


def test_a_parquet_table_has_a_typed_column_for_each_axis_and_measure(sweep, newest):
    sweep()
    table = pq.read_table(newest() / "results.parquet")
    assert table.schema.names == [
        *("index", "machine.cpus", "sched.fair", "seed", "virtual", "said.done"),
        *("summary.switches.total", "late_max", "error", "digest"),
    ]
    kinds = dict(zip(table.schema.names, map(str, table.schema.types), strict=True))
    assert {kinds[name] for name in ("index", "machine.cpus", "seed", "late_max")} == {"int64"}
    assert kinds["sched.fair"] == "string"
    units = {name: (table.field(name).metadata or {}).get(b"unit") for name in kinds}
    assert (units["virtual"], units["said.done"], units["seed"]) == (b"ns", b"1", None)
    rows = table.to_pylist()
    assert [row["index"] for row in rows] == list(range(8))
    assert [row["machine.cpus"] for row in rows] == [1] * 4 + [2] * 4
    assert {(row["said.done"], row["late_max"], row["error"]) for row in rows} == {(6, None, "")}
    assert all(row["digest"].startswith("sha256:") for row in rows)


def test_the_table_has_the_same_bytes_for_any_number_of_processes(sweep, newest):
    sweep()
    alone = (newest() / "results.parquet").read_bytes()
    sweep("--jobs", "3")
    assert (newest() / "results.parquet").read_bytes() == alone


def test_csv_has_the_same_columns_on_request(sweep, newest):
    sweep("--table", "csv")
    assert not (newest() / "results.parquet").exists()
    with (newest() / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:4] == ["index", "machine.cpus", "sched.fair", "seed"]
    assert (rows[7]["machine.cpus"], rows[7]["seed"], rows[7]["late_max"]) == ("2", "2", "")


def test_without_pyarrow_a_sweep_is_refused_before_it_runs_with_the_command_that_helps(
    sweep, monkeypatch
):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert sweep(code=2).err == (
        "smplab: usage: results.parquet needs pyarrow: pip install 'smplab[data]' "
        "(or --table csv)\n"
    )
    assert not Path("runs").exists()
    sweep("--table", "csv")


@pytest.mark.parametrize(
    ("labels", "values"),
    [
        (["1", "-20"], [1, -20]),
        (["0.5", "2"], [0.5, 2.0]),
        (["true", "false"], [True, False]),
        (["1", "cfs"], ["1", "cfs"]),
        (["10us", "20us"], ["10us", "20us"]),
    ],
)
def test_an_axis_is_of_what_all_its_values_are(labels, values):
    assert typed(labels) == values


def test_names_that_collide_and_numbers_that_are_too_large_do_no_harm():
    results = [
        {"index": 0, "seed": 1, "measures": {"virtual": 1 << 70}, "error": "", "digest": ""},
        {"index": 1, "seed": 1, "measures": {}, "error": "limit: x", "digest": ""},
    ]
    table = columns(["seed", "virtual"], ["virtual"], [["1", "2"], ["1", "3"]], results)
    assert list(table) == [
        *("index", "axis.seed", "axis.virtual", "seed", "virtual", "error", "digest")
    ]
    assert csv_bytes(table).splitlines()[1].endswith(b",1180591620717411303424,,")
    import pyarrow as pa

    found = pq.read_table(pa.BufferReader(parquet_bytes(table, ["virtual"])))
    assert found.column("virtual").to_pylist() == [None, None]
