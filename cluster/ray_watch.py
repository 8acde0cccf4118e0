"""Who is alive, and how long anybody waits: the engine's waits for actors go through here.

An actor is lost when its process has died, which Ray tells, and never because of how long a
superstep takes: actors answer ``ready`` by a thread of their own. One that does not answer
(stopped by a signal, a host that hangs) is waited for, and named on the log. The Ray that this
process started is watched too: without its control service nothing would be told any more, and
Ray would end the process after a minute.

Ctrl-C and the limit of host time first ask the actors to halt, so that the round under way ends at
its next superstep and the results are whole; after ``GRACE_S`` the actors are given up.
"""

import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any, Final

from cluster.interrupt import HeldInterrupt
from cluster.logging_setup import get_logger
from cluster.run_lock import boot_id

LOOK_S: Final = 0.25  # between two looks during a wait
GRACE_S: Final = 1.5  # for a round to end after Ctrl-C or at the limit of host time
STANDSTILL_S: Final = 5.0  # between two questions where everybody stands
_PING_S: Final = 2.0  # between two questions to all actors
_STOPPED_S: Final = 2.0  # without an answer and without running before one that is stopped is lost
_SILENT_S: Final = 8.0  # likewise one that is on another host
_SAY_S: Final = 10.0  # without an answer before the log says so
_AGAIN_S: Final = 0.1  # before a lost call is made again, and more each time
_MOST_ASKED: Final = 20  # times, over some 20 s
_END_SILENT_S: Final = 20.0  # without an answer before the end of a run does without
_PULSE: Final = "pulse"  # concurrency group: the thread that answers while an actor computes
PULSE_GROUPS: Final = {_PULSE: 1}


# a process: host (its boot and processes' namespace), pid, and when it was started
Place = tuple[str, int, str]


def own_place() -> Place:
    """Return where this process is."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:  # not Linux
        namespace = ""
    host = f"{socket.gethostname()} {boot_id()} {namespace}"
    return host, os.getpid(), _process(os.getpid())[1]


def _process(pid: int) -> tuple[str, str, int]:
    """Return state, start time and ticks run of a process of this host; empty: there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return "", "", 0
    words = text.rpartition(")")[2].split()
    return words[0], words[19], int(words[11]) + int(words[12])


class ActorLost(Exception):
    """An actor died, or Ray did; the message names it."""


class CallLost(ActorLost):
    """A call or its answer was lost, and all actors live."""


class TimeUp(Exception):
    """The limit of host time was reached, and the round under way did not end."""


class Actors:
    """The actors of one run, by the names that messages give them."""

    def __init__(self, kernel: Any, cpus: Sequence[Any], names: Sequence[str]) -> None:
        self.kernel = kernel
        self.cpus = list(cpus)
        self.names = list(names)  # of the CPU actors, then of the kernel actor
        self.places: list[Place] = []  # likewise
        self.helpers: list[Any] = []  # actors that Ray has made for the link, to be ended with them

    def here(self, name: str) -> tuple[int, str, int] | None:
        """Return pid, state and ticks of CPU time of an actor's process.

        None: it is not on this host, or gone.
        """
        for known, (host, pid, started) in zip(self.names, self.places):
            if known == name and host == own_place()[0]:
                state, since, ran = _process(pid)
                return (pid, state, ran) if since == started else None
        return None

    def ran(self) -> dict[str, int]:
        """Return how many ticks of CPU time those on this host have run."""
        found = {name: self.here(name) for name in self.names}
        return {name: process[2] for name, process in found.items() if process is not None}

    def kill_here(self) -> None:
        """Kill those on this host: one that is stopped hears nothing of Ray's wish."""
        for name in self.names:
            found = self.here(name)
            if found is not None:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(found[0], signal.SIGKILL)

    def all(self) -> list[Any]:
        """Return all handles, in the order of ``names``."""
        return [*self.cpus, self.kernel]

    def apart(self) -> list[Any]:
        """Return the CPU actors that are not in the kernel actor's process."""
        return [cpu for cpu in self.cpus if not getattr(cpu, "beside", False)]

    def pulse(self, method: str, only: int | None = None) -> list[Any]:
        """Call a method of every actor beside what it computes; return the references.

        Args:
            method: its name.
            only: the number of the one actor to call.
        """
        some = self.all() if only is None else [self.all()[only]]
        return [getattr(actor, method).options(concurrency_group=_PULSE).remote() for actor in some]

    def lost(self, timeout_s: float) -> str:
        """Return the name of a dead actor, or "" if none is known to be dead within the time."""
        import ray

        deadline = monotonic() + timeout_s
        while True:
            calls = self.pulse("ready")
            ray.wait(calls, num_returns=len(calls), timeout=max(0.0, deadline - monotonic()))
            answers = [_answer(call) for call in calls]
            for name, answer in zip(self.names, answers):
                if answer == _DEAD:
                    return name
            # Ray may need a moment to know that a process that does not answer has died
            if monotonic() > deadline or all(answer == _ALIVE for answer in answers):
                return ""


_ALIVE: Final = "alive"
_DEAD: Final = "dead"
_SILENT: Final = "silent"
_LOST: Final = "lost"  # the question or the answer


