"""Source-DPOR under store buffers, against a plain search: drains are actors, barriers wait."""

from dataclasses import dataclass, field
from random import Random

import pytest

from cluster.race.dpor import READ, WRITE, Explorer, Step, Touched, Walk

# (operation, variable, value)
Op = tuple[str, int, int]
Program = tuple[tuple[Op, ...], ...]
_VARIABLES = 3


@dataclass(slots=True)
class _Cpus:
    """CPUs with store buffers: ``(variable, value, epoch, place of the store)``, oldest first."""

    program: Program
    by_variable: bool
    memory: list[int] = field(default_factory=lambda: [0] * _VARIABLES)
    places: list[int] = field(default_factory=list)
    loaded: list[tuple[int, ...]] = field(default_factory=list)
    buffers: list[list[tuple[int, int, int, int]]] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.places:
            cpus = len(self.program)
            self.places, self.loaded = [0] * cpus, [()] * cpus
            self.buffers, self.epochs = [[] for _ in range(cpus)], [0] * cpus

    def copy(self) -> "_Cpus":
        return _Cpus(
            self.program,
            self.by_variable,
            list(self.memory),
            list(self.places),
            list(self.loaded),
            [list(one) for one in self.buffers],
            list(self.epochs),
        )

    def end(self) -> tuple[object, ...]:
        return tuple(self.memory), tuple(self.loaded)

    def state(self) -> tuple[object, ...]:
        buffers = tuple(tuple(one[:3] for one in each) for each in self.buffers)
        return (*self.end(), tuple(self.places), buffers, tuple(self.epochs))

    def op(self, cpu: int) -> Op | None:
        ops, place = self.program[cpu], self.places[cpu]
        return ops[place] if place < len(ops) else None

    def drains(self, cpu: int) -> list[int]:
        """Return the places in its buffer that may become visible next."""
        buffer = self.buffers[cpu]
        if not self.by_variable:
            return [0] if buffer else []
        return [
            at
            for at, one in enumerate(buffer)
            if one[2] == buffer[0][2] and all(one[0] != two[0] for two in buffer[:at])
        ]

    def enabled(self, waits: bool) -> list[int]:
        """Return the actors: CPUs, and below 0 what becomes visible.

        Args:
            waits: what empties a buffer waits until it is empty, and else empties it.
        """
        able = []
        for cpu in range(len(self.program)):
            op = self.op(cpu)
            if op is not None and not (waits and op[0] in ("mb", "swap") and self.buffers[cpu]):
                able.append(cpu)
            for at in self.drains(cpu):
                variable = self.buffers[cpu][at][0] if self.by_variable else 0
                able.append(-1 - cpu * _VARIABLES - variable)
        return able

    def take(self, actor: int, place: int) -> tuple[Touched, int, tuple[int, int, int, int] | None]:
        """Return what a step touched, of which CPU it was, and what became visible."""
        if actor < 0:
            cpu, variable = divmod(-1 - actor, _VARIABLES)
            at = 0
            if self.by_variable:
                at = next(n for n in self.drains(cpu) if self.buffers[cpu][n][0] == variable)
            one = self.buffers[cpu].pop(at)
            self.memory[one[0]] = one[1]
            return {(one[0], "value"): WRITE}, cpu, one
        cpu = actor
        op = self.op(cpu)
        assert op is not None
        name, variable, value = op
        self.places[cpu] += 1
        buffer = self.buffers[cpu]
        touched: Touched = {}
        if name in ("mb", "swap"):
            for one in buffer:
                self.memory[one[0]] = one[1]
            buffer.clear()
        if name == "store":
            buffer.append((variable, value, self.epochs[cpu], place))
        elif name == "wmb":
            self.epochs[cpu] = buffer[-1][2] + 1 if buffer else 0
        elif name == "load":
            mine = [one for one in buffer if one[0] == variable]
            self.loaded[cpu] += (mine[-1][1] if mine else self.memory[variable],)
            touched = {(variable, "value"): READ}  # from the buffer, too: not so once it is seen
        elif name == "swap":
            self.loaded[cpu] += (self.memory[variable],)
            self.memory[variable] = value
            touched = {(variable, "value"): READ | WRITE}
        return touched, cpu, None


def _explored(program: Program, by_variable: bool, most: int) -> tuple[set[object], Explorer]:
    found: set[object] = set()

    def run(walk: Walk) -> None:
        cpus = _Cpus(program, by_variable)
        drained: dict[int, list[tuple[int, int]]] = {}
        place = 0
        while enabled := cpus.enabled(waits=True):
            actor = walk.choose(enabled)
            op = cpus.op(actor) if actor >= 0 else None
            touched, cpu, visible = cpus.take(actor, place)
            needs: list[int] = []
            before = drained.setdefault(cpu, [])
            if visible is not None:
                needs = [visible[3], *(at for epoch, at in before if epoch < visible[2])]
                before.append((visible[2], place))
            elif op is not None and op[0] in ("mb", "swap"):
                needs = [at for _epoch, at in before]
            walk.did(Step(actor, touched, needs))
            place += 1
        found.add(cpus.end())

    explorer = Explorer(run)
    for _ in range(most):
        if explorer.next() is None:
            break
    return found, explorer


def _all_ends(program: Program, by_variable: bool) -> set[object]:
    first = _Cpus(program, by_variable)
    ends: set[object] = set()
    seen = {first.state()}
    left = [first]
    while left:
        cpus = left.pop()
        enabled = cpus.enabled(waits=False)
        if not enabled:
            ends.add(cpus.end())
        for actor in enabled:
            after = cpus.copy()
            after.take(actor, 0)
            if after.state() not in seen:
                seen.add(after.state())
                left.append(after)
    return ends


def _random_program(random: Random) -> Program:
    kinds = ("store", "store", "store", "load", "load", "load", "mb", "wmb", "swap")
    return tuple(
        tuple(
            (random.choice(kinds), random.randrange(_VARIABLES), random.randint(1, 2))
            for _ in range(random.randint(1, 4))
        )
        for _ in range(random.choice((2, 2, 3)))
    )


@pytest.mark.parametrize("by_variable", [False, True], ids=["tso", "pso"])
def test_dpor_finds_exactly_the_ends_that_store_buffers_have(by_variable: bool) -> None:
    for seed in range(120):
        program = _random_program(Random(seed))
        found, explorer = _explored(program, by_variable, 2_500)
        ends = _all_ends(program, by_variable)
        assert found <= ends, (seed, program)
        if explorer.counts.complete:
            assert found == ends, (seed, program)


def test_two_stores_change_places_under_pso_and_not_under_tso() -> None:
    program: Program = (
        (("store", 0, 1), ("store", 1, 1)),
        (("load", 1, 0), ("load", 0, 0)),
    )
    late = ((1, 1), ((), (1, 0)))

    def seen(by_variable: bool) -> bool:
        found, explorer = _explored(program, by_variable, 10_000)
        assert explorer.counts.complete
        return any(end[1] == late[1] for end in found)  # type: ignore[index]

    assert seen(True)
    assert not seen(False)
