"""Bit masks: of CPUs, of signals, of descriptors; and bits that are mixed.

Source: lib/find_bit.c, include/linux/find.h.
"""

from typing import Final


def find_first_bit(mask: int) -> int:
    """Return the number, from 0, of the lowest bit of ``mask``, which is not 0."""
    return (mask & -mask).bit_length() - 1


def find_next_bit_wrap(mask: int, start: int) -> int:
    """Return the first bit of ``mask``, which is not 0, at or after ``start``, going round."""
    ahead = mask >> start
    if ahead:
        return start + find_first_bit(ahead)
    return find_first_bit(mask)


MASK_64: Final = (1 << 64) - 1
GOLDEN_GAMMA: Final = 0x9E3779B97F4A7C15


def mix64(state: int) -> int:
    """Return the 64 random bits that belong to a state of a splitmix64 generator.

    From one number to the next ``state`` (0 to 2**64 - 1) grows by GOLDEN_GAMMA, modulo 2**64.

    Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014.
    """
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & MASK_64
    state = (state ^ state >> 27) * 0x94D049BB133111EB & MASK_64
    return state ^ state >> 31


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
    """Return the gap that the random number ``n`` (from 0, 64 bits) means, rounded down.

    It is made from integers alone, because a host's floating-point logarithm is its own affair:

        gap = mean * -ln(u) = mean * ln 2 * (64 - log2(n)),  u = n / 2**64,  n uniform in 1 .. 2**64

    log2(n) is the place of n's highest bit and, for the fraction, one bit for each squaring.
    """
    minus_log2 = (64 << _FRACTION_BITS) - log2_fixed(n + 1)
    return mean_ns * minus_log2 * _LN2 >> (64 + _FRACTION_BITS)
