"""When the next instance of a configured program starts: arrival patterns, in integers.

A pattern is a pure function of the instance's number and a seed, so nothing is kept between two
arrivals and a million of them need no list. Poisson gaps are exponentially distributed; they are
made from integers alone, because a host's floating-point logarithm is its own affair:

    gap = mean * -ln(u) = mean * ln 2 * (64 - log2(n)),  u = n / 2**64,  n uniform in 1 .. 2**64

log2(n) is the place of n's highest bit and, for the fraction, one bit for each squaring.
"""

from typing import TYPE_CHECKING, Final

from kernel.bits import GOLDEN_GAMMA, MASK_64, mix64

if TYPE_CHECKING:
    from kernel.machine import SpawnSpec

_LN2: Final = 0xB17217F7D1CF79AC  # ln 2 * 2**64, cut off
_FRACTION_BITS: Final = 32


def splitmix64(seed: int, place: int) -> int:
    """Return number ``place`` (from 0) of the 64-bit random sequence that ``seed`` begins."""
    return mix64((seed + (place + 1) * GOLDEN_GAMMA) & MASK_64)


def log2_fixed(n: int) -> int:
    """Return log2(n) * 2**32, rounded down but for the last bits; n from 1 to 2**64."""
    whole = n.bit_length() - 1
    mantissa = n << (63 - whole) if whole <= 63 else n >> (whole - 63)  # in [1, 2) * 2**63
    fraction = 0
    for _ in range(_FRACTION_BITS):
        mantissa = mantissa * mantissa >> 63
        fraction <<= 1
        if mantissa >> 64:
            mantissa >>= 1
            fraction |= 1
    return (whole << _FRACTION_BITS) | fraction


def exponential_ns(mean_ns: int, n: int) -> int:
    """Return the gap that the random number ``n`` (from 0, 64 bits) means, rounded down."""
    minus_log2 = (64 << _FRACTION_BITS) - log2_fixed(n + 1)
    return mean_ns * minus_log2 * _LN2 >> (64 + _FRACTION_BITS)


def gap_ns(spawn: "SpawnSpec", index: int, seed: int) -> int:
    """Return the time from the start of instance ``index`` (from 0) to that of the next one.

    Args:
        spawn: ``arrivals`` names the pattern: ``uniform``, one every ``every_ns``; ``burst``,
            ``burst`` at once, every ``every_ns``; ``poisson``, independent of each other,
            ``every_ns`` apart on average.
        seed: of this spawn; only ``poisson`` uses it.
    """
    if spawn.arrivals == "poisson":
        return exponential_ns(spawn.every_ns, splitmix64(seed, index))
    if spawn.arrivals == "burst" and (index + 1) % spawn.burst:
        return 0
    return spawn.every_ns
