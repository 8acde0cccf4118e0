"""Loops that wait: whoever goes round in one and changes nothing need not go round again.

A program that spins comes back to a system call (an access to shared memory is one) with all its
variables, its place in the source and its arguments as they were, having read what nobody has
written since. It would go round in the same way until somebody writes it, so until then it is not
offered: all runs that differ in the number of such turns are one. (loom and GenMC do the same with
loops that they know as spinning; here a turn is compared, so a loop that counts is none.)

A turn that writes, or takes a lock, changes something. Where other tasks queue on its CPU a turn
may let them go (``sched_yield()``), and they must be offered that.

Source: Kokologiannakis, Ren, Vafeiadis, Dynamic Partial Order Reductions for
Spinloops (FMCAD 2021).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cluster.race.dpor import LOCK, READ, Key, Touched
from workloads.language.context import Context

_MOST_CALLS: Final = 64  # that change nothing, in a row: what a turn may have


@dataclass(slots=True)
class _Turns:
    """What an actor has done since it changed something, or somebody what it had read.

    Attributes:
        states: of its program at each of its calls.
        reads: what it has read.
        serial: of the call that was looked at last; ``spins``: it comes from a turn like the last.
    """

    states: dict[str, None] = field(default_factory=dict)
    reads: dict[Key, None] = field(default_factory=dict)
    serial: int = -1
    spins: bool = False


class Spins:
    """Tells who spins in one run."""

    def __init__(self) -> None:
        self._turns: dict[int, _Turns] = {}
        self._written: dict[int, int] = {}  # actor -> place of the step that ended its spinning

    def comes(self, actor: int, serial: int, state: str, numbers: Collection[Key]) -> bool:
        """Return whether a call need not begin, as nothing can be another than it was.

        Args:
            state: of the program; empty: it is not known, or others wait for the CPU.
            numbers: what in addition must stay as it is.
        """
        turns = self._turns.setdefault(actor, _Turns())
        if turns.serial != serial:
            turns.serial = serial
            turns.spins = state != "" and state in turns.states
            if not state or len(turns.states) > _MOST_CALLS:
                turns.states.clear()
                turns.reads.clear()
            if state:
                turns.states[state] = None
                turns.reads.update(dict.fromkeys(numbers))
        return turns.spins

    def known(self, actor: int, serial: int) -> bool:
        """Tell whether this call has been looked at."""
        turns = self._turns.get(actor)
        return turns is not None and turns.serial == serial

    def did(self, actor: int, touched: Touched, place: int) -> None:
        """Note a step."""
        mine = self._turns.get(actor)
        changes = False
        for key, mode in touched.items():
            if mode == READ and key[1] != LOCK:
                continue
            changes = True
            for other, turns in self._turns.items():
                if other != actor and key in turns.reads:
                    turns.states.clear()
                    turns.reads.clear()
                    if turns.spins:
                        turns.spins = False
                        self._written[other] = place
        if mine is not None:
            if changes:
                mine.states.clear()
                mine.reads.clear()
            else:
                mine.reads.update(dict.fromkeys(touched))

    def ended_by(self, actor: int) -> list[int]:
        """Return what an actor that has spun had to wait for: the place of a step."""
        place = self._written.pop(actor, None)
        return [] if place is None else [place]


def state_of(cpus: Mapping[int, Any], pid: int, cpu: int) -> str:
    """Return all that a program has in its own memory, where it stands and what it asks for."""
    task = cpus[cpu].tasks.get(pid)
    context = None if task is None else task.ctx
    if type(context) is not Context:
        return ""
    plain = context.pack()
    for one in plain["contexts"]:
        del one["memory"]  # how much it has made so far
    return repr((task.op, plain))
