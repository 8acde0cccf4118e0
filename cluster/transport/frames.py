"""Rounds of a machine whose parts live in several processes: frames travel over a *link*.

A link carries a superstep frame (``cluster.codec``) to the groups of CPUs, their reports to the
kernel, and the kernel's next frame back, one or several times.
"""

from collections.abc import Callable
from typing import Protocol

from cluster.codec import Head, head_of
from cluster.pieces import is_whole


class Link(Protocol):
    """One way for frames to travel."""

    layers: int  # supersteps of one round

    def round(self, frame: bytes) -> bytes:
        """Run ``layers`` supersteps from ``frame`` on; return the last superstep frame.

        Raises:
            ActorLost: an actor died.
            KeyboardInterrupt, TimeUp: as ``Watch.look`` says.
        """
        ...

    def close(self) -> bool:
        """Free what the link holds; return whether the actors still answer calls."""
        ...


class FrameTransport:
    """Rounds over a link.

    Args:
        link: carries frames.
        first: asks the kernel for the first superstep frame.
    """

    def __init__(self, link: Link, first: Callable[[], bytes]) -> None:
        self.verdict = ""
        self.frame = b""  # the last one
        self.head: Head = (0, "", 0, 0, 0, 0, 0)
        self.in_round = False  # the LPs may stand at different supersteps
        self.link = link
        self._first = first

    def begin(self) -> None:
        """See ``Transport.begin``."""
        self.frame = self._first()
        self.head = head_of(self.frame)
        self.verdict = self.head[1]

    def round(self) -> None:
        """See ``Transport.round``.

        Raises:
            LpFailure: an LP could not go on.
            ActorLost, KeyboardInterrupt, TimeUp: see ``Link.round``; ``in_round`` is then true.
        """
        self.in_round = True
        frame = self.link.round(self.frame)
        self.in_round = False
        self.head = head_of(frame)
        self.frame = frame
        self.verdict = self.head[1]

    def pause(self) -> bool:
        """Return whether all LPs stand, as they do between two rounds if the frame is whole."""
        return self.whole

    def go_on(self) -> None:
        """Go on after ``pause``: the next round does."""

    @property
    def whole(self) -> bool:
        """Whether the last frame is whole, so that all LPs stand at the same superstep."""
        return is_whole(self.frame)

    def close(self) -> bool:
        """See ``Link.close``; a link with a round under way is left alone."""
        return self.in_round or self.link.close()
