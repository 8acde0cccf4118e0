"""A real KernelState without CPUs: tests make the system calls of any task, one at a time.

A call that sleeps gives ``SLEEP``; when something woke the task, ``resume`` lets it go on.
"""

from functools import partial
from typing import Any

import pytest

from kernel import messages as m
from kernel.check.invariants import check_kernel
from kernel.cpu.position import ASKED, MOVES
from kernel.errors import GuestFault, KernelError
from kernel.machine import FileSpec, ImageSpec, MachineSpec, SpawnSpec
from kernel.state import KernelState
from kernel.task import TaskStruct
from kernel.uapi import syscalls as nr
from kernel.uapi.signals import OP_EINTR, OP_FAULTED, OP_NOT_BEGUN

SLEEP, DEAD, EXEC = "sleep", "dead", "exec"
EINTR, NOT_BEGUN, FAULTED = "EINTR", "not begun", "faulted"
_STEPS_NS = 5_000_000  # long enough for any call to end at granularity step


class Context:
    """A user context that remembers what its last call gave."""

    def __init__(self) -> None:
        self.steps = 1
        self.last: tuple[Any, Any] = (None, None)

    def resume(self, value: Any, error: Any) -> Any:
        self.last = (value, error)
        return (nr.NR_PREEMPT_POINT,)

    def fork(self) -> "Context":
        return Context()

    share = fork

    def thread(self, start: Any) -> "Context":
        return Context()

    def pack(self) -> Any:
        return None


class NoLoader:
    def start(self, image: str, argv: Any, env: Any, start: int = 0) -> Any:
        raise AssertionError("CPUs load programs")

    def unpack(self, data: Any) -> Any:
        raise AssertionError


def image(program: str) -> FileSpec:
    return FileSpec(mode=0o755, image=ImageSpec(program))


class Machine:
    """The kernel, and ``first``: a process that the configuration started (path /bin/first)."""

    SLEEP, DEAD, EXEC = SLEEP, DEAD, EXEC
    EINTR, NOT_BEGUN, FAULTED = EINTR, NOT_BEGUN, FAULTED

    def __init__(self, **spec: Any) -> None:
        files = {
            "/bin/first": image("first"),
            "/bin/true": image("true"),
            "/usr/bin/python3": image("python3"),
            "/bin/private": FileSpec(mode=0o644, image=ImageSpec("private")),
            "/bin/text": FileSpec(mode=0o755, content=b"hello\n"),
            "/bin/empty": FileSpec(mode=0o755),
            "/bin/script": FileSpec(mode=0o755, content=b"#!/bin/true -x y \nrest\n"),
            "/bin/lost": FileSpec(mode=0o755, content=b"#!/no/such\n"),
            "/bin/self": FileSpec(mode=0o755, content=b"#!/bin/self\n"),
            "/prog.py": FileSpec(mode=0o755, content=b"#!/usr/bin/env python3\n"),
        }
        self.k = KernelState(
            MachineSpec(
                cpus=2,
                files=files,
                sources={"/prog.py": ""},
                spawns=(SpawnSpec("/bin/first", ("first",)),),
                **spec,
            ),
            NoLoader(),  # type: ignore[arg-type]
        )
        self.now_ns = 0
        self.seq = [0] * 2
        self.effects: list[m.Effect] = []
        self.handled: tuple[int, ...] = ()  # signals of the last EFF_HANDLE
        self.until_ns = 0
        self.k.run(_STEPS_NS)
        self.first = self.k.find_task(self.k.pids.last)

    def send(self, task: TaskStruct, code: int, *arguments: Any) -> Any:
        self.now_ns = max(self.now_ns, self.k.now_ns) + 1000
        cpu = task.cpu
        self.seq[cpu] += 1
        pid, ctx = task.pid, task.ctx
        times = (task.utime_ns, task.stime_ns, task.nivcsw, task.run_delay_ns)
        request = (self.now_ns, cpu, self.seq[cpu], code, pid, *times)
        self.k.take_effects()
        self.k.deliver([(*request, *arguments)])
        self.k.run(self.now_ns + _STEPS_NS)
        self.effects = [e for box in self.k.take_effects().values() for e in box]
        assert check_kernel(self.k) == []
        pid = next((e[3] for e in self.effects if e[1] == m.EFF_RENAME and e[2] == pid), pid)
        answers = [
            e for e in self.effects if MOVES.get((ASKED, e[1]), ASKED) != ASKED and e[2] == pid
        ]
        assert len(answers) == 1, self.effects
        answer = answers[0]
        if answer[1] in (m.EFF_NEXT, m.EFF_TAKE):
            last = getattr(ctx, "last", (None, None))  # a spawn child keeps its own
            value, error = last if answer[1] == m.EFF_NEXT else answer[4:6]
        elif answer[1] == m.EFF_ERROR:
            value, error = None, answer[3]
        elif answer[1] == m.EFF_RETURN:
            return answer[3]
        elif answer[1] == m.EFF_HANDLE:
            _, _, _, self.handled, how, self.until_ns, value, error = answer
            if how:
                return {OP_EINTR: EINTR, OP_NOT_BEGUN: NOT_BEGUN, OP_FAULTED: FAULTED}[how]
        elif answer[1] == m.EFF_EXEC:
            self.exec_answer = answer
            return EXEC
        else:
            return {m.EFF_SLEEP: SLEEP, m.EFF_DEAD: DEAD, m.EFF_USER: None}[answer[1]]
        if error is not None:
            if error[0] > 0:
                raise KernelError(*error)
            raise GuestFault(error)
        return value

    def call(self, task: TaskStruct, number: int, *arguments: Any, shared: bool = False) -> Any:
        """Make one system call; ``shared``: the context comes along, as for CLONE_VM."""
        ctx = Context() if shared and task.ctx is None else None
        if ctx is not None:
            task.ctx = ctx  # type: ignore[assignment]
        return self.send(task, m.REQ_SYSCALL, (number, *arguments), ctx)

    def resume(self, task: TaskStruct) -> Any:
        """Let a task that was woken go on in its call."""
        assert task.on_rq, f"{task!r} was not woken"
        return self.send(task, m.REQ_CONTINUE)

    def user_work(self, task: TaskStruct) -> Any:
        """Let a running task look at its signals."""
        return self.send(task, m.REQ_USER_WORK, None)

    def fork(self, task: TaskStruct) -> TaskStruct:
        return self.k.find_task(self.call(task, nr.NR_FORK))

    def thread(self, task: TaskStruct) -> TaskStruct:
        return self.k.find_task(self.call(task, nr.NR_THREAD_START, 0, "start", False, shared=True))

    def exit(self, task: TaskStruct, code: int = 0) -> Any:
        return self.call(task, nr.NR_EXIT_GROUP, code)

    def wait(self, task: TaskStruct, pid: int = -1, options: int = 0) -> Any:
        return self.call(task, nr.NR_WAIT4, pid, options)

    def exists(self, pid: int) -> bool:
        return self.k.pids.find_task_by_vpid(pid) is not None

    def errno(self, task: TaskStruct, number: int, *arguments: Any, shared: bool = False) -> int:
        """Make a call that must fail; return its errno."""
        with pytest.raises(KernelError) as failed:
            self.call(task, number, *arguments, shared=shared)
        return failed.value.errno


@pytest.fixture(params=["syscall", "step"])
def make(request: pytest.FixtureRequest) -> Any:
    """Make a machine with these fields of its spec; every test runs at both granularities."""
    return partial(Machine, granularity=request.param)


@pytest.fixture
def machine(make: Any) -> Machine:
    return make()
