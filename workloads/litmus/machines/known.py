"""States of the view machine that nobody can tell apart, made one.

What a view says of a location matters only if somebody will touch the location again, and only as
far as somebody's loads or stores there can still tell it from what is older. So a row loses what
nobody can read any more, a view what it says of such, and a CPU the views that nothing ahead of it
asks for.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from workloads.litmus.machines.program import (
    FENCE,
    LOCK,
    RMW,
    STORE,
    TRYLOCK,
    UNLOCK,
    Code,
    Program,
)

if TYPE_CHECKING:
    from workloads.litmus.machines.views import Cpu, Rows, State, View

_TAKES: Final = (LOCK, TRYLOCK, UNLOCK)


class Ahead:
    """What a process asks for from each of its instructions on.

    ``uses``: registers of addresses and values, as a mask; ``loaded``: what its loads have brought
    together; ``own``: its own stores; ``carried``: what its stores carry along.
    """

    __slots__ = ("carried", "loaded", "own", "uses")

    def __init__(self, code: Code) -> None:
        end = len(code.ops)
        self.uses = [0] * (end + 1)
        self.loaded = [False] * (end + 1)
        self.own = [False] * (end + 1)
        self.carried = [False] * (end + 1)
        for pc in range(end - 1, -1, -1):
            op = code.ops[pc]
            for register in (*op.address_uses, *op.value_uses):
                self.uses[pc] |= 1 << register
            fence = op.order if op.kind == FENCE else ""
            self.loaded[pc] = fence == "rmb"
            self.own[pc] = fence == "wmb" or op.kind in _TAKES
            self.carried[pc] = op.kind in (STORE, RMW, *_TAKES)
            for after in (pc + 1, max(pc + 1, op.target)):
                self.uses[pc] |= self.uses[after]
                self.loaded[pc] |= self.loaded[after]
                self.own[pc] |= self.own[after]
                self.carried[pc] |= self.carried[after]


class Kept:
    """What of the views of one state is kept. ``touched``: of each CPU, what it may still touch;
    ``loads``: what anybody may still load; both masks of locations.
    """

    __slots__ = ("_base", "_done", "_loads", "_rows", "_sets")

    def __init__(self, state: "State", touched: Sequence[int], loads: int) -> None:
        rows, _, cpus = state
        self._loads = loads
        kept = []
        for place, row in enumerate(rows):
            at = len(row) - 1
            for cpu, mask in zip(cpus, touched, strict=True):
                if at and mask >> place & 1:
                    at = min(at, row.index(cpu.r[place]))
                    for _, location, floor in cpu.pending:
                        if location == place:
                            at = min(at, row.index(floor))
            kept.append(row[at:] if at else row)
        self._rows: Rows = tuple(kept)
        self._base: View = tuple(row[0] for row in kept)
        self._sets = [frozenset(row) for row in kept]
        self._done: dict[View, View] = {}

    def view(self, view: "View") -> "View":
        """Return what is kept of ``view``."""
        found = self._done.get(view)
        if found is None:
            found = tuple(
                store if store in row else first
                for store, row, first in zip(view, self._sets, self._base, strict=True)
            )
            self._done[view] = found
        return found

    def state(self, state: "State", program: Program, ahead: Sequence[Ahead]) -> "State":
        """Return what is kept of ``state``."""
        rows, base, view = self._rows, self._base, self.view
        stores = []
        for entry in state[1]:
            number, made = entry
            place = made.location
            if number not in self._sets[place]:
                continue
            if self._loads >> place & 1:
                own = None if made.own is None else view(made.own)
                made = made._replace(
                    message=view(made.message), depends=view(made.depends), own=own
                )
            else:
                value = made.value if number == rows[place][-1] else 0
                made = made._replace(value=value, message=base, depends=base, own=None)
            stores.append((number, made))
        cpus = [
            self._ended(cpu, program.is_reader(number))
            if cpu.pc == len(code.ops) and not cpu.pending
            else self._cpu(cpu, each)
            for number, (cpu, code, each) in enumerate(
                zip(state[2], program.codes, ahead, strict=True)
            )
        ]
        return rows, tuple(stores), tuple(cpus)

    def _ended(self, cpu: "Cpu", is_reader: bool) -> "Cpu":
        """Return what is kept of a CPU that has ended: of a reader, what it knows."""
        base = self._base
        p = self.view(cpu.p) if is_reader else base
        return cpu._replace(views=(base,) * len(cpu.views), p=p, r=p, b=p, o=base, l=p)

    def _cpu(self, cpu: "Cpu", ahead: Ahead) -> "Cpu":
        base, view = self._base, self.view
        pc = cpu.pc
        uses = ahead.uses[pc]
        return cpu._replace(
            views=tuple(
                view(each) if uses >> register & 1 else base
                for register, each in enumerate(cpu.views)
            ),
            p=view(cpu.p),
            r=view(cpu.r),
            b=view(cpu.b) if ahead.carried[pc] else base,
            o=view(cpu.o) if ahead.own[pc] else base,
            l=view(cpu.l) if ahead.loaded[pc] else base,
            pending=tuple(
                (register, place, floor if floor in self._sets[place] else base[place])
                for register, place, floor in cpu.pending
            ),
        )
