"""Rounds over a way that goes wrong: every question is asked until it is answered.

The engine is in the middle: it asks every CPU actor with the superstep frame, then the kernel actor
with all reports. Packets take the lines of ``faults``, in envelopes (``envelope``) whose rules make
it sure that every turn is made once and that a run has the bytes of any other link. Who carries
packets to actors and back is somebody else's business: ``Carry``.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from cluster.codec import pack
from cluster.transport.envelope import Asking
from cluster.transport.faults import FaultPlan, FaultyLine

_PATIENCE: Final = 6  # rounds without an answer, after which is asked again
_MOST_ASKED: Final = 1000  # times: at the highest rates a few dozen are enough

# takes (actor, packet) in order, returns (actor, packet) that they answer; the kernel is the last
Carry = Callable[[Sequence[tuple[int, bytes]]], list[tuple[int, bytes]]]


class NoAnswer(Exception):
    """An actor was asked very often and no answer came through."""


class CheckedLink:
    """A ``Link`` whose packets go wrong as a plan says.

    Args:
        actors: how many; the last is the kernel's.
        run: number of the run.
        incarnation: of the actors.
        plan: what goes wrong.
        carry: brings packets to actors, and answers back.

    Attributes:
        counts: what went wrong, and what it made necessary.
    """

    def __init__(
        self, actors: int, run: int, incarnation: int, plan: FaultPlan, carry: Carry
    ) -> None:
        self.layers = 1
        self.counts: Counter[str] = Counter()
        self._carry = carry
        self._asking = [Asking(run, incarnation, actor) for actor in range(actors)]
        self._there = [FaultyLine(plan, 2 * actor, self.counts) for actor in range(actors)]
        self._back = [FaultyLine(plan, 2 * actor + 1, self.counts) for actor in range(actors)]

    def round(self, frame: bytes) -> bytes:
        """See ``Link.round``.

        Raises:
            NoAnswer: nothing gets through.
        """
        kernel = len(self._asking) - 1
        for _ in range(self.layers):
            reports = self._ask(dict.fromkeys(range(kernel), frame))
            frames = [reports[actor] for actor in range(kernel)]
            frame = self._ask({kernel: pack(frames)})[kernel]
        return frame

    def close(self) -> bool:
        """See ``Link.close``."""
        return True

    def _ask(self, questions: dict[int, bytes]) -> dict[int, bytes]:
        """Ask actors, and return their answers."""
        open_ones = dict.fromkeys(questions, 0)
        for actor, payload in questions.items():
            self._asking[actor].ask(payload)
        answers: dict[int, bytes] = {}
        waited = 0
        while open_ones:
            going: list[tuple[int, bytes]] = []
            for actor, times in open_ones.items():
                going += [(actor, packet) for packet in self._there[actor].round()]
                if waited % _PATIENCE == 0:
                    if times >= _MOST_ASKED:
                        raise NoAnswer(f"actor {actor} was asked {times} times")
                    self.counts["asked again"] += times > 0
                    open_ones[actor] = times + 1
                    sent = self._there[actor].send(self._asking[actor].packet)
                    going += [(actor, packet) for packet in sent]
            waited += 1
            for actor, packet in self._carry(going):
                for arrived in self._back[actor].send(packet):
                    self._asking[actor].take(arrived)
            for actor in list(open_ones):
                for arrived in self._back[actor].round():
                    self._asking[actor].take(arrived)
                answer = self._asking[actor].answer
                if answer is not None:
                    answers[actor] = answer
                    del open_ones[actor]
        return answers

    def refused(self) -> Counter[str]:
        """Return what this side has thrown away."""
        total: Counter[str] = Counter()
        for asking in self._asking:
            total += asking.counts
        return total
