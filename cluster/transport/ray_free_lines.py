"""CPUs that run free on Ray, over blocking lines between actors that are all on the driver's host.

The lines are those of ``cluster.transport.ray_shm``: the kernel actor has one to every CPU actor
and one to the driver. A thread of the kernel actor sleeps until any of them has something to say.
Then it takes the reports of all that have, in the order in which the host tells of them, serves
them together, and sends each group that goes on its next go. A group's thread sleeps until it gets
one. Nobody waits for a group that is on its way, and nobody spins.

The driver is told now and then how far the machine has come; it sleeps, too. It ends the run early
by saying so on its line: the groups come to rest where they are, and the kernel says when.

Whoever dies hangs up, which wakes the kernel or the driver.
"""

from collections.abc import Sequence
from contextlib import suppress
from selectors import EVENT_READ, DefaultSelector
from threading import Thread
from time import monotonic
from typing import Any, Final

from cluster.codec import Head, head_of
from cluster.collector import without_collector
from cluster.ray_free_actors import Addressed
from cluster.ray_watch import Actors, Watch
from cluster.transport.ray_shm import connected, lost
from cluster.transport.sockets import HungUp, Line, NoLine, call

_TELL_S: Final = 0.1  # between two heads for the driver
_CALL_S: Final = 10.0  # for everybody to be on the line
_HEAD: Final = b"F"  # to the driver: how far it is
_REST: Final = b"R"  # likewise, and all have come to rest
_LOST: Final = b"L"  # the number of a group that has hung up
_START: Final = b"s"  # from the driver
_HALT: Final = b"h"
_PAUSE: Final = b"p"


class FreeLines:
    """See the module header, and ``cluster.machine_loop.Transport``; a round ends with a head.

    Args:
        actors: a ``FreeKernelActor`` and ``FreeCpuActor``s.
        watch: looks after them.

    Raises:
        NoLine: the actors are not all here, or cannot be reached; nothing is left of the attempt.
    """

    def __init__(self, actors: Actors, watch: Watch) -> None:
        self.verdict = ""
        self.frame: bytes | None = None  # there is no last superstep frame: the kernel sees to that
        self.head: Head = (0, "", 0, 0, 0, 0, 0)
        self.in_round = False
        self.whole = True
        self._rested = False
        self._actors = actors
        self._watch = watch
        self._line = connected(actors, watch, join_free, serve_free)

    def begin(self) -> None:
        """See ``Transport.begin``."""
        self._say(_START)

    def round(self) -> None:
        """See ``Transport.round``: wait for the next head.

        Raises:
            LpFailure: an LP could not go on; all are at rest.
            ActorLost, KeyboardInterrupt, TimeUp: as ``Watch.look`` says; ``in_round`` is then true.
        """
        self.in_round = True
        while True:
            try:
                told = self._line.take()
                break
            except TimeoutError:
                self._watch.look()
            except HungUp as error:
                raise lost(self._actors, self._watch, error, len(self._actors.cpus)) from None
        if told[:1] == _LOST:
            raise lost(self._actors, self._watch, HungUp(), int(told[1:]))
        self.in_round = False
        self._rested = told[:1] == _REST
        self.head = head_of(told[1:])
        self.verdict = self.head[1]

    def pause(self) -> bool:
        """Let all stand where they are, with everything served that they ask for.

        Returns:
            Whether they stand and ``go_on`` lets them go on; else the run has come to its verdict.

        Raises:
            LpFailure, ActorLost, KeyboardInterrupt, TimeUp: as for ``round``.
        """
        if not self._rested:
            self._say(_PAUSE)
        while not self._rested:
            self.round()
        return not self.verdict

    def go_on(self) -> None:
        """Go on after ``pause``."""
        self._rested = False
        self.begin()

    def rest(self) -> None:
        """Let all come to rest where they are: the run is to end from outside.

        Raises:
            LpFailure, ActorLost, KeyboardInterrupt, TimeUp: as for ``round``.
        """
        if not self._rested:
            self._say(_HALT)
        while not self._rested:
            self.round()

    def _say(self, word: bytes) -> None:
        try:
            self._line.send(word)
        except HungUp as error:
            self.in_round = True
            raise lost(self._actors, self._watch, error, len(self._actors.cpus)) from None

    def close(self) -> bool:
        """Hang up; the kernel does so on everybody else. Return whether actors answer calls."""
        self._line.close()
        return True


# -- in the actors --------------------------------------------------------------------------------


def join_free(actor: Any, number: int, path: str, token: bytes) -> str:
    """Let a CPU actor call the kernel, and serve it from then on; return what is in the way."""
    try:
        line = call(path, token, number)
    except NoLine as error:
        return str(error)
    Thread(target=serve_group, args=(actor, line), name="link", daemon=True).start()
    return ""


def serve_group(actor: Any, line: Line) -> None:
    """Answer every go of the kernel's until it hangs up.

    Args:
        actor: a ``FreeCpuActor``.
        line: to the kernel.
    """
    try:
        with suppress(HungUp), without_collector():
            while True:
                line.send(actor.go(line.take()))
    finally:
        line.close()


def serve_free(actor: Any, _number: int) -> str:
    """Let the kernel actor take the calls, and serve them; return what is in the way."""
    try:
        *groups, driver = actor.link.lines(_CALL_S)
    except NoLine as error:
        return str(error)
    Thread(target=serve_all, args=(actor, driver, groups), name="link", daemon=True).start()
    return ""


def serve_all(actor: Any, driver: Line, groups: Sequence[Line]) -> None:
    """Serve reports as they come until all are at rest; hang up when the driver does.

    Args:
        actor: the ``FreeKernelActor``.
        driver: the line to it.
        groups: the lines to the CPU actors, by number.
    """
    try:
        with suppress(HungUp), without_collector():
            while True:
                if driver.take() == _START:  # else it wants all to rest, and they do
                    driver.send(_serve(actor, driver, groups))
    finally:
        for line in (*groups, driver):
            line.close()


def _heed(actor: Any, word: bytes) -> None:
    """Let the kernel actor do what the driver says."""
    if word == _PAUSE:
        actor.pause()
    else:
        actor.halt()


def _serve(actor: Any, driver: Line, groups: Sequence[Line]) -> bytes:
    """Return what is to be said to the driver in the end.

    Raises:
        HungUp: the driver has.
    """
    told_s = monotonic()
    gos, head = actor.first()
    if driver.holds_one():
        _heed(actor, driver.take())  # said at once; the descriptor does not tell of it
    with DefaultSelector() as selector:
        for number, line in enumerate(groups):
            selector.register(line, EVENT_READ, number)
        selector.register(driver, EVENT_READ, -1)
        number = 0
        try:
            while True:
                for number, frame in gos:
                    groups[number].send(frame)
                if actor.resting:
                    return _REST + head  # type: ignore[no-any-return]
                if monotonic() - told_s > _TELL_S and not actor.failed:
                    told_s = monotonic()
                    driver.send(_HEAD + head)
                arrived: list[Addressed] = []
                for key, _ in selector.select():
                    number = key.data
                    if number < 0:
                        _heed(actor, driver.take())
                    else:
                        arrived.append((number, groups[number].take()))
                gos, head = actor.arrived(
                    [number for number, _ in arrived], *[frame for _, frame in arrived]
                )
        except HungUp:
            if number < 0:
                raise
            return _LOST + str(number).encode()
