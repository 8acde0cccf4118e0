"""How frames travel between the engine and the actors: one superstep or several at a time.

``GraphLink`` compiles a static graph: the frame goes to every CPU actor, their reports go to the
kernel actor, its frame goes to the next layer of the same, and the last one to the engine. The
actors wait in shared-memory channels (across hosts: in channels that Ray forwards), so a superstep
costs no Ray call. Layers past the machine's end cost little: every actor just passes the last
frame on. Channels grow when a frame is larger than their buffer.

``CallsLink`` makes ordinary actor calls with the same dependencies and waits for the last; Ray
passes results from actor to actor. It works wherever Ray does.
"""

from collections.abc import Sequence
from time import monotonic
from typing import Any, Final, Protocol

_BUFFER_BYTES: Final = 256 << 10
# Layers of a graph times its actors: each is a channel, and takes time to set up.
_GRAPH_NODES: Final = 32
_MOST_LAYERS: Final = 8
_LAYERS_OF_CALLS: Final = 4
_LOOK_S: Final = 5.0  # how often a wait looks whether all actors are alive


class ActorLost(Exception):
    """An actor died; the message names it."""


class Actors:
    """The actors of one run, by the names that messages give them."""

    def __init__(self, kernel: Any, cpus: Sequence[Any], names: Sequence[str]) -> None:
        self.kernel = kernel
        self.cpus = list(cpus)
        self.names = list(names)  # of the CPU actors, then of the kernel actor

    def all(self) -> list[Any]:
        """Return all handles, in the order of ``names``."""
        return [*self.cpus, self.kernel]

    def lost(self, timeout_s: float) -> str:
        """Return the name of a dead actor, or "" if all that answer in time are alive."""
        import ray

        calls = [actor.ready.remote() for actor in self.all()]
        deadline = monotonic() + timeout_s
        for name, call in zip(self.names, calls):
            try:
                ray.get(call, timeout=max(0.1, deadline - monotonic()))
            except ray.exceptions.GetTimeoutError:
                continue
            except ray.exceptions.RayActorError:
                return name
        return ""


class Link(Protocol):
    """One way for frames to travel."""

    layers: int  # supersteps of one round

    def round(self, frame: bytes) -> bytes:
        """Run ``layers`` supersteps from ``frame`` on; return the last superstep frame.

        Raises:
            ActorLost: an actor died.
        """
        ...

    def close(self) -> None:
        """Free what the link holds; the actors stay and answer calls."""
        ...


class GraphLink:
    """Rounds over a Ray Compiled Graph.

    Raises:
        Exception: whatever Ray raises when it cannot compile the graph here.
    """

    def __init__(self, actors: Actors) -> None:
        from ray.dag import InputNode

        self._actors = actors
        self.layers = max(1, min(_MOST_LAYERS, _GRAPH_NODES // len(actors.cpus)))
        with InputNode() as node:
            for _ in range(self.layers):
                node = actors.kernel.superstep.bind(*[cpu.step.bind(node) for cpu in actors.cpus])
        self._graph = node.experimental_compile(
            _buffer_size_bytes=_BUFFER_BYTES, _max_inflight_executions=1
        )

    def round(self, frame: bytes) -> bytes:
        """See ``Link.round``."""
        import ray

        try:
            ref = self._graph.execute(frame)
            while True:
                try:
                    answer: bytes = ray.get(ref, timeout=_LOOK_S)
                    return answer
                except ray.exceptions.RayChannelTimeoutError:
                    self._look()
        except (ray.exceptions.RayActorError, ray.exceptions.RayChannelError) as error:
            raise ActorLost(_lost(self._actors, error)) from None

    def _look(self) -> None:
        name = self._actors.lost(_LOOK_S)
        if name:
            raise ActorLost(f"{name} died")

    def close(self) -> None:
        """See ``Link.close``."""
        self._graph.teardown()


class CallsLink:
    """Rounds of ordinary actor calls."""

    def __init__(self, actors: Actors) -> None:
        self._actors = actors
        self.layers = _LAYERS_OF_CALLS

    def round(self, frame: bytes) -> bytes:
        """See ``Link.round``."""
        import ray

        kernel, cpus = self._actors.kernel, self._actors.cpus
        last: Any = frame
        try:
            for _ in range(self.layers):
                last = kernel.superstep.remote(*[cpu.step.remote(last) for cpu in cpus])
            answer: bytes = ray.get(last)
        except ray.exceptions.RayError as error:
            raise ActorLost(_lost(self._actors, error)) from None
        return answer

    def close(self) -> None:
        """See ``Link.close``."""


def _lost(actors: Actors, error: Exception) -> str:
    name = actors.lost(_LOOK_S)
    if name:
        return f"{name} died"
    return f"an actor was lost ({type(error).__name__})"
