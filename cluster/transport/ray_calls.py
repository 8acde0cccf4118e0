"""Rounds of ordinary actor calls: they work wherever Ray does.

The calls have the same dependencies as the graph of ``ray_graph``, and Ray passes results from
actor to actor; the engine waits for the last one only. If a call or its answer gets lost, nothing
that depends on it is carried out, and the round goes on from where the actors stand: each counts
its turns.
"""

from typing import Any, Final

from cluster.logging_setup import get_logger
from cluster.ray_watch import Actors, CallLost, Watch

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
        try:
            answer: bytes = self._watch.get([last])[0]
        except CallLost:
            get_logger().warning("Ray lost a call or its answer, going on from where actors stand")
            answer = self.go_on()
        return answer

    def go_on(self) -> bytes:
        """Make the superstep that comes next where the actors stand; return its frame."""
        kernel, cpus = self._actors.kernel, self._actors.cpus
        turns, wire = self._watch.ask([kernel], "last", [()])[0]
        wires = self._watch.ask(cpus, "again", [(turns, wire)] * len(cpus))
        answer: bytes = self._watch.ask([kernel], "superstep", [wires])[0]
        return answer

    def close(self) -> bool:
        """See ``Link.close``."""
        return True


class HalvesLink(CallsLink):
    """As ``CallsLink``, with two supersteps under way: one at the groups, one at the kernel.

    Between two rounds all rest: the kernel actor keeps what the groups have answered meanwhile.
    """

    def round(self, frame: bytes) -> bytes:
        """See ``Link.round``; ``frame`` is the last of those that the kernel has said."""
        kernel, cpus = self._actors.kernel, self._actors.cpus
        due, kept = self._watch.get([kernel.take_due.remote(), kernel.kept.remote()])
        answers: list[list[Any]] = []
        for _ in range(self.layers):
            answers += [[cpu.step.remote(each) for cpu in cpus] for each in due]
            if kept:
                due, kept = [kernel.serve_kept.remote()], 0
            else:
                due = [kernel.superstep.remote(*answers.pop(0))]
        rest = [kernel.keep_answers.remote(*each) for each in answers]
        answer: bytes
        answer, *_ = self._watch.get([*due, *rest])
        return answer
