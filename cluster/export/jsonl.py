"""A line of JSON for each record: time, CPU, the task that ran there, event, and its fields.

    {"time_ns": 803578, "cpu": 0, "current": 0, "event": "sched_switch", "prev_comm": …}

``cpu`` is null for what was done on behalf of no CPU. Text that is no Unicode has lone surrogates
(``\\udc80``), as in Python.
"""

import json
from typing import BinaryIO

from cluster.export.stream import Records


def write(records: Records, out: BinaryIO) -> None:
    """Write a trace; see ``cluster.export``."""
    encode = json.JSONEncoder().encode
    for current, record in records.decoded():
        line = {
            "time_ns": record.time_ns,
            "cpu": record.cpu,
            "current": current,
            "event": record.event,
            **record.fields,
        }
        out.write(encode(line).encode("ascii") + b"\n")
