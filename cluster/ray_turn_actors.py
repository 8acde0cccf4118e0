"""What runs inside Ray's actors under a scheme that settles: one CPU goes at a time.

The machine is in ``cluster.in_turn``; frames are carried by what carries goes
(``cluster.ray_free_actors``), of which these actors have the doors. One frame is under way at a
time: whoever has it makes the next.

Chunks of trace are marked with the place in the file at which the local engine has them: it writes
down what has come together after every ``LOOK_EVERY_TURNS`` rounds.
"""

from collections.abc import Sequence
from time import perf_counter_ns
from typing import Any, Final

from cluster import lps
from cluster.codec import Head
from cluster.in_turn import Turn, TurnHost
from cluster.machine_loop import LOOK_EVERY_TURNS
from cluster.ray_actors import AT_THE_END, Logs
from cluster.ray_free_actors import FreeCpuActor, FreeKernelActor

_FIRST_LOOK: Final = 1


def look_after(rounds: int) -> int:
    """Return the number of the look at which there is what round number ``rounds`` has left."""
    return max(_FIRST_LOOK, -(-rounds // LOOK_EVERY_TURNS))


class TurnCpuActor(FreeCpuActor):
    """A group of CPUs one of which goes at a time; arguments as for ``CpuActor``."""

    def __init__(self, plain: bytes, group: int, cpus: Sequence[int], logs: Logs | None) -> None:
        super().__init__(plain, group, cpus, logs)
        self._group.stop_at_messages()

    def _go(self, frame: bytes) -> bytes:
        started = perf_counter_ns()
        number, cpu, horizon_ns, inboxes = self._codec.decode_turn(frame)
        decoded = perf_counter_ns()
        reports = self._group.step({cpu: horizon_ns}, inboxes or {cpu: ()})
        self._supersteps += 1
        self._hold(look_after(number), self._group.drain_trace())
        stepped = perf_counter_ns()
        answer = self._codec.encode_report(self._supersteps, self._held, reports)
        self._codec_ns += decoded - started + perf_counter_ns() - stepped
        return answer


class TurnKernelActor(FreeKernelActor):
    """The kernel, which says whose turn it is; arguments as for ``KernelActor``."""

    _turns_of: TurnHost

    def __init__(self, plain: bytes, groups: Sequence[Sequence[int]], *options: Any) -> None:
        super().__init__(plain, groups, *options)
        assert isinstance(self._host, TurnHost)
        self._turns_of = self._host

    @property
    def resting(self) -> bool:
        """See ``FreeKernelActor.resting``."""
        return not self._on_way and (self._turns_of.resting or self._failed is not None)

    def halt(self) -> None:
        """Begin no further round."""
        self._turns_of.halted = True

    def _encoded(self, gos: Sequence[Any]) -> list[tuple[int, bytes]]:
        turns: Sequence[Turn] = gos
        encode = self._codec.encode_turn
        return [(each.group, encode(*each[1:])) for each in turns]

    def _arrived(self, numbers: Sequence[int], frames: Sequence[bytes]) -> list[Any]:
        return self._served(self._turns_of.arrive(self._decoded(numbers, frames)))

    def _served(self, gos: list[Any]) -> list[Any]:
        host = self._host
        lps.collect_now_and_then(host.supersteps)
        self._hold(look_after(host.supersteps - 1), host.drain_trace())
        with self._lock:
            self._take_order()
            self._take_outputs()
        return gos


def in_file_order(
    chunks: Sequence[tuple[int, int, bytes]], rounds: int, *, final: bool
) -> tuple[list[lps.Chunk], list[tuple[int, int, bytes]]]:
    """Return the chunks that stand next in the file, in its order, and those that have to wait.

    Args:
        chunks: ``(look, LP number, records)``, in the order in which each LP made its own.
        rounds: how many have been made.
        final: the run is over: no look comes any more.
    """
    last = rounds // LOOK_EVERY_TURNS

    def place(chunk: tuple[int, int, bytes]) -> tuple[int, int]:
        return (chunk[0] if chunk[0] <= last else AT_THE_END), chunk[1]

    there = sorted(chunks, key=place)
    now = [chunk for chunk in there if final or chunk[0] <= last]
    return [(lp, data) for _, lp, data in now], there[len(now) :]


def rounds_of(head: Head) -> int:
    """Return how many rounds had been made when a head was told."""
    return max(0, head[0] - 1)
