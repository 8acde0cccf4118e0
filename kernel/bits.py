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
