"""CPUs that run free on Ray, by ordinary actor calls: they work wherever Ray does.

Each group of CPUs that is on its way is one call under way. The engine sleeps until any of them
has ended; the reports of all that have are handed to the kernel actor in one call, in the order in
which they ended, and each group that is to go on is called at once. Nobody waits for a group that
is still on its way, and what a call returns goes from actor to actor.
"""

from collections.abc import Sequence
from typing import Any

from cluster.codec import Head, head_of
from cluster.ray_free_actors import Addressed
from cluster.ray_watch import LOOK_S, Actors, Watch


class FreeCalls:
    """See the module header, and ``cluster.machine_loop.Transport``; a round is some arrivals.

    Args:
        actors: a ``FreeKernelActor`` and ``FreeCpuActor``s.
        watch: looks after them.
    """

    def __init__(self, actors: Actors, watch: Watch) -> None:
        self.verdict = ""
        self.frame: bytes | None = None  # there is no last superstep frame: the kernel sees to that
        self.head: Head = (0, "", 0, 0, 0, 0, 0)
        self.in_round = False
        self.whole = True
        self._actors = actors
        self._watch = watch
        self._calls: dict[Any, int] = {}  # the groups on their way, by what they will return

    def begin(self) -> None:
        """See ``Transport.begin``."""
        self._take(self._watch.get([self._actors.kernel.first.remote()])[0])

    def round(self) -> None:
        """See ``Transport.round``.

        Raises:
            LpFailure: an LP could not go on.
            ActorLost, KeyboardInterrupt, TimeUp: as ``Watch.look`` says; ``in_round`` is then true.
        """
        self.in_round = True
        done = self._ended()
        numbers = [self._calls.pop(call) for call in done]
        answer = self._watch.get([self._actors.kernel.arrived.remote(numbers, *done)])[0]
        self.in_round = False
        self._take(answer)

    def _ended(self) -> list[Any]:
        """Wait until calls have ended; return all that have."""
        import ray

        calls = list(self._calls)
        while True:
            done, _ = ray.wait(calls, num_returns=1, timeout=LOOK_S, fetch_local=False)
            if done:
                break
            self._watch.look()
        first = done[0]
        others = [call for call in calls if call is not first]
        if others:
            more, _ = ray.wait(others, num_returns=len(others), timeout=0, fetch_local=False)
            done += more
        return list(done)

    def _take(self, answer: tuple[Sequence[Addressed], bytes]) -> None:
        """Call the groups that go on, and read the head."""
        gos, head = answer
        cpus = self._actors.cpus
        for group, frame in gos:
            self._calls[cpus[group].go.remote(frame)] = group
        self.head = head_of(head)
        self.verdict = self.head[1]

    def pause(self) -> bool:
        """Let all stand where they are, with everything served that they ask for.

        Returns:
            Whether they stand and ``go_on`` lets them go on; else the run has come to its verdict.

        Raises:
            LpFailure, ActorLost, KeyboardInterrupt, TimeUp: as for ``round``.
        """
        self._watch.get([self._actors.kernel.pause.remote()])
        while self._calls:
            self.round()
        return not self.verdict

    def go_on(self) -> None:
        """Go on after ``pause``."""
        self.begin()

    def rest(self) -> None:
        """Let all come to rest where they are: the run is to end from outside.

        Raises:
            ActorLost, KeyboardInterrupt, TimeUp: as for ``round``.
        """
        self._watch.get(self._actors.pulse("halt"))
        while self._calls and not self.verdict:
            self.round()

    def close(self) -> bool:
        """Return whether the actors still answer calls."""
        return True
