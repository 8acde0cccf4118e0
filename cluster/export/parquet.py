"""A Parquet table, a row for each record: for duckdb, polars, pandas, Spark.

Columns are ``time_ns``, ``cpu``, ``current`` (the task that ran on the CPU), ``event``, and one for
each field that any event has; a record has nulls where its event has no such field. What is empty
in a column takes next to no room. pyarrow writes it (``pip install 'smplab[data]'``).

Deviation: ``value`` of task_change is text, whatever it was.
"""

from typing import Any, BinaryIO, Final

from cluster.arrow import HOW, NoArrow, arrow
from cluster.export.errors import CannotExport
from cluster.export.stream import Records, becomes
from kernel.events import EVENTS, SCHED_PROCESS_EXEC, SCHED_SWITCH

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
        table = _Columns(records)
        for batch in records.batches():
            begin = 0
            while begin < len(batch):
                begin += table.add(batch[begin : begin + _ROWS - table.rows])
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
    kind = _kind(pa, name)
    try:
        return pa.array(values, kind)
    except (TypeError, ValueError, OverflowError):  # a bool, a text with lone surrogates, a sign
        return pa.array(_fit(name, values), kind)


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
    """Rows that are not written yet, those of each event together.

    A column is made of the values of all events that have it, one event after the other, and then
    brought into the order of the rows: nothing is done for single values.
    """

    def __init__(self, records: Records) -> None:
        self.rows = 0
        self._cpu_of = records.cpu_of
        self._current = [0] * records.cpus
        self._begin()

    def _begin(self) -> None:
        self.rows = 0
        self._heads: tuple[list[int], list[int | None], list[int]] = [], [], []
        self._events: list[int] = []
        self._values: dict[int, list[list[Any]]] = {event: [] for event in EVENTS}

    def add(self, rows: list[list[Any]]) -> int:
        """Add records, as ``Records.batches`` has them; return how many."""
        times, cpus, current = self._heads
        cpu_of, running, values = self._cpu_of, self._current, self._values
        for row in rows:
            cpu, at = cpu_of[row[-1]], 2
            if cpu is None:
                cpu, at = row[2], 3
            event = row[1]
            values[event].append(row[at:-1])
            if cpu < 0:
                cpus.append(None)
                current.append(0)
                continue
            if event == SCHED_PROCESS_EXEC:
                becomes(running, cpu, row, at)
            cpus.append(cpu)
            current.append(running[cpu])
            if event == SCHED_SWITCH:
                running[cpu] = row[at + 5]
        times += [row[0] for row in rows]
        self._events += [row[1] for row in rows]
        self.rows += len(rows)
        return len(rows)

    def taken(self, pa: Any, schema: Any) -> Any:
        """Return the rows as a table, and forget them."""
        compute = pa.compute
        events, rows_of_all = pa.array(self._events), pa.array(range(self.rows))
        names = [EVENTS[event][0] for event in self._events]
        heads = [*self._heads, names]
        arrays = [pa.array(values, schema.field(place).type) for place, values in enumerate(heads)]
        parts: dict[str, tuple[list[Any], list[Any]]] = {}  # column -> values, rows that have them
        for event, rows in self._values.items():
            places = compute.indices_nonzero(compute.equal(events, event)).cast("int64")
            for name, values in zip(EVENTS[event][1], zip(*rows)):
                found = parts.setdefault(name, ([], []))
                found[0].extend(values)
                found[1].append(places)
        for name in FIELDS:
            if name in parts:
                told, where = parts[name]
                # of each row the place of its value among those told; null where it has none
                order = compute.index_in(rows_of_all, value_set=pa.concat_arrays(where))
                arrays.append(column(pa, name, told).take(order))
            else:
                arrays.append(pa.nulls(self.rows, schema.field(name).type))
        self._begin()
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
