"""How much memory a process has resident, and had at most.

Source: include/linux/mm.h (get_mm_rss, update_hiwater_rss).
"""

from kernel.mm.mm_types import MmStruct


def get_mm_rss(mm: MmStruct) -> int:
    """Return how many pages of ``mm`` are resident; the zero page does not count.

    Source: include/linux/mm.h:get_mm_rss().
    """
    table = mm.pt
    rss = len(table.filled) - table.nr_zero + table.nr_reserved
    if mm.local is not None:
        rss += len(mm.local)
    if mm.text_mapped and mm.layout is not None:
        rss += len(mm.layout.text)
    return rss


def update_hiwater_rss(mm: MmStruct) -> None:
    """Remember how large ``mm`` was, before pages are given back.

    Source: include/linux/mm.h:update_hiwater_rss().
    """
    rss = get_mm_rss(mm)
    if rss > mm.hiwater_rss:
        mm.hiwater_rss = rss


def get_mm_hiwater_rss(mm: MmStruct) -> int:
    """Return the most pages that were ever resident. Source: include/linux/mm.h."""
    fresh = mm.pt.fresh
    # most processes end with just what exec gave them
    rss = get_mm_rss(mm) if fresh is None or mm.local is not None else fresh.resident
    return rss if rss > mm.hiwater_rss else mm.hiwater_rss