def _answer(call: Any) -> str:
    """Return what the answer to a call, or its absence, says of the actor."""
    import ray

    try:
        ray.get(call, timeout=0)
    except ray.exceptions.ActorDiedError:
        return _DEAD
    except ray.exceptions.GetTimeoutError:
        return _SILENT
    except ray.exceptions.RayActorError:
        return _LOST
    return _ALIVE


class Standstill:
    """Finds out that nobody does anything, though a frame is under way: a message was lost.

    All actors are asked twice, ``STANDSTILL_S`` apart. Who computes, however long, says so.
    """

    def __init__(self, actors: Actors) -> None:
        self._actors = actors
        self._calls: list[Any] = []
        self._asked_s = monotonic()
        self._stood: list[tuple[int, bool]] = []

    def seen(self) -> bool:
        """Return whether nothing has moved between the last two answers; to be asked repeatedly."""
        import ray

        if not self._calls:
            if monotonic() - self._asked_s > STANDSTILL_S:
                self._calls = self._actors.pulse("standing")
                self._asked_s = monotonic()
            return False
        done, _ = ray.wait(self._calls, num_returns=len(self._calls), timeout=0)
        if len(done) < len(self._calls):
            return False
        calls, self._calls = self._calls, []
        try:
            stand: list[tuple[int, bool]] = ray.get(calls)
        except ray.exceptions.RayError:
            return False  # whoever looks after the actors will find out
        before, self._stood = self._stood, stand
        return stand == before and not any(busy for _turns, busy in stand)


