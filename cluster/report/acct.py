"""BSD accounting records as text, in the order in which the processes ended.

Source: GNU acct's dump-acct(8) and lastcomm(1); the flags' letters are lastcomm's.
"""

from typing import Final, NamedTuple

from kernel.printable import printable
from kernel.uapi.acct import (
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
    "COMMAND",
    "FLAGS",
    "UID",
    "GID",
    "PID",
    "PPID",
    "UTIME",
    "STIME",
    "ETIME",
    "MEM",
    "MINFLT",
    "EXIT",
)


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


def acct_lines(records: list[AcctRecord]) -> list[str]:
    """Return the records as a table, heading first."""
    cells = [list(_HEADINGS)]
    for one in records:
        how = (
            f"signal {one.exitcode & 0x7F}" if one.exitcode & 0x7F else str(one.exitcode >> 8 & 255)
        )
        cells.append(
            [
                printable(one.comm),
                flag_letters(one.flag),
                str(one.uid),
                str(one.gid),
                str(one.pid),
                str(one.ppid),
                f"{one.utime:.2f}",
                f"{one.stime:.2f}",
                f"{one.etime:.2f}",
                str(one.mem),
                str(one.minflt),
                how,
            ]
        )
    widths = [max(len(line[place]) for line in cells) for place in range(len(_HEADINGS))]
    return [
        " ".join(
            cell.ljust(width) if place < 2 or place == len(widths) - 1 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in cells
    ]
