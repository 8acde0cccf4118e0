"""Traces of runs: written as compact chunks, read back as Linux's tracepoints."""

from cluster.trace.format import CHUNK_RECORDS, TraceError
from cluster.trace.reader import TraceReader, TraceRecord
from cluster.trace.store import TraceWriter, drain_chunks, encode_chunk

__all__ = [
    "CHUNK_RECORDS",
    "TraceError",
    "TraceReader",
    "TraceRecord",
    "TraceWriter",
    "drain_chunks",
    "encode_chunk",
]
