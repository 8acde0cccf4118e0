"""Bit masks: of CPUs, of signals, of descriptors.

Source: lib/find_bit.c, include/linux/find.h.
"""


def find_first_bit(mask: int) -> int:
    """Return the number, from 0, of the lowest bit of ``mask``, which is not 0."""
    return (mask & -mask).bit_length() - 1


def find_next_bit_wrap(mask: int, start: int) -> int:
    """Return the first bit of ``mask``, which is not 0, at or after ``start``, going round."""
    ahead = mask >> start
    if ahead:
        return start + find_first_bit(ahead)
    return find_first_bit(mask)
