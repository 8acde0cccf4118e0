"""A scheme from outside the project: what has arrived is served in an order that nobody can know.

One file, and one line in a configuration. By the rule of ``barrier`` it is not deterministic: the
order is drawn from the host's entropy, as that in which messages of free-running CPUs arrive.
"""

import random

from cluster.sync.scheme import NO_FURTHER, Pending, Settings, View
from kernel.messages import NEVER, R_CPU, Request


class Shuffled:
    """Serves the CPUs in any order, and lets them run up to a bound ahead of the slowest."""

    name = "shuffled"
    deterministic = False
    engines = frozenset(("local",))
    settles = False

    def __init__(self, settings: Settings) -> None:
        self.random = random.Random()
        self.bound_ns = 2 * settings.quantum_ns
        self.horizon_ns = 0
        self.served = False

    def limit(self, view: View) -> int:
        """Serve once in a round, up to where the CPUs have run."""
        self.served = not self.served
        return self.horizon_ns if self.served else NO_FURTHER

    def ready(self, pending: Pending, view: View) -> list[Request]:
        """Mix the CPUs, and keep each one's requests in their order."""
        of_cpu: dict[int, list[Request]] = {}
        for request in pending.due(self.horizon_ns):
            of_cpu.setdefault(request[R_CPU], []).append(request)
        ready = []
        while of_cpu:
            cpu = self.random.choice(list(of_cpu))
            ready.append(of_cpu[cpu].pop(0))
            if not of_cpu[cpu]:
                del of_cpu[cpu]
        return ready

    def horizons(self, view: View) -> int:
        """Let all run up to the bound."""
        self.horizon_ns = min(view.advance() + self.bound_ns, NEVER - 1)
        return self.horizon_ns


class Forgetful(Shuffled):
    """Breaks a rule: a CPU's requests are served backwards."""

    name = "forgetful"

    def ready(self, pending: Pending, view: View) -> list[Request]:
        """Serve the last first."""
        return pending.due(self.horizon_ns)[::-1]
