"""A way for packets that goes wrong as a seed says: for tests of everything that uses one.

What happens to the n-th packet of a line is a function of the plan's seed, the line and n alone, so
a run that fails does so again. Time on a line is counted in *rounds*: whoever waits calls
``round``, and what is delayed arrives some rounds later.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from kernel.bits import GOLDEN_GAMMA, MASK_64, mix64

DROP: Final = "drop"
DUPLICATE: Final = "duplicate"
DELAY: Final = "delay"
REORDER: Final = "reorder"
CORRUPT: Final = "corrupt"
TRUNCATE: Final = "truncate"
KINDS: Final = (DROP, DUPLICATE, DELAY, REORDER, CORRUPT, TRUNCATE)
_LONGEST_DELAY: Final = 4  # rounds


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """How often what goes wrong, in thousandths of the packets. All together at most 1000.

    ``until``: after so many packets of a line nothing goes wrong any more; None: it never ends.
    """

    seed: int
    drop: int = 0
    duplicate: int = 0
    delay: int = 0
    reorder: int = 0
    corrupt: int = 0
    truncate: int = 0
    until: int | None = None

    def __post_init__(self) -> None:
        rates = [getattr(self, kind) for kind in KINDS]
        if min(rates) < 0 or sum(rates) > 1000:
            raise ValueError(f"rates of faults must be from 0 to 1000 together (got {rates})")

    def fault(self, line: int, number: int) -> tuple[str, int]:
        """Return what happens to packet ``number`` (from 0) of a line: "" or a kind, and a number.

        The number says how: which bit, how long.
        """
        if self.until is not None and number >= self.until:
            return "", 0
        state = mix64((self.seed + (line + 1) * GOLDEN_GAMMA) & MASK_64)
        drawn = mix64((state + (number + 1) * GOLDEN_GAMMA) & MASK_64)
        place, how = drawn % 1000, drawn >> 16
        for kind in KINDS:
            rate: int = getattr(self, kind)
            if place < rate:
                return kind, how
            place -= rate
        return "", 0


class FaultyLine:
    """One direction of the way to one actor.

    Args:
        plan: what goes wrong.
        line: its number.
        counts: of faults; may be shared.
    """

    def __init__(self, plan: FaultPlan, line: int, counts: Counter[str]) -> None:
        self._plan = plan
        self._line = line
        self._counts = counts
        self._number = 0
        self._round = 0
        self._held: list[tuple[int, bytes]] = []  # (round it arrives in, packet)
        self._behind: list[bytes] = []  # packets that the next one overtakes

    def send(self, packet: bytes) -> list[bytes]:
        """Send a packet; return what arrives now, in this order."""
        kind, how = self._plan.fault(self._line, self._number)
        self._number += 1
        if kind:
            self._counts[kind] += 1
        overtaken, self._behind = self._behind, []
        if kind == DROP:
            return overtaken
        if kind == DUPLICATE:
            return [packet, *overtaken, packet]
        if kind == DELAY:
            self._held.append((self._round + 1 + how % _LONGEST_DELAY, packet))
            return overtaken
        if kind == REORDER:
            self._behind = [packet]
            return overtaken
        if kind == CORRUPT and packet:
            changed = bytearray(packet)
            changed[how % len(packet)] ^= 1 << (how >> 32) % 8
            packet = bytes(changed)
        elif kind == TRUNCATE:
            packet = packet[: how % max(1, len(packet))]
        return [packet, *overtaken]

    def round(self) -> list[bytes]:
        """Let a round pass; return what has been delayed until now."""
        self._round += 1
        due = [packet for at, packet in self._held if at <= self._round]
        self._held = [entry for entry in self._held if entry[0] > self._round]
        return due
