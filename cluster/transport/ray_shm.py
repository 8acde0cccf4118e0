"""Rounds over blocking lines between actors that are all on the driver's host.

Ray places the actors, watches them and ends them; their frames take Unix sockets
(``cluster.transport.sockets``). The kernel actor is the hub: it has a line to every CPU actor and
one to the driver. A superstep is one message to each CPU actor and one back. The driver is not part
of it: it says how many turns to make, sleeps, and gets the last frame when there is a verdict or
something to tell, at the latest after ``_SLICE_S``. So it costs next to nothing however short the
supersteps are, and nobody ever spins.

In each actor a thread of its own serves the line. Between two rounds all of them sleep, so Ray's
calls (``fetch``, ``finish``) find the actors as they do with every other link; and what an actor
has said last is kept in it, so the kernel goes on from there.

Whoever dies hangs up. The kernel tells the driver which group has; if it has itself, the driver
sees that. One that is stopped by a signal is waited for (``ray_watch``).
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import repeat
from threading import Thread
from time import monotonic
from typing import Any, Final

from cluster.codec import split
from cluster.collector import without_collector
from cluster.ray_watch import LOOK_S, ActorLost, Actors, Watch
from cluster.transport.sockets import Hub, HungUp, Line, NoLine, call, new_token, private_path

_SLICE_S: Final = 0.02  # of turns, after which the driver may look
_MOST_TURNS: Final = 1 << 20
_CALL_S: Final = 10.0  # for everybody to be on the line: all have called before they are counted
_FEW_GROUPS: Final = 8  # that get the whole frame; of more, each gets its own part
_FRAME: Final = b"F"  # to the driver: the last frame
_LOST: Final = b"L"  # to the driver: the number of a group that has hung up


def connected(actors: Actors, watch: Watch, join: Any, serve: Any) -> Line:
    """Let every actor call the kernel actor; return the driver's line, when all are on theirs.

    Args:
        actors: all of the run.
        watch: looks after them.
        join: what each CPU actor that is not the kernel's is to do, as ``join_hub``.
        serve: what the kernel actor is to do then, as ``serve_hub``.

    Raises:
        NoLine: the actors are not all here, or cannot be reached; nothing is left of the attempt.
    """

    def ask(some: Sequence[Any], function: Any, *arguments: Any) -> None:
        calls = [
            actor.__ray_call__.remote(function, number, *arguments)
            for number, actor in enumerate(some)
        ]
        for problem in watch.get(calls):
            if problem:
                raise NoLine(problem)

    kernel, cpus = actors.kernel, actors.apart()
    line, token = None, new_token()
    with private_path() as path:
        try:
            ask([kernel], open_hub, path, token, len(cpus) + 1)
            ask(cpus, join, path, token)
            line = call(path, token, len(cpus))
            ask([kernel], serve)
        except BaseException:
            kernel.__ray_call__.remote(close_hub)  # who has called it is hung up on
            if line is not None:
                line.close()
            raise
    line.wait_for(LOOK_S)
    return line


def lost(actors: Actors, watch: Watch, error: HungUp, number: int) -> ActorLost:
    """Return who is dead; if Ray knows of none, the one of this number, which has hung up."""
    return ActorLost(watch.why_lost(error, actors.names[number]))


class ShmLink:
    """Rounds over lines between processes of this host.

    Raises:
        NoLine: the actors are not all here, or cannot be reached; nothing is left of the attempt.
    """

    def __init__(self, actors: Actors, watch: Watch) -> None:
        self._actors = actors
        self._watch = watch
        self.layers = _MOST_TURNS
        self._line = connected(actors, watch, join_hub, serve_hub)

    def round(self, frame: bytes) -> bytes:
        """See ``Link.round``; the kernel goes on from its last frame, which ``frame`` is."""
        try:
            self._line.send(self.layers.to_bytes(4, "little"))
            answer = self._take()
        except HungUp as error:
            self._line.close()
            raise lost(self._actors, self._watch, error, len(self._actors.cpus)) from None
        except BaseException:
            self._line.close()
            raise
        if answer[:1] == _LOST:
            self._line.close()
            raise lost(self._actors, self._watch, HungUp(), int(answer[1:]))
        return answer[1:]

    def _take(self) -> bytes:
        while True:
            try:
                return self._line.take()
            except TimeoutError:
                self._watch.look()

    def close(self) -> bool:
        """See ``Link.close``: the kernel hangs up on everybody else."""
        self._line.close()
        return True


# -- in the actors --------------------------------------------------------------------------------


def open_hub(actor: Any, _number: int, path: str, token: bytes, lines: int) -> str:
    """Let the kernel actor listen; return what is in the way."""
    try:
        actor.link = Hub(path, token, lines)
    except NoLine as error:
        return str(error)
    return ""


def close_hub(actor: Any) -> None:
    """Let the kernel actor listen no longer."""
    if isinstance(actor.link, Hub):
        actor.link.close()


def join_hub(actor: Any, number: int, path: str, token: bytes) -> str:
    """Let a CPU actor call the kernel, and serve it from then on; return what is in the way."""
    try:
        line = call(path, token, number)
    except NoLine as error:
        return str(error)
    _in_thread(serve_group, actor, line)
    return ""


def serve_hub(actor: Any, _number: int) -> str:
    """Let the kernel actor take the calls, and serve the driver; return what is in the way."""
    try:
        *groups, driver = actor.link.lines(_CALL_S)
    except NoLine as error:
        return str(error)
    _in_thread(serve_driver, actor, driver, [*actor.near, *groups])
    return ""


def _in_thread(function: Any, *arguments: Any) -> None:
    Thread(target=function, args=arguments, name="link", daemon=True).start()


def serve_group(actor: Any, line: Line) -> None:
    """Answer every wire of the kernel's until it hangs up.

    Args:
        actor: a ``CpuActor``.
        line: to the kernel.
    """
    try:
        with suppress(HungUp), without_collector():
            while True:
                line.send(actor.step(line.take()))
    finally:
        line.close()


def serve_driver(actor: Any, driver: Line, groups: Sequence[Line]) -> None:
    """Make turns with the groups as the driver asks for them, until it hangs up.

    Args:
        actor: the ``KernelActor``.
        driver: the line to it.
        groups: the lines to all groups of CPUs, by number.
    """
    try:
        with suppress(HungUp), without_collector():
            while True:
                turns = int.from_bytes(driver.take(), "little")
                driver.send(_slice(actor, groups, turns))
    finally:
        for line in (*groups, driver):
            line.close()


class _Gone(Exception):
    """The group of this number has hung up."""


def _slice(actor: Any, groups: Sequence[Line], turns: int) -> bytes:
    """Make turns until the time of a slice is over, or the kernel is at rest.

    Under a scheme with two supersteps under way the groups are at one while the kernel serves the
    other. At the end of the slice all of them rest: what they have answered meanwhile is kept.
    """
    until_s = monotonic() + _SLICE_S
    answers: list[Sequence[bytes]] = actor.answers  # of turns that the kernel has not taken
    under_way = 0
    try:
        for _ in range(turns):
            if actor.at_rest():
                break
            for wire in actor.take_due():
                _ask(groups, wire)
                under_way += 1
            if not answers:
                answers.append(_answers(groups))
                under_way -= 1
            actor.superstep(*answers.pop(0))
            if monotonic() > until_s:
                break
        answers += [_answers(groups) for _ in range(under_way)]
    except _Gone as gone:
        return _LOST + str(gone).encode()
    said: bytes = actor.last()[1]
    return _FRAME + said


def _ask(groups: Sequence[Line], wire: bytes) -> None:
    parts: Iterable[bytes] = repeat(wire)
    if len(groups) > _FEW_GROUPS:
        parts = split(wire, len(groups))
    for number, (line, part) in enumerate(zip(groups, parts)):
        try:
            line.send(part)
        except HungUp:
            raise _Gone(number) from None


def _answers(groups: Sequence[Line]) -> list[bytes]:
    wires: list[bytes] = []
    for number, line in enumerate(groups):
        try:
            wires.append(line.take())
        except HungUp:
            raise _Gone(number) from None
    return wires
