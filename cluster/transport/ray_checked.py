"""``CheckedLink`` over calls of Ray's actors: for tests of runs whose packets go wrong."""

from collections.abc import Sequence

from cluster.ray_watch import ActorLost, Actors, Watch
from cluster.transport.checked import CheckedLink, NoAnswer
from cluster.transport.faults import FaultPlan


class RayCheckedLink(CheckedLink):
    """See ``CheckedLink``.

    Args:
        actors: of the run.
        watch: waits for them.
        incarnation: which set of actors of this run they are.
        plan: what goes wrong.
    """

    def __init__(self, actors: Actors, watch: Watch, incarnation: int, plan: FaultPlan) -> None:
        self._actors = actors
        self._watch = watch
        run = plan.seed & 0xFFFF_FFFF
        everybody = actors.all()
        watch.get(
            [
                actor.open_checked.remote(run, incarnation, number)
                for number, actor in enumerate(everybody)
            ]
        )
        super().__init__(len(everybody), run, incarnation, plan, self._call)

    def round(self, frame: bytes) -> bytes:
        """See ``Link.round``."""
        try:
            return super().round(frame)
        except NoAnswer as error:
            raise ActorLost(str(error)) from None

    def _call(self, packets: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        everybody = self._actors.all()
        calls = [everybody[actor].receive.remote(packet) for actor, packet in packets]
        answers = self._watch.get(calls) if calls else []
        return [
            (actor, answer) for (actor, _), answer in zip(packets, answers) if answer is not None
        ]
