"""Whether a run that loses actors again and again gets anywhere.

A run that is recovered goes the same way again. If what kills it is on that way (memory that a
superstep needs and the host has not, a bug of the interpreter), it is killed there every time, and
each recovery only costs time. So a run that was lost three times without having got further in
between is given up, however many recoveries are left; before the third try it waits a while, for
what was only a bad moment of the host.
"""

from typing import Final

_MOST: Final = 3  # losses in a row without getting further
_PAUSE_S: Final = 1.0  # doubled with each


class CrashLoop:
    """Counts the losses of one run.

    Attributes:
        pause_s: how long to wait before the next try.
    """

    def __init__(self) -> None:
        self.pause_s = 0.0
        self._furthest = -1
        self._times = 0

    def lost(self, superstep: int) -> str:
        """Note that a run was lost; return why there is no use in another try, or "".

        Args:
            superstep: the last one that it is known to have made.
        """
        if superstep > self._furthest:
            self._furthest, self._times = superstep, 0
        self._times += 1
        self.pause_s = _PAUSE_S * 2 ** (self._times - 2) if self._times > 1 else 0.0
        if self._times < _MOST:
            return ""
        return f"; it got no further than superstep {self._furthest}, {self._times} times in a row"
