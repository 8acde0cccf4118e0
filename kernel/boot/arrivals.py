"""When the next instance of a configured program starts: arrival patterns, in integers.

A pattern is a pure function of the instance's number and a seed, so nothing is kept between two
arrivals and a million of them need no list. Poisson gaps are exponentially distributed.
"""

from typing import TYPE_CHECKING

from kernel.bits import exponential_ns, splitmix64

if TYPE_CHECKING:
    from kernel.machine import SpawnSpec


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
