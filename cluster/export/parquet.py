"""A Parquet table, a row for each record: for duckdb, polars, pandas, Spark.

Columns are ``time_ns``, ``cpu``, ``current`` (the task that ran on the CPU), ``event``, and one for
each field that any event has; a record has nulls where its event has no such field. What is empty
in a column takes next to no room. pyarrow writes it (``pip install 'smplab[data]'``).

Deviation: ``value`` of task_change is text, whatever it was.
"""

from typing import Any, BinaryIO, Final

from cluster.arrow import HOW, NoArrow, arrow
from cluster.export.errors import CannotExport
from cluster.export.stream import Records
from kernel.events import EVENTS

_ROWS: Final = 1 << 16  # of a group; what is in memory
_TEXTS: Final = frozenset(
    (
        *("comm", "prev_comm", "next_comm", "parent_comm", "child_comm", "oldcomm", "newcomm"),
        *("filename", "kind", "args", "ret", "field", "value", "program"),
    )
)
_UNSIGNED: Final = frozenset(("address", "sa_handler", "sa_flags", "clone_flags"))
_U64: Final = (1 << 64) - 1
FIELDS: Final = tuple(dict.fromkeys(name for _, fields in EVENTS.values() for name in fields))


def write(records: Records, out: BinaryIO) -> None:
    """Write a trace; see ``cluster.export``."""
    try:
        pa = arrow()
    except NoArrow as missing:
        raise CannotExport(f"parquet needs pyarrow ({missing}): {HOW}") from None
    schema = _schema(pa)
    with pa.parquet.ParquetWriter(
        out,
        schema,
        compression="zstd",
        use_dictionary=["event", *(name for name in FIELDS if name in _TEXTS)],
        column_encoding={"time_ns": "DELTA_BINARY_PACKED"},
    ) as writer:
        table = _Columns()
        for row in records:
            table.add(row)
            if table.rows == _ROWS:
                writer.write_table(table.taken(pa, schema))
        if table.rows:
            writer.write_table(table.taken(pa, schema))


def column(pa: Any, name: str, values: list[Any]) -> Any:
    """Return the values of a field as an array of the field's kind.

    Args:
        pa: pyarrow.
        name: of the field.
        values: as records have them; None where there is none.
    """
    return pa.array(_fit(name, values), _kind(pa, name))


def _kind(pa: Any, name: str) -> Any:
    if name in _TEXTS:
        return pa.string()
    return pa.uint64() if name in _UNSIGNED else pa.int64()


def _schema(pa: Any) -> Any:
    heads = [
        ("time_ns", pa.int64()),
        ("cpu", pa.int32()),
        ("current", pa.int32()),
        ("event", pa.string()),
    ]
    return pa.schema([*heads, *((name, _kind(pa, name)) for name in FIELDS)])


class _Columns:
    """Rows that are not written yet."""

    def __init__(self) -> None:
        self.rows = 0
        self._columns: dict[str, list[Any]] = {}
        self._heads: list[tuple[int, int | None, int, str]] = []
        self._of_event = {event: fields for event, (_, fields) in EVENTS.items()}

    def add(self, record: tuple[int, int, int, int, int, list[Any]]) -> None:
        """Add a record, as ``Records`` has them."""
        time_ns, cpu, pid, event, at, row = record
        self._heads.append((time_ns, cpu if cpu >= 0 else None, pid, EVENTS[event][0]))
        columns = self._columns
        for name, value in zip(self._of_event[event], row[at:]):
            column = columns.get(name)
            if column is None:
                column = columns[name] = [None] * _ROWS
            column[self.rows] = value
        self.rows += 1

    def taken(self, pa: Any, schema: Any) -> Any:
        """Return the rows as a table, and forget them."""
        rows, self.rows = self.rows, 0
        heads, self._heads = self._heads, []
        columns, self._columns = self._columns, {}
        arrays = [
            pa.array(list(part), schema.field(place).type) for place, part in enumerate(zip(*heads))
        ]
        for name in FIELDS:
            if name in columns:
                arrays.append(column(pa, name, columns[name][:rows]))
            else:
                arrays.append(pa.nulls(rows, schema.field(name).type))
        return pa.table(arrays, schema=schema)


def _fit(name: str, values: list[Any]) -> list[Any]:
    """Return values such as their column takes: text that is Unicode, numbers without a sign."""
    if name in _TEXTS:
        return [
            None if value is None else str(value).encode("utf-8", "replace").decode()
            for value in values
        ]
    if name in _UNSIGNED:
        return [None if value is None else value & _U64 for value in values]
    return [None if value is None else int(value) for value in values]  # some are bool
