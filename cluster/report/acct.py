"""BSD accounting records as text, in the order in which the processes ended.

Source: GNU acct's dump-acct(8) and lastcomm(1); the flags' letters are lastcomm's.
"""

from typing import Final, NamedTuple

from kernel.trace.printable import printable
from kernel.uapi.acct import (
    ACCT_EXACT,
    ACCT_V3,
    ACCT_VERSION,
    ACORE,
    AFORK,
    AHZ,
    ASU,
    AXSIG,
    FIELDS,
    decode_comp_t,
    decode_float,
)

_FLAGS: Final = ((ASU, "S"), (AFORK, "F"), (ACORE, "D"), (AXSIG, "X"))
_HEADINGS: Final = (
    *("COMMAND", "FLAGS", "UID", "GID", "PID", "PPID", "UTIME", "STIME", "ETIME", "MEM"),
    *("MINFLT", "EXIT"),
)
_PRECISE: Final = (
    *("COMMAND", "PID", "PPID", "UTIME", "UTIME_NS", "STIME", "STIME_NS", "ETIME", "ETIME_NS"),
    "EXIT",
)
_LEFT: Final = ("COMMAND", "FLAGS", "EXIT")


class AcctError(ValueError):
    """A file holds no accounting records."""


class AcctRecord(NamedTuple):
    """One process. Times are in s, ``mem`` in KiB, ``exitcode`` is a wait status."""

    comm: str
    flag: int
    uid: int
    gid: int
    pid: int
    ppid: int
    utime: float
    stime: float
    etime: float
    mem: int
    minflt: int
    exitcode: int
    btime: int


def read_acct(data: bytes) -> list[AcctRecord]:
    """Return the records in ``data``.

    Raises:
        AcctError: it is not made of records of version 3.
    """
    if len(data) % ACCT_V3.size:
        raise AcctError(f"{len(data)} bytes are no whole number of records of {ACCT_V3.size}")
    records = []
    for number, values in enumerate(ACCT_V3.iter_unpack(data)):
        row = dict(zip(FIELDS, values))
        if row["version"] != ACCT_VERSION:
            raise AcctError(f"record {number} is of version {row['version']}, not {ACCT_VERSION}")
        records.append(
            AcctRecord(
                comm=row["comm"].split(b"\0", 1)[0].decode("utf-8", "surrogateescape"),
                flag=row["flag"],
                uid=row["uid"],
                gid=row["gid"],
                pid=row["pid"],
                ppid=row["ppid"],
                utime=decode_comp_t(row["utime"]) / AHZ,
                stime=decode_comp_t(row["stime"]) / AHZ,
                etime=decode_float(row["etime"]) / AHZ,
                mem=decode_comp_t(row["mem"]),
                minflt=decode_comp_t(row["minflt"]),
                exitcode=row["exitcode"],
                btime=row["btime"],
            )
        )
    return records


def flag_letters(flag: int) -> str:
    """Return the flags as lastcomm writes them: S F D X."""
    return "".join(letter if flag & bit else "-" for bit, letter in _FLAGS)


class ExactTimes(NamedTuple):
    """What a record had to round, in ns of virtual time."""

    start_ns: int
    etime_ns: int
    utime_ns: int
    stime_ns: int


def read_exact(data: bytes, records: int) -> list[ExactTimes]:
    """Return the exact times that go with as many records.

    Raises:
        AcctError: there are not as many.
    """
    if len(data) != records * ACCT_EXACT.size:
        raise AcctError(f"{len(data)} bytes are not the exact times of {records} records")
    return [ExactTimes(*values) for values in ACCT_EXACT.iter_unpack(data)]


def acct_lines(records: list[AcctRecord], exact: list[ExactTimes] | None = None) -> list[str]:
    """Return the records as a table, heading first.

    Args:
        records: in order.
        exact: their exact times, which then stand beside those of the records, in ns; the columns
            FLAGS, UID, GID, MEM and MINFLT make room for them.
    """
    headings = _HEADINGS if exact is None else _PRECISE
    cells = [list(headings)]
    for place, one in enumerate(records):
        values = _cells(one)
        if exact is not None:
            times = exact[place]
            values["UTIME_NS"] = str(times.utime_ns)
            values["STIME_NS"] = str(times.stime_ns)
            values["ETIME_NS"] = str(times.etime_ns)
        cells.append([values[heading] for heading in headings])
    widths = [max(len(line[place]) for line in cells) for place in range(len(headings))]
    return [
        " ".join(
            cell.ljust(width) if heading in _LEFT else cell.rjust(width)
            for heading, cell, width in zip(headings, line, widths)
        ).rstrip()
        for line in cells
    ]


def _cells(one: AcctRecord) -> dict[str, str]:
    """Return the text of every column of a record."""
    how = f"signal {one.exitcode & 0x7F}" if one.exitcode & 0x7F else str(one.exitcode >> 8 & 255)
    return {
        "COMMAND": printable(one.comm),
        "FLAGS": flag_letters(one.flag),
        "UID": str(one.uid),
        "GID": str(one.gid),
        "PID": str(one.pid),
        "PPID": str(one.ppid),
        "UTIME": f"{one.utime:.2f}",
        "STIME": f"{one.stime:.2f}",
        "ETIME": f"{one.etime:.2f}",
        "MEM": str(one.mem),
        "MINFLT": str(one.minflt),
        "EXIT": how,
    }
