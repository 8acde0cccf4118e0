"""The layout of a trace file, ``trace.smpt``: what writer and reader agree on.

A file is one preamble, then frames, then a footer; all integers are little-endian.

    preamble  magic "SMPT\\r\\n\\x1a\\n", u16 version, u16 0, u32 length, u32 crc, msgpack map
              {"lps": [name, ...], "events": [[number, name, [field, ...]], ...],
               "chunk_records": n}
    frame     44 bytes of head (``FRAME``), then the body
    footer    u64 offset of the trailer frame, magic "SMPTEND\\n"

A CHUNK frame's body is one chunk, compressed with zlib. A chunk is one msgpack value
``[min_ns, max_ns, [[time_ns, event, *fields], ...]]``: up to 4096 records of one logical process in
the order in which it made them. In the stream of a CPU (``cpu3``) a record is as above; elsewhere
it is ``[time_ns, event, cpu, *fields]``, with the CPU on whose behalf it was made (-1: none).

The last frame is the TRAILER: the index of all chunks. Everything needed to read a chunk stands in
front of it, so a file that was cut (a kill, a full disk) is readable up to the last whole chunk;
the trailer only saves the reader a walk over the heads.

Each frame's crc covers its head and its body. Data only: nothing in a file is ever executed.
"""

import struct
from typing import Any, Final

TRACE: Final = "trace.smpt"  # in a run directory
MAGIC: Final = b"SMPT\r\n\x1a\n"
END_MAGIC: Final = b"SMPTEND\n"
VERSION: Final = 1
CHUNK_RECORDS: Final = 4096

# version, zero, length and crc of the msgpack map that follows
PREAMBLE: Final = struct.Struct("<8sHHII")
# kind, lp, zero, seq, records, raw length, body length, min_ns, max_ns; then the crc
FRAME: Final = struct.Struct("<4sHHIIIIqq")
CRC: Final = struct.Struct("<I")
FRAME_BYTES: Final = FRAME.size + CRC.size
FOOTER: Final = struct.Struct("<Q8s")

CHUNK: Final = b"CHNK"
TRAILER: Final = b"TRLR"

# A frame that claims more than this is not ours: refuse it before memory is asked for.
MAX_RAW_BYTES: Final = 256 << 20

# One record as a logical process makes it: (time_ns, event, *fields) or (…, event, cpu, *fields).
Record = tuple[Any, ...]


class TraceError(Exception):
    """A trace file cannot be read, or a run's trace cannot be written. The message says where."""
