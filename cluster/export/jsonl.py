"""A line of JSON for each record: time, CPU, the task that ran there, event, and its fields.

    {"time_ns": 803578, "cpu": 0, "current": 0, "event": "sched_switch", "prev_comm": …}

``cpu`` is null for what was done on behalf of no CPU. Text that is no Unicode has lone surrogates
(``\\udc80``), as in Python.
"""

from functools import lru_cache
from json import dumps
from typing import Any, BinaryIO, Final

from cluster.export.stream import Records, becomes
from kernel.events import EVENTS, SCHED_PROCESS_EXEC, SCHED_SWITCH

_MOST_KEPT: Final = 1 << 16
_encoded: Final = lru_cache(_MOST_KEPT, typed=True)(dumps)  # names come again and again


def _template(name: str, fields: tuple[str, ...]) -> str:
    values = "".join(f", {dumps(field)}: %s" for field in fields)
    return f'{{"time_ns": %d, "cpu": %s, "current": %d, "event": {dumps(name)}{values}}}\n'


def write(records: Records, out: BinaryIO) -> None:
    """Write a trace; see ``cluster.export``."""
    templates = {event: _template(*described) for event, described in EVENTS.items()}
    cpu_of, current = records.cpu_of, [0] * records.cpus
    for batch in records.batches():
        lines = []
        for row in batch:
            cpu, at = cpu_of[row[-1]], 2
            if cpu is None:
                cpu, at = row[2], 3
            event = row[1]
            values: list[Any] = [one if type(one) is int else _encoded(one) for one in row[at:-1]]
            template = templates[event]
            if cpu < 0:
                lines.append(template % (row[0], "null", 0, *values))
                continue
            if event == SCHED_PROCESS_EXEC:
                becomes(current, cpu, row, at)
            lines.append(template % (row[0], cpu, current[cpu], *values))
            if event == SCHED_SWITCH:
                current[cpu] = row[at + 5]
        out.write("".join(lines).encode("ascii"))
