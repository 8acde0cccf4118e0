"""The Ray engine's run under a scheme that settles, with plain objects of this process."""

from cluster.codec import head_of, pack
from cluster.engine_api import RunRequest, RunResult
from cluster.ray_actors import KERNEL_NAME, lp_name
from cluster.ray_engine import kernel_options
from cluster.ray_free_actors import Addressed
from cluster.ray_turn_actors import TurnCpuActor, TurnKernelActor
from cluster.ray_watch import Actors
from tests.cluster.direct_run import DirectRun

_ROUND = 40  # turns between two questions whether to stop


class DirectTurns:
    """Calls the actors' methods where they are."""

    def __init__(self, actors: Actors) -> None:
        self.verdict = ""
        self.frame = None
        self.whole = True
        self.in_round = False
        self.turns = 0
        self._actors = actors

    def begin(self) -> None:
        self._take(self._actors.kernel.first())

    def round(self) -> None:
        for _ in range(_ROUND):
            if not self._gos:
                break
            self._turn()

    def _turn(self) -> None:
        [(group, frame)] = self._gos
        self.turns += 1
        report = self._actors.cpus[group].go(frame)
        self._take(self._actors.kernel.arrived([group], report))

    def _take(self, answer: tuple[list[Addressed], bytes]) -> None:
        self._gos, head = answer
        self.head = head_of(head)
        self.verdict = self.head[1]

    def rest(self) -> None:
        self._actors.kernel.halt()
        while self._gos:
            self._turn()

    def close(self) -> bool:
        return True


class TurnRun(DirectRun):
    """The Ray engine's run with plain objects for actors."""

    def _start(self) -> None:
        plain = pack(self.request.spec.to_plain())
        kernel = TurnKernelActor(
            plain, self.groups, *kernel_options(self.request, self.record), None
        )
        cpus = [
            TurnCpuActor(plain, number, group, None) for number, group in enumerate(self.groups)
        ]
        names = [*(lp_name(group) for group in self.groups), KERNEL_NAME]
        self.actors = Actors(kernel, cpus, names)
        self.transport = DirectTurns(self.actors)  # type: ignore[assignment]


def run_turns(request: RunRequest) -> RunResult:
    return TurnRun(request).run()
