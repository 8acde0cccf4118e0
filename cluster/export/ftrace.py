"""Text in the form of ftrace's ``trace`` file: what ``smplab trace`` prints, in a file.

Perfetto reads it too, but as far as text goes: no process tree, and slowly. Its own format is
better for that.

Deviation: nine decimals instead of six. Records of no CPU come as comments.
"""

from typing import BinaryIO, Final

from cluster.export.stream import Records
from cluster.trace.text import TraceText
from kernel.events import EVENTS, SCHED_PROCESS_EXEC, SCHED_SWITCH, TASK_RENAME

_HEAD: Final = b"# tracer: nop\n#\n#           TASK-PID        CPU#     TIMESTAMP  FUNCTION\n"


def write(records: Records, out: BinaryIO) -> None:
    """Write a trace; see ``cluster.export``."""
    out.write(_HEAD)
    text, cpu_of = TraceText(), records.cpu_of
    for batch in records.batches():
        lines = []
        for row in batch:
            cpu, at = cpu_of[row[-1]], 2
            if cpu is None:
                cpu, at = row[2], 3
            event = row[1]
            name, names = EVENTS[event]
            values = row[at:-1]
            if cpu < 0:
                lines.append(f"#{text.text(row[0], None, name, names, values)}\n")
                continue
            if event == SCHED_PROCESS_EXEC:
                text.execed(cpu, values[2], values[1])
            lines.append(f"{text.text(row[0], cpu, name, names, values)}\n")
            if event == SCHED_SWITCH:
                text.switched(cpu, values[4], values[5])
            elif event == TASK_RENAME:
                text.renamed(values[0], values[2])
        out.write("".join(lines).encode())
