"""The kernel's models tso and pso show what the machines of litmus tests show."""

from types import SimpleNamespace
from typing import Any

import pytest

from kernel.drive.memory import make_memory_model
from kernel.points import (
    BARRIER,
    LOAD,
    LOAD_ACQUIRE,
    READ_BARRIER,
    STORE,
    STORE_RELEASE,
    WRITE_BARRIER,
)
from workloads.litmus.machines.explore import MACHINES, count, explore
from workloads.litmus.machines.program import BRANCH, FENCE, JUMP, SET, Program
from workloads.litmus.machines.program import LOAD as LOADS
from workloads.litmus.machines.program import STORE as STORES
from workloads.litmus.oracle import Outcome, shown_places
from workloads.litmus.parser import parse_litmus
from workloads.litmus.shapes import make_shape, variant_names
from workloads.litmus.test import ACQUIRE, RELEASE, Litmus

FENCES = {"mb": BARRIER, "rmb": READ_BARRIER, "wmb": WRITE_BARRIER}


class Machine:
    """A litmus test whose accesses a model of the kernel does; ``schedule`` says who goes next."""

    def __init__(self, test: Litmus, model: str, schedule: tuple[int, ...]) -> None:
        self.program = Program(test)
        self.model = make_memory_model(model)
        self.cells = [SimpleNamespace(v=value) for value in self.program.first]
        self.registers = [list(code.first) for code in self.program.codes]
        self.pc = [0] * len(self.program.codes)
        for choice in schedule:
            self.go(choice)

    def choices(self) -> int:
        return len(self.model.drains()) + len(self.going())

    def going(self) -> list[int]:
        return [cpu for cpu, code in enumerate(self.program.codes) if self.pc[cpu] < len(code.ops)]

    def go(self, choice: int) -> None:
        drains = self.model.drains()
        if choice < len(drains):
            self.model.drain(drains[choice])
            return
        cpu = self.going()[choice - len(drains)]
        op = self.program.codes[cpu].ops[self.pc[cpu]]
        registers = tuple(self.registers[cpu])
        self.pc[cpu] += 1
        if op.kind == SET:
            self.registers[cpu][op.register] = op.value(registers)
        elif op.kind in (BRANCH, JUMP):
            if op.kind == JUMP or not op.value(registers):
                self.pc[cpu] = op.target
        elif op.kind == FENCE:
            self.model.barrier(cpu, FENCES[op.order])
        else:
            cell = self.cells[self.program.number[op.address(registers)]]
            if op.kind == LOADS:
                kind = LOAD_ACQUIRE if op.order == ACQUIRE else LOAD
                self.registers[cpu][op.register] = self.model.load(cpu, cell, "v", kind)
            else:
                assert op.kind == STORES
                kind = STORE_RELEASE if op.order == RELEASE else STORE
                self.model.store(cpu, cell, "v", op.value(registers), kind)

    def state(self) -> Any:
        """Return all that decides what can still happen."""
        waiting = getattr(self.model, "_waiting", {})
        number = {id(cell): place for place, cell in enumerate(self.cells)}
        buffers = tuple(
            tuple((number[id(e.op[2][0])], e.op[2][2], e.epoch) for e in waiting.get(cpu, ()))
            for cpu in range(len(self.pc))
        )
        epochs = tuple(
            getattr(self.model, "_epochs", {}).get(cpu, 0) for cpu in range(len(self.pc))
        )
        registers = tuple(map(tuple, self.registers))
        return tuple(self.pc), registers, self.end()[0], buffers, epochs

    def end(self) -> tuple[tuple[Any, ...], ...]:
        return (tuple(cell.v for cell in self.cells), *map(tuple, self.registers))


def explore_kernel(test: Litmus, model: str) -> Outcome:
    """Return every final state; a state is made again by its schedule."""
    outcome = Outcome(shown_places(test))
    seen: set[Any] = set()
    ends: set[Any] = set()
    todo: list[tuple[int, ...]] = [()]
    while todo:
        schedule = todo.pop()
        machine = Machine(test, model, schedule)
        state = machine.state()
        if state in seen:
            continue
        seen.add(state)
        choices = machine.choices()
        if not choices and machine.end() not in ends:
            ends.add(machine.end())
            count(outcome, test, machine.program, machine.end())
        todo += [(*schedule, choice) for choice in range(choices)]
    return outcome


@pytest.mark.parametrize("model", ["sc", "tso", "pso"])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name.count("+") < 3 else pytest.mark.slow)
        for name in variant_names()
    ],
)
def test_a_kernels_model_leaves_each_shape_in_the_states_of_the_litmus_machine(
    name: str, model: str
) -> None:
    test = parse_litmus(make_shape(name))
    assert model in MACHINES
    assert set(explore_kernel(test, model).states) == set(explore(test, model).states)
