"""Scheme ``free``: at granularity ``step`` every path that is in the kernel may go next.

``exact`` lets go whoever is earliest in virtual time, so that time decides nearly all orders and
only hold-ups change them. Under ``free`` all CPUs first run on to where they need the kernel, or
have nothing to do; then the paths that stand in it are all due, whatever their clocks say, and the
chooser (``kernel.drive.chooser``) takes one. Whoever is passed over goes on later, so virtual time
still never runs backwards: each order is one that hold-ups of some lengths give. After each step
the CPUs run on again, for what the step did may have brought them something to do.

How far ahead of a path its CPU's rivals may run is the hold-up that the chooser gives each path
before its step: a chooser for ``free`` gives long ones.

Between two points nothing is free; at granularity ``syscall`` it is ``exact``.
"""

from cluster.sync.exact import InTurn
from cluster.sync.scheme import Pending, View
from kernel.messages import END, Request


class Free(InTurn):
    """See the module header."""

    name = "free"
    single_steps = True

    __slots__ = ()

    def _kernel_limit(self, view: View) -> int:
        """Return how far the kernel goes, whose turn it is: its own next timer or request."""
        return max(view.due_ns, min(view.first_ns, END) - 1)

    def ready(self, pending: Pending, view: View) -> list[Request]:
        """See ``Scheme.ready``: what has been asked for by the time of the earliest step."""
        return pending.due(view.due_ns)
