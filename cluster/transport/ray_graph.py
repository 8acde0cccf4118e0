"""Rounds over a Ray Compiled Graph.

The graph is static: the frame goes to every CPU actor, their reports go to the kernel actor, its
frame goes to the next layer of the same, and the last one to the engine. The actors wait in
shared-memory channels (across hosts: in channels that Ray forwards), so a round costs no Ray call.
Layers past the machine's end cost little: every actor just passes the last frame on. No message is
larger than a channel's buffer (``cluster.pieces``).

Ray 2.60 can lose what is written to a channel while its readers look at it with a time limit, on a
host with more to do than it has cores: everybody then waits for everybody. That is seen
(``ray_watch.Standstill``); the graph is torn down, and the run goes on from where the actors stand
by actor calls.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from cluster.logging_setup import get_logger
from cluster.ray_actors import channel_semaphores, remove_semaphores
from cluster.ray_watch import LOOK_S, ActorLost, Actors, Standstill, Watch, within
from cluster.transport.ray_calls import CallsLink

# Of a channel. A piece of a frame is smaller; with Ray's default of 1 MB, a graph of 200 actors
# would not fit into the object store.
_BUFFER_BYTES: Final = 256 << 10
# Layers of a graph times its actors: each is a channel, and takes time to set up.
_GRAPH_NODES: Final = 32
_MOST_LAYERS: Final = 8
_TEARDOWN_S: Final = 5.0  # for the actors to leave the graph; they do in a few ms


class GraphLink:
    """Rounds over a Ray Compiled Graph.

    Raises:
        Exception: whatever Ray raises when it cannot compile the graph here.
    """

    def __init__(self, actors: Actors, watch: Watch) -> None:
        from ray.dag import InputNode

        self._actors = actors
        self._watch = watch
        self._rounds = 0
        self._calls: CallsLink | None = None  # what carries frames when the graph does not
        self.layers = max(1, min(_MOST_LAYERS, _GRAPH_NODES // len(actors.cpus)))
        with InputNode() as node:
            for _ in range(self.layers):
                node = actors.kernel.superstep.bind(*[cpu.step.bind(node) for cpu in actors.cpus])
        self._foreign = channel_semaphores()  # of other graphs of this process
        can = watch.get([actor.__ray_call__.remote(_prepare) for actor in actors.all()])
        if not all([*can, _has_semaphores()]):
            raise OSError("/dev/shm cannot be written, and channels need semaphores there")
        with _small_buffers():
            self._graph = node.experimental_compile(_max_inflight_executions=1)
        # of a graph that cannot be left, as its actors are dead, Ray lets this one live on
        actors.helpers += filter(None, [getattr(self._graph, "_proxy_actor", None)])

    def round(self, frame: bytes) -> bytes:
        """See ``Link.round``."""
        if self._calls is not None:
            return self._calls.round(frame)
        import ray

        try:
            answer = self._execute(frame)
        except (ray.exceptions.RayActorError, ray.exceptions.RayChannelError) as error:
            raise ActorLost(self._watch.why_lost(error)) from None
        self._rounds += 1
        return self._take_up() if answer is None else answer

    def _execute(self, frame: bytes) -> bytes | None:
        """Return what the graph makes of a frame; None: a message was lost."""
        import ray
        from ray.experimental.compiled_dag_ref import CompiledDAGRef

        ref = self._graph.execute(frame)
        standstill = Standstill(self._actors)
        while True:
            try:
                answer: bytes = ray.get(ref, timeout=LOOK_S)
                return answer
            except ray.exceptions.RayChannelTimeoutError:
                self._watch.look()
                if standstill.seen():
                    return None
                # a reference serves for one question, answered or not
                ref = CompiledDAGRef(self._graph, self._rounds)

    def _take_up(self) -> bytes:
        """Leave the graph; return the next frame, made by calls from where the actors stand."""
        get_logger().warning("the compiled graph lost a message, going on with actor calls")
        if not within(_TEARDOWN_S, self._graph.teardown, self._watch.interrupt):
            raise ActorLost("the compiled graph lost a message, and its actors do not leave it")
        self._calls = CallsLink(self._actors, self._watch)
        return self._calls.go_on()

    def close(self) -> bool:
        """See ``Link.close``."""
        interrupt = self._watch.interrupt
        if within(_TEARDOWN_S, self._graph.teardown, interrupt):
            return within(_TEARDOWN_S, self._remove_semaphores, interrupt)
        return False

    def _remove_semaphores(self) -> None:
        import ray

        remove_semaphores(channel_semaphores() - self._foreign)
        ray.get(self._actors.pulse("forget_semaphores"), timeout=_TEARDOWN_S)


def _has_semaphores() -> bool:
    """Return whether this process can make named semaphores; Ray ends one that cannot."""
    folder = Path("/dev/shm")
    return not sys.platform.startswith("linux") or (
        folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    )


def _prepare(actor: Any) -> bool:
    """Prepare an actor's process for a graph; return whether it can take part in one."""
    _use_small_buffers()
    return _has_semaphores()


def _use_small_buffers() -> int:
    """Set the size of the channels that this process makes from now on; return the one before.

    Ray 2.60 takes a size when it compiles, and makes channels of its default size all the same.
    """
    from ray.dag import DAGContext

    context = DAGContext.get_current()
    before: int = context.buffer_size_bytes
    context.buffer_size_bytes = _BUFFER_BYTES
    return before


@contextmanager
def _small_buffers() -> Iterator[None]:
    """Leave Ray's settings in this process, which may be somebody else's, as they were."""
    from ray.dag import DAGContext

    before = _use_small_buffers()
    try:
        yield
    finally:
        DAGContext.get_current().buffer_size_bytes = before
