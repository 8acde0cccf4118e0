"""All points of a sweep as one table: Parquet or CSV, the same bytes for the same results.

Columns: ``index``; one for each axis, of integers, floats, booleans or texts, whatever all its
values are; ``seed``; one of integers for each measure, empty where there was nothing to measure;
``error``; ``digest`` of the run. In Parquet a measure's column says its unit (``ns``, ``1e-6`` or
``1``) in the field's metadata. An axis that has the name of a measure is ``axis.NAME``.
"""

import csv
import io
import re
from collections.abc import Sequence
from typing import Any, Final

from cluster.arrow import arrow
from cluster.config.measures import is_time

PARQUET: Final = "results.parquet"
CSV: Final = "results.csv"
FIXED: Final = ("index", "seed", "error", "digest")
_INT: Final = re.compile(r"-?[0-9]{1,18}\Z", re.ASCII)
_FLOAT: Final = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,15}\Z", re.ASCII)


def columns(
    axes: Sequence[str],
    measures: Sequence[str],
    labels: Sequence[Sequence[str]],
    results: Sequence[dict[str, Any]],
) -> dict[str, list[Any]]:
    """Return the table's columns.

    Args:
        axes: keys.
        measures: what was measured.
        labels: of each point, one for each axis.
        results: of each point, in the same order.
    """
    found: dict[str, list[Any]] = {"index": [result["index"] for result in results]}
    for number, axis in enumerate(axes):
        name = f"axis.{axis}" if axis in measures or axis in FIXED else axis
        found[name] = typed([row[number] for row in labels])
    found["seed"] = [result["seed"] for result in results]
    for measure in measures:
        found[measure] = [result["measures"].get(measure) for result in results]
    found["error"] = [result["error"] for result in results]
    found["digest"] = [result["digest"] for result in results]
    return found


def typed(labels: Sequence[str]) -> list[Any]:
    """Return labels as integers, floats or booleans, if all of them are, else as they are."""
    if all(map(_INT.match, labels)):
        return [int(label) for label in labels]
    if all(_INT.match(label) or _FLOAT.match(label) for label in labels):
        return [float(label) for label in labels]
    if all(label in ("true", "false") for label in labels):
        return [label == "true" for label in labels]
    return list(labels)


def unit_of(measure: str) -> str:
    """Return the unit of a measure."""
    return "ns" if is_time(measure) else "1e-6" if measure == "jain" else "1"


def parquet_bytes(table: dict[str, list[Any]], measures: Sequence[str]) -> bytes:
    """Return the table as Parquet.

    Raises:
        NoArrow: there is no pyarrow.
    """
    pa = arrow()
    fields, arrays = [], []
    for name, values in table.items():
        kind, metadata = _arrow_type(pa, values), None
        if name in measures:
            kind, metadata = pa.int64(), {"unit": unit_of(name)}
        fields.append(pa.field(name, kind, metadata=metadata))
        arrays.append(pa.array([_fitting(value) for value in values], kind))
    buffer = io.BytesIO()
    made = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    pa.parquet.write_table(made, buffer, compression="zstd", row_group_size=1 << 20)
    return buffer.getvalue()


def _arrow_type(pa: Any, values: Sequence[Any]) -> Any:
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds == {float} else pa.string()


def _fitting(value: Any) -> Any:
    """Return a value, None instead of a number that no column has room for."""
    too_large = isinstance(value, int) and not -(1 << 63) <= value < 1 << 63
    return None if too_large else value


def csv_bytes(table: dict[str, list[Any]]) -> bytes:
    """Return the table as CSV with a head; an empty cell has nothing measured."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table)
    for row in zip(*table.values(), strict=True):
        writer.writerow([_cell(value) for value in row])
    return file.getvalue().encode("utf-8")


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value
