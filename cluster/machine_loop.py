"""The loop that runs a machine, the same for every engine.

A *transport* takes the machine from one round to the next: it lets the CPUs go and brings what they
ask for to the kernel, in one process (``cluster.transport.local``) or over Ray
(``cluster.transport.ray_shm``, ``ray_graph``, ``ray_calls``). Between two rounds, where everything
that there is so far is valid, the engine may look: take traces and outputs, tell the progress, or
stop.
"""

from typing import Final, Protocol

LOOK_EVERY: Final = 32  # rounds between two looks; also where traces are cut
LOOK_EVERY_TURNS: Final = 1024  # the same where a round is one event


class Transport(Protocol):
    """Takes the machine from round to round. How a scheme decides is not its business."""

    verdict: str  # of ``cluster.lps``; RUNNING: "" while the run goes on

    def begin(self) -> None:
        """Let the kernel say where the CPUs begin."""
        ...

    def round(self) -> None:
        """Let the CPUs and then the kernel make one round, or several."""
        ...


class Controls(Protocol):
    """What an engine does between two rounds."""

    def stop(self) -> tuple[str, str] | None:
        """Return exit kind and message if the run is to end here; asked before every round."""
        ...

    def look(self) -> None:
        """See whether it is time to look; called after every round."""
        ...


def run_machine_loop(transport: Transport, controls: Controls) -> tuple[str, str] | None:
    """Run rounds until the machine comes to a verdict (None) or the engine stops it.

    Returns:
        What ``Controls.stop`` said, or None: ``transport.verdict`` says how it ended.
    """
    transport.begin()
    while not transport.verdict:
        stopped = controls.stop()
        if stopped is not None:
            return stopped
        transport.round()
        controls.look()
    return None