class Watch:
    """Looks after one run while the engine waits.

    Args:
        interrupt: Ctrl-C.
        max_wall_s: the limit of host time, from now on.
        ray_problem: returns one line if Ray itself is gone, else "".
    """

    def __init__(
        self,
        interrupt: HeldInterrupt,
        max_wall_s: float | None,
        ray_problem: Callable[[], str] = lambda: "",
    ) -> None:
        self.interrupt = interrupt
        self.actors: Actors | None = None
        self.ray_problem = ray_problem
        self._deadline_s = None if max_wall_s is None else monotonic() + max_wall_s
        self._stopping_s: float | None = None  # since when
        self._ending = False
        self._heeded = 0  # how often Ctrl-C had been pressed when the end began
        self._pings: list[Any] = []
        self._pinged_s = monotonic()
        self._said: set[str] = set()
        self.dead = ""  # the actor that ``why_lost`` found to be
        self._asked = 0  # questions that are answered once
        self._ran: dict[str, int] = {}  # what actors of this host had run,
        self._ran_s: dict[str, float] = {}  # and when that was seen first
        self.gives_up = False  # whoever is stopped or silent for long is lost

    def begin_again(self) -> None:
        """Watch new actors, which take the place of lost ones."""
        self.actors = None
        self._ending = False
        self._stopping_s = None
        self._pings = []
        self._ran, self._ran_s = {}, {}
        self._said.clear()

    def time_is_up(self) -> bool:
        """Return whether the limit of host time is reached."""
        return self._deadline_s is not None and monotonic() > self._deadline_s

    def begin_end(self) -> None:
        """From here on results are collected: what ended the run does not end that, too."""
        self._ending = True
        self._heeded = self.interrupt.count
        self._stopping_s = None

    def _to_stop(self) -> bool:
        if self._ending:
            return self.interrupt.count > self._heeded
        return self.interrupt.asked or self.time_is_up()

    def look(self) -> None:
        """See whether to go on waiting.

        Raises:
            ActorLost: an actor or Ray is dead.
            KeyboardInterrupt: Ctrl-C, and the grace has passed.
            TimeUp: the limit of host time is reached, and the grace has passed.
        """
        now_s = monotonic()
        if self._to_stop():
            if self._stopping_s is None:
                self._stopping_s = now_s
                if self.actors is not None and not self._ending:
                    self.actors.pulse("halt")
            elif now_s - self._stopping_s > GRACE_S:
                if self.interrupt.asked:
                    raise KeyboardInterrupt
                raise TimeUp
        if now_s - self._pinged_s > _PING_S or not self._pings:
            problem = self.ray_problem()
            if problem:
                raise ActorLost(problem)
            self._ping(now_s)

    def _ping(self, now_s: float) -> None:
        """Look at the answers to the last question; ask again when all have answered."""
        if self.actors is None:
            return
        silent = []
        for place, name in enumerate(self.actors.names[: len(self._pings)]):
            answer = _answer(self._pings[place])
            if answer == _DEAD:
                raise ActorLost(f"{name} died")
            if answer == _LOST:
                self._pings[place] = self.actors.pulse("ready", place)[0]
            if answer != _ALIVE:
                silent.append(name)
        for name in silent if self.gives_up else ():
            self._give_up(name, now_s)
        if not silent:
            self._pings = self.actors.pulse("ready")
            self._pinged_s = now_s
            self._ran = self.actors.ran() if self.gives_up else {}
            self._ran_s = dict.fromkeys(self._ran, now_s)
            self._said.clear()
        elif self._ending and now_s - self._pinged_s > _END_SILENT_S:
            raise ActorLost(f"{silent[0]} does not answer")
        elif now_s - self._pinged_s > _SAY_S:
            for name in silent:
                if name not in self._said:
                    self._said.add(name)
                    get_logger().warning(f"{name} does not answer, still waiting for it")

    def _give_up(self, name: str, now_s: float) -> None:
        """Raise ActorLost if an actor that does not answer is stopped, or on a host that is gone.

        One that has much to do, or shares its host with many, only answers late; one that is
        stopped and let go on in turns, to make it slow, does run.
        """
        assert self.actors is not None
        found = self.actors.here(name)
        if found is not None and found[1] in ("T", "t"):
            if self._ran.get(name) != found[2]:
                self._ran[name], self._ran_s[name] = found[2], now_s
            if now_s - self._ran_s[name] > _STOPPED_S:
                raise ActorLost(f"{name} is stopped")
        elsewhere = self.actors.places and found is None
        silent_s = now_s - self._pinged_s
        if elsewhere and silent_s > _SILENT_S:
            raise ActorLost(f"{name} has not answered for {silent_s:.0f} s")

    def get(self, calls: list[Any]) -> list[Any]:
        """Return the results of calls, however long they take.

        Raises:
            ActorLost: an actor or Ray is dead.
            KeyboardInterrupt, TimeUp: see ``look``.
        """
        import ray

        self._wait(calls)
        try:
            results: list[Any] = ray.get(calls)
        except ray.exceptions.RayError as error:
            raise self.lost_by(error) from None
        return results

    def lost_by(self, error: Exception) -> "ActorLost":
        """Return what an error that Ray raised says: an actor is dead, or only a call was lost."""
        import ray

        unavailable = isinstance(error, ray.exceptions.ActorUnavailableError)
        why = self.why_lost(error)
        return (CallLost if unavailable and not self.dead else ActorLost)(why)

    def _wait(self, calls: list[Any]) -> None:
        """Wait until all calls have ended, one way or the other."""
        import ray

        pending = calls
        while pending:
            _, pending = ray.wait(pending, num_returns=len(pending), timeout=LOOK_S)
            if pending:
                self.look()

    def ask(
        self, some: Sequence[Any], method: str, arguments: Sequence[Sequence[Any]]
    ) -> list[Any]:
        """Let actors carry out a method once each; return the results, however long they take.

        A request or an answer that gets lost is asked for again: actors know what they have done.

        Args:
            some: the actors.
            method: of them all.
            arguments: of each.

        Raises:
            ActorLost: an actor or Ray is dead.
            KeyboardInterrupt, TimeUp: see ``look``.
        """
        import ray

        self._asked += 1
        open_ones = list(range(len(some)))
        results: dict[int, Any] = {}
        for tried in range(_MOST_ASKED):
            calls = [
                some[place].once.remote(self._asked, method, *arguments[place])
                for place in open_ones
            ]
            self._wait(calls)
            lost = []
            for place, call in zip(open_ones, calls):
                try:
                    results[place] = ray.get(call)
                except ray.exceptions.ActorUnavailableError:
                    lost.append(place)
                except ray.exceptions.RayError as error:
                    raise ActorLost(self.why_lost(error)) from None
            open_ones = lost
            if not lost:
                return [results[place] for place in range(len(some))]
            get_logger().warning("Ray lost a call or its answer, asking again", method=method)
            Event().wait(_AGAIN_S * (tried + 1))
            self.look()
        raise ActorLost(f"Ray loses every call of {method}")

    def why_lost(self, error: Exception, suspect: str = "") -> str:
        """Return one line about an error that Ray or a link raised: which actor died, if one did.

        Args:
            suspect: who is named if Ray knows of none.
        """
        name = self.actors.lost(_PING_S) if self.actors is not None else ""
        self.dead = name
        problem = self.ray_problem()
        if problem:
            return problem
        if name:
            return f"{name} died"
        if suspect:
            return f"{suspect} does not answer any more"
        return f"an actor was lost ({type(error).__name__})"


def cause(error: BaseException) -> str:
    """Return one line that says what went wrong, without Ray's wrapping."""
    inner = getattr(error, "cause", None)
    if isinstance(inner, BaseException):
        error = inner
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__


def within(seconds: float, function: Callable[[], Any], interrupt: HeldInterrupt) -> bool:
    """Call ``function`` in a thread of its own; return whether it ended within the time.

    Ctrl-C ends the wait. What the function raises is logged: it is for the end of a run, whose
    result stands whatever happens.
    """

    def call() -> None:
        try:
            function()
        except Exception as error:
            get_logger().debug("a step of the end failed", what=name, why=cause(error))

    name = getattr(function, "__qualname__", repr(function))
    count = interrupt.count
    thread = Thread(target=call, daemon=True, name=f"end: {name}")
    thread.start()
    deadline = monotonic() + seconds
    while thread.is_alive() and monotonic() < deadline and interrupt.count == count:
        thread.join(0.05)
    if thread.is_alive():
        get_logger().debug("a step of the end took too long", what=name, seconds=seconds)
    return not thread.is_alive()
