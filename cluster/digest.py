"""The digest of a run: one hash that two runs share exactly if they did the same.

It covers every trace record and the summary without ``wall`` (host times) and ``digest`` (itself).
Records enter as the uncompressed chunks of each logical process, so neither the version of zlib
nor the order in which chunks of different processes reach the file matters.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cluster.trace.reader import TraceReader

NOT_DIGESTED: Final = ("wall", "digest")
_PREFIX: Final = "sha256:"
_SHORT_HEX: Final = 16


def canonical_json(data: Any) -> bytes:
    """Return ``data`` as JSON of which there is only one form: sorted keys, no spaces, ASCII.

    Raises:
        TypeError: a float, a key that is no string, or what JSON has no form for; the message
            names the place.
    """
    _check_plain(data, "")
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode("ascii")


def _check_plain(data: Any, where: str) -> None:
    if data is None or isinstance(data, (bool, int, str)):
        return
    if isinstance(data, Mapping):
        for key, value in data.items():
            if not isinstance(key, str):
                raise TypeError(f"{where or 'top'}: key {key!r} is no string")
            _check_plain(value, f"{where}.{key}" if where else key)
    elif isinstance(data, (list, tuple)):
        for number, value in enumerate(data):
            _check_plain(value, f"{where}[{number}]")
    else:
        raise TypeError(f"{where or 'top'}: {type(data).__name__} {data!r} has no canonical form")


def digested_part(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``summary`` without the keys that equal runs need not share."""
    return {key: value for key, value in summary.items() if key not in NOT_DIGESTED}


def short_digest(digest: str) -> str:
    """Return the form for people: ``sha256:`` and the first 16 hexadecimal digits."""
    return digest[: len(_PREFIX) + _SHORT_HEX]


def lp_names(cpus: int) -> list[str]:
    """Return the names of the logical processes of a machine with ``cpus`` CPUs, by number."""
    return [*(f"cpu{cpu}" for cpu in range(cpus)), "kernel"]


def digest_of_files(trace: Path | None, summary: Mapping[str, Any]) -> str:
    """Return the digest that a run with these files has, computed from them.

    Args:
        trace: the trace file; None for a run that was not traced.
        summary: as read from ``summary.json``.

    Raises:
        TraceError: the trace is damaged.
    """
    if trace is None:
        return RunDigest(lp_names(summary["machine"]["cpus"])).finish(summary)
    with TraceReader(trace) as reader:
        digest = RunDigest(reader.lps)
        for lp, chunk in reader.chunks():
            digest.update(lp, chunk)
    return digest.finish(summary)


class RunDigest:
    """Takes chunks as they come and keeps 32 bytes of state for each logical process."""

    def __init__(self, lps: Sequence[str]) -> None:
        """Start a digest over the logical processes named ``lps``, in this order."""
        self._lps = tuple(lps)
        self._hashes = [hashlib.sha256() for _ in lps]

    def update(self, lp_id: int, chunk: bytes) -> None:
        """Add the next chunk of logical process ``lp_id``, as ``encode_chunk`` made it."""
        self._hashes[lp_id].update(chunk)

    def copy(self) -> "RunDigest":
        """Return an independent digest in the same state (for a checkpoint)."""
        other = RunDigest(())
        other._lps = self._lps
        other._hashes = [one.copy() for one in self._hashes]
        return other

    def state(self) -> bytes:
        """Return a hash of all chunks so far: whether two digests stand at the same place."""
        return hashlib.sha256(b"".join(one.digest() for one in self._hashes)).digest()

    def finish(self, summary: Mapping[str, Any]) -> str:
        """Return ``sha256:<64 hexadecimal digits>`` over all chunks so far and ``summary``.

        Raises:
            TypeError: the summary has a float or no canonical form otherwise, outside ``wall``.
        """
        whole = {
            "trace": [[name, one.hexdigest()] for name, one in zip(self._lps, self._hashes)],
            "summary": digested_part(summary),
        }
        return _PREFIX + hashlib.sha256(canonical_json(whole)).hexdigest()
