"""The record of BSD process accounting, version 3: layout, flags, and its two number formats.

Source: include/uapi/linux/acct.h (struct acct_v3), kernel/acct.c (encode_comp_t, encode_float).
"""

import struct
from typing import Final

AFORK: Final = 0x01  # the leader forked and did not exec
ASU: Final = 0x02  # used privileges
ACORE: Final = 0x08  # ended with a core dump, or would have
AXSIG: Final = 0x10  # killed by a signal

ACCT_VERSION: Final = 3  # little-endian: ACCT_BYTEORDER is 0
AHZ: Final = 100
ACCT_COMM: Final = 16

# flag, version, tty, exitcode, uid, gid, pid, ppid, btime, etime (a float's bits), utime, stime,
# mem, io, rw, minflt, majflt, swaps, comm
ACCT_V3: Final = struct.Struct("<BBHIIIIIIIHHHHHHHH16s")
FIELDS: Final = (
    "flag",
    "version",
    "tty",
    "exitcode",
    "uid",
    "gid",
    "pid",
    "ppid",
    "btime",
    "etime",
    "utime",
    "stime",
    "mem",
    "io",
    "rw",
    "minflt",
    "majflt",
    "swaps",
    "comm",
)

# ours, beside a record: start, elapsed, user and system time in ns, which the record rounds
ACCT_EXACT: Final = struct.Struct("<QQQQ")

_MANTSIZE: Final = 13
_EXPSIZE: Final = 3
_MAXFRACT: Final = (1 << _MANTSIZE) - 1


def encode_comp_t(value: int) -> int:
    """Return ``value`` as a comp_t: 13 bits, and an exponent of base 8 in 3 bits.

    Source: kernel/acct.c:encode_comp_t().
    """
    exponent = rounding = 0
    while value > _MAXFRACT:
        rounding = value & 1 << (_EXPSIZE - 1)
        value >>= _EXPSIZE
        exponent += 1
    if rounding:
        value += 1
        if value > _MAXFRACT:
            value >>= _EXPSIZE
            exponent += 1
    if exponent > 0xFFFF >> _MANTSIZE:
        return 0xFFFF
    return (exponent << _MANTSIZE) + value


def decode_comp_t(value: int) -> int:
    """Return the number that a comp_t stands for."""
    return (value & _MAXFRACT) << _EXPSIZE * (value >> _MANTSIZE)


def encode_float(value: int) -> int:
    """Return ``value`` as the bits of an IEEE float of 32 bits, cut off.

    Source: kernel/acct.c:encode_float().
    """
    if not value:
        return 0
    bits = value.bit_length()
    fraction = value << 24 - bits if bits <= 24 else value >> bits - 24
    return 126 + bits << 23 | fraction & 0x7FFFFF


def decode_float(bits: int) -> int:
    """Return the whole part of the float with these bits."""
    if not bits:
        return 0
    exponent = (bits >> 23) - 150
    fraction = bits & 0x7FFFFF | 0x800000
    return fraction << exponent if exponent >= 0 else fraction >> -exponent
