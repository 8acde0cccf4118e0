"""Rounds of ordinary actor calls: they work wherever Ray does.

The calls have the same dependencies as the graph of ``ray_graph``, and Ray passes results from
actor to actor; the engine waits for the last one only.
"""

from typing import Any, Final

from cluster.ray_watch import Actors, Watch

_LAYERS: Final = 4


class CallsLink:
    """Rounds of ordinary actor calls."""

    def __init__(self, actors: Actors, watch: Watch) -> None:
        self._actors = actors
        self._watch = watch
        self.layers = _LAYERS

    def round(self, frame: bytes) -> bytes:
        """See ``Link.round``."""
        kernel, cpus = self._actors.kernel, self._actors.cpus
        last: Any = frame
        for _ in range(self.layers):
            last = kernel.superstep.remote(*[cpu.step.remote(last) for cpu in cpus])
        answer: bytes = self._watch.get([last])[0]
        return answer

    def close(self) -> bool:
        """See ``Link.close``."""
        return True
