"""Litmus tests whose accesses a memory model of the kernel does."""

from types import SimpleNamespace
from typing import Any

from kernel.drive.memory import make_memory_model
from kernel.drive.ways import versioned
from kernel.memory.commit_clock import CommitClock
from kernel.memory.views import Views
from kernel.points import (
    BARRIER,
    LOAD,
    LOAD_ACQUIRE,
    READ_BARRIER,
    STORE,
    STORE_RELEASE,
    WRITE_BARRIER,
)
from workloads.litmus.machines.explore import count
from workloads.litmus.machines.program import BRANCH, FENCE, JUMP, SET, Op, Program
from workloads.litmus.machines.program import LOAD as LOADS
from workloads.litmus.machines.program import STORE as STORES
from workloads.litmus.oracle import Outcome, shown_places
from workloads.litmus.test import ACQUIRE, RELEASE, Litmus

FENCES = {"mb": BARRIER, "rmb": READ_BARRIER, "wmb": WRITE_BARRIER}


class Machine:
    """A litmus test whose accesses a model of the kernel does; ``schedule`` says who goes next."""

    def __init__(self, program: Program, model: str, schedule: tuple[int, ...]) -> None:
        self.program = program
        self.model = make_memory_model(model)
        self.versions = versioned(self.model)
        self.cells = [SimpleNamespace(v=value) for value in self.program.first]
        self.registers = [list(code.first) for code in self.program.codes]
        self.pc = [0] * len(self.program.codes)
        for choice in schedule:
            self.go(choice)

    def choices(self) -> int:
        return len(self.model.drains()) + sum(self.ways(cpu) for cpu in self.going())

    def going(self) -> list[int]:
        return [cpu for cpu, code in enumerate(self.program.codes) if self.pc[cpu] < len(code.ops)]

    def ways(self, cpu: int) -> int:
        op = self.program.codes[cpu].ops[self.pc[cpu]]
        if self.versions is None or op.kind not in (LOADS, STORES):
            return 1
        kind = _kind(op)
        return self.versions.ways(cpu, kind, (self.cell(cpu, op), "v", None))

    def cell(self, cpu: int, op: Op) -> Any:
        return self.cells[self.program.number[op.address(tuple(self.registers[cpu]))]]

    def go(self, choice: int) -> None:
        drains = self.model.drains()
        if choice < len(drains):
            self.model.drain(drains[choice])
            return
        choice -= len(drains)
        for cpu in self.going():
            ways = self.ways(cpu)
            if choice < ways:
                break
            choice -= ways
        if self.versions is not None:
            self.versions.way = choice
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
        elif op.kind == LOADS:
            self.registers[cpu][op.register] = self.model.load(
                cpu, self.cell(cpu, op), "v", _kind(op)
            )
        else:
            assert op.kind == STORES
            self.model.store(cpu, self.cell(cpu, op), "v", op.value(registers), _kind(op))
        if self.versions is not None:
            self.versions.settle(cpu)

    def state(self) -> Any:
        """Return all that decides what can still happen."""
        registers = tuple(map(tuple, self.registers))
        return tuple(self.pc), registers, self.end()[0], self._inside()

    def _inside(self) -> Any:
        model: Any = self.model
        cpus = range(len(self.pc))
        number = {id(cell): place for place, cell in enumerate(self.cells)}
        if isinstance(model, CommitClock):
            return (
                model._now,
                tuple(
                    (
                        tuple((number[id(e.op[2][0])], e.op[2][2], e.epoch) for e in me.buffer),
                        (me.epoch, me.floor, me.latest, me.released),
                        tuple(sorted((number[id(p.obj)], time) for p, time in me.seen.items())),
                    )
                    for me in map(model._cpu, cpus)
                ),
                tuple(
                    (number[id(p.obj)], tuple((v.time, v.value) for v in p.versions))
                    for p in sorted(model._places.all(), key=lambda p: number[id(p.obj)])
                ),
            )
        if isinstance(model, Views):
            rows = sorted(model._places.all(), key=lambda p: number[id(p.obj)])

            def told(view: Any) -> Any:
                return tuple(p.versions.index(view[p]) if p in view else 0 for p in rows)

            return tuple(
                tuple(map(told, (me.p, me.r, me.b, me.o, me.l))) for me in map(model._cpu, cpus)
            ), tuple(
                (number[id(p.obj)], tuple((s.cpu, s.value, told(s.message)) for s in p.versions))
                for p in rows
            )
        waiting = getattr(model, "_waiting", {})
        buffers = tuple(
            tuple((number[id(e.op[2][0])], e.op[2][2], e.epoch) for e in waiting.get(cpu, ()))
            for cpu in cpus
        )
        return buffers, tuple(getattr(model, "_epochs", {}).get(cpu, 0) for cpu in cpus)

    def end(self) -> tuple[tuple[Any, ...], ...]:
        return (tuple(cell.v for cell in self.cells), *map(tuple, self.registers))


def _kind(op: Op) -> int:
    if op.kind == LOADS:
        return LOAD_ACQUIRE if op.order == ACQUIRE else LOAD
    return STORE_RELEASE if op.order == RELEASE else STORE


def explore_kernel(test: Litmus, model: str) -> Outcome:
    """Return every final state; a state is made again by its schedule."""
    outcome = Outcome(shown_places(test))
    program = Program(test)
    seen: set[Any] = set()
    ends: set[Any] = set()
    todo: list[tuple[int, ...]] = [()]
    while todo:
        schedule = todo.pop()
        machine = Machine(program, model, schedule)
        state = machine.state()
        if state in seen:
            continue
        seen.add(state)
        choices = machine.choices()
        if not choices and machine.end() not in ends:
            ends.add(machine.end())
            count(outcome, test, program, machine.end())
        todo += [(*schedule, choice) for choice in range(choices)]
    return outcome
