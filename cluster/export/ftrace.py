"""Text in the form of ftrace's ``trace`` file: what ``smplab trace`` prints, in a file.

Perfetto reads it too, but as far as text goes: no process tree, and slowly. Its own format is
better for that.

Deviation: nine decimals instead of six. Records of no CPU come as comments.
"""

from typing import BinaryIO, Final

from cluster.export.stream import Records
from cluster.trace.text import TraceText

_HEAD: Final = b"# tracer: nop\n#\n#           TASK-PID        CPU#     TIMESTAMP  FUNCTION\n"


def write(records: Records, out: BinaryIO) -> None:
    """Write a trace; see ``cluster.export``."""
    text = TraceText()
    out.write(_HEAD)
    for _, record in records.decoded():
        mark = "#" if record.cpu is None else ""
        out.write(f"{mark}{text.line(record)}\n".encode())
        text.follow(record)
