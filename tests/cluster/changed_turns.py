"""Actors whose turns are other than they were: one dies in its turn, is late, or takes long.

What is changed is in the actor's process, so it happens at the same turn however fast anything is.
"""

import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import process_time
from typing import Any

from cluster.ray_watch import Actors, Watch


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one actor.

    Attributes:
        actor: its number; -1: the kernel's.
        dies: at which turn, and whether before it is made or after, with the answer unsaid.
        late_s: it says each answer so much later: a slow line.
        busy: at which turn it computes for how many seconds of CPU time.
        poor: from which turn on it gets no more memory from its host than so many bytes.
    """

    actor: int
    dies: tuple[int, str] | None = None
    late_s: float = 0.0
    busy: tuple[int, float] | None = None
    poor: tuple[int, int] | None = None


def change_turns(actors: Actors, change: Change, watch: Watch) -> None:
    """Change the turns of an actor from now on."""
    watch.get([actors.all()[change.actor].__ray_call__.remote(_change, change)])


def _change(actor: Any, change: Change) -> None:
    turn = actor._turn

    def changed(answer: Callable[..., bytes], *arguments: Any) -> bytes:
        number = actor._turns + 1
        if change.busy is not None and number == change.busy[0]:
            until_s = process_time() + change.busy[1]
            while process_time() < until_s:
                pass
        if change.poor is not None and number == change.poor[0]:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            most = pages * resource.getpagesize() + change.poor[1]
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        if change.dies == (number, "before"):
            os.kill(os.getpid(), signal.SIGKILL)
        said: bytes = turn(answer, *arguments)
        if change.dies == (number, "after"):
            os.kill(os.getpid(), signal.SIGKILL)
        if change.late_s:
            Event().wait(change.late_s)
        return said

    actor._turn = changed
