"""Scheme ``slack``: as ``lax``, and no CPU goes further than ``slack`` ahead of the slowest.

The slowest is whoever can be the next to do anything: a CPU, by where it last said it stands; the
kernel, by its next timer; or a CPU for which a message is under way, by the message's time. Who
idles or waits for an answer holds nobody up. Whoever would go beyond the bound waits until the
slowest has moved, so the bound holds at every moment.

The bound is checked where requests arrive: one from beyond it ends the run. What a CPU *does* lies
within it; a context switch or a tick that has begun is finished, so a clock may stand some
microseconds further. A note that a CPU posts while it takes in a message is none of its steps.

Source: the scheme LaxP2P of Graphite (Miller et al., HPCA 2010), there by pairs of CPUs; bounded
slack in SlackSim (Chen, Annavaram, Dubois, 2009).
"""

from cluster.sync.lax import Lax
from cluster.sync.scheme import Horizons, SchemeError, Settings, View
from kernel.messages import END, R_CPU, R_TIME, Request


class Slack(Lax):
    """See the module header.

    Raises:
        SchemeError: no slack is given; by ``ready``, if a CPU was further ahead than that.
    """

    name = "slack"
    parameter = "slack"

    __slots__ = ("_slack_ns",)

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        if settings.slack_ns is None:
            raise SchemeError("scheme slack needs sync.slack: how far a CPU may be ahead")
        self._slack_ns = settings.slack_ns

    def look(self, request: Request, view: View) -> None:
        """See that the bound holds.

        Raises:
            SchemeError: it does not.
        """
        if self.furthest_ns > self._slack_ns:
            raise SchemeError(
                f"scheme slack: cpu {request[R_CPU]} asks at {request[R_TIME]} ns, "
                f"{self.furthest_ns} ns ahead of the slowest, and {self._slack_ns} ns are allowed"
            )

    def horizons(self, view: View) -> Horizons:
        """See ``Scheme.horizons``: whoever stands still, if it has something to do in bounds."""
        bound_ns = min(view.advance() + self._slack_ns, END)
        quantum_ns = self._quantum_ns
        return {
            cpu: min(next_ns + quantum_ns, bound_ns)
            for cpu, next_ns in view.waiting.items()
            if next_ns <= bound_ns
        }
