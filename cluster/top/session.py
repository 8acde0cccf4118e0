"""Somebody who watches a run: where they stand, how fast they go, what they see.

Time is the host's for ``tick``, and virtual for all else. Knows no terminal.
"""

import time
from collections.abc import Callable
from typing import Final

from cluster.report.units import format_ns
from cluster.top.player import Player
from cluster.top.source import CUT, GOES_ON, Source
from cluster.top.view import Shown, speed_text

TICK_S: Final = 0.25
LEAST_SPEED_NS: Final = 10
_MOST_SPEED_NS: Final = 10**13
_WORK_S: Final = 0.06  # of host time for records, between two looks at keys
_ONCE_S: Final = 1.2  # what happens in so much host time is shown of a run that goes on
_CAUGHT_UP: Final = 0.9  # of the run: less than that behind is not worth a word
_STATES: Final = {GOES_ON: "runs", CUT: "was killed"}


def usual_speed(end_ns: int) -> int:
    """Return a speed at which a run of that length takes about half a minute, in ns a second."""
    wanted = max(LEAST_SPEED_NS, end_ns // 30)
    power = int("1" + "0" * (len(str(wanted)) - 1))
    return max(step * power for step in (1, 2, 5) if step * power <= wanted)


class Session:
    """One who watches.

    Args:
        source: of the records.
        speed_ns: virtual time that goes by in a second; None: the usual one.
        at_ns: where to stand at first, without going on; None: where one would look.
        clock: host seconds, monotonic.

    Attributes:
        follows: stands where a run that goes on is.
        plays: goes on by itself.
        begun: there is something to be seen.
    """

    def __init__(
        self,
        source: Source,
        *,
        speed_ns: int | None = None,
        at_ns: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self.player = Player(source, clock)
        self._speed_ns = speed_ns
        self.follows = source.state == GOES_ON and at_ns is None
        self.plays = not self.follows and at_ns is None
        self.begun = False
        self._at_ns = at_ns
        self._clock = clock
        self._last_s = clock()

    @property
    def speed_ns(self) -> int:
        """Virtual time that goes by in a second."""
        return self._speed_ns or usual_speed(self.source.end_ns)

    # -- as time goes by --------------------------------------------------------------------------

    def tick(self) -> bool:
        """See what has come, and go on; False: ``work`` has more to do at once.

        Raises:
            TraceError: the trace is damaged.
            RunDirError: so is its directory.
            OSError: they cannot be read.
        """
        now_s = self._clock()
        took_s = min(now_s - self._last_s, 1.0)
        self._last_s = now_s
        self.source.grow()
        if not self.begun:
            self._begin()
        elif not self.player.on_way:
            self._go_on(took_s)
        return self.work()

    def work(self) -> bool:
        """Go towards the goal for a moment; return whether it has been reached."""
        return self.player.work(_WORK_S)

    def _begin(self) -> None:
        if self.source.ready:
            self.begun = True
            if self._at_ns is not None:
                self.player.go_to(self._at_ns, self.speed_ns)
            elif self.follows:
                self.player.go_on(None)

    def _go_on(self, took_s: float) -> None:
        if self.follows:
            self.player.go_on(None)
        elif self.plays:
            end_ns = self.source.end_ns
            self.player.go_on(min(end_ns, self.player.now_ns + round(self.speed_ns * took_s)))
            if self.player.now_ns >= end_ns:
                self.plays = False
                self.follows = self.source.state == GOES_ON

    # -- what is wanted ---------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop, or go on."""
        goes_on = self.source.state == GOES_ON
        if self.follows and goes_on:
            self.follows = False
        elif self.player.now_ns < self.source.end_ns:
            self.follows, self.plays = False, not self.plays
        elif goes_on:
            self.follows = True

    def change_speed(self, factor: float) -> None:
        """Go faster or slower."""
        wanted = round(self.speed_ns * factor)
        self._speed_ns = max(LEAST_SPEED_NS, min(wanted, _MOST_SPEED_NS))

    def step(self, seconds: float) -> None:
        """Go so many seconds of watching forwards or backwards."""
        goal_ns = self.player.goal_ns
        now_ns = self.player.now_ns if goal_ns is None else goal_ns
        self.stand_at(now_ns + round(seconds * self.speed_ns))

    def stand_at(self, at_ns: int) -> None:
        """Go to a time; then on as before."""
        self.follows = False
        self.player.go_to(at_ns, self.speed_ns)

    def one_tick(self) -> None:
        """Go a little further, and stop."""
        self.follows = self.plays = False
        self.player.go_on(self.player.now_ns + round(self.speed_ns * TICK_S))

    def end(self) -> None:
        """Go to the end; with a run that goes on, go on."""
        self.plays = False
        if self.source.state == GOES_ON:
            self.follows = True
            self.player.go_on(None)
        else:
            self.stand_at(self.source.end_ns)

    # -- what is shown ----------------------------------------------------------------------------

    def _notes(self) -> list[str]:
        source, player = self.source, self.player
        if not self.begun:
            return ["waiting for the run to tell what it does"]
        notes = [_STATES.get(source.state, source.told or "ended")]
        if source.state != GOES_ON and not source.whole:
            notes.append("its trace ends early")
        if player.on_way and player.now_ns < _CAUGHT_UP * source.end_ns:
            notes.append("catching up")
        if self.follows and source.state == GOES_ON:
            notes.append("live" if source.live else "as far as its trace has come")
            if source.rates is not None:
                virtual_ns, lifecycles = source.rates
                notes.append(f"{format_ns(round(virtual_ns))}/s, {lifecycles:,.0f} lifecycles/s")
        else:
            notes.append(speed_text(self.speed_ns) if self.plays else "stopped")
        return notes

    def shown(self) -> Shown:
        """Return what there is to be shown now."""
        source, player = self.source, self.player
        live = self.follows and source.state == GOES_ON
        before = source.locks_before if live else []
        at = "lately" if before else "so far" if source.state == GOES_ON else "whole run"
        return Shown(
            source.name,
            self._notes(),
            player.machine,
            player.window(),
            max(source.end_ns, player.now_ns),
            source.locks,
            before,
            at,
        )


def once(session: Session, sleep: Callable[[float], None] = time.sleep) -> Shown:
    """Go to where one would look, or wants to, and return what is there.

    Of a run that is over that is its end; of one that goes on, what happens in about a second.
    """
    while not session.begun:
        session.tick()
        if not session.begun:
            sleep(TICK_S)
    if session.plays:
        session.end()
    while not session.work():
        pass
    if session.follows:
        sleep(_ONCE_S)
        while not session.tick():
            pass
        while not session.work():
            pass
    session.plays = False
    return session.shown()
