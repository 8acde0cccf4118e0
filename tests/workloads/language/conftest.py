"""A kernel of a page: enough to run guest programs that need no real multi-processing.

A forked child runs to its end before its parent goes on; threads run when they are joined. It is
the smallest thing that answers ops, so these tests need no emulated machine.
"""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kernel.uapi import syscalls as nr
from kernel.uapi.failure import failed
from kernel.uapi.start import START_UNBUFFERED
from workloads.language.loader import Loader

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Outcome:
    stdout: str
    stderr: str
    status: int
    fatal: str | None = None
    ops: list[tuple[Any, ...]] = field(default_factory=list)
    steps: int = 0


class MiniKernel:
    """Answers the ops of one program."""

    def __init__(self, limit: int, folder: str) -> None:
        self.folder = folder
        self.out: dict[int, list[bytes]] = {1: [], 2: []}
        self.ops: list[tuple[Any, ...]] = []
        self.next_pid = 100
        self.now_ns = 0
        self.memory: dict[int, bytearray] = {}
        self.next_address = 0x7F0000000000
        self.limit = limit
        self.steps = 0
        self.threads: dict[int, Any] = {}
        self.repack = None

    def run(self, context: Any, pid: int) -> tuple[int, str | None]:
        """Run one process to its end; return (status, fatal message)."""
        children: list[tuple[int, int]] = []
        value: Any = None
        error: Any = None
        while True:
            if self.repack is not None:
                context = self.repack(context)
            op = context.resume(value, error)
            self.steps += context.steps
            self.ops.append(op)
            self.limit -= 1
            assert self.limit > 0, "the program does not end"
            assert op[0] in nr.TABLE
            names = nr.TABLE[op[0]][1]
            needed = [name for name in names if not name.endswith("?")]
            assert len(needed) <= len(op) - 1 <= len(names), op
            value = error = None
            kind = op[0]
            if kind == nr.NR_WRITE:
                if op[1] in self.out:
                    self.out[op[1]].append(op[2])
                    value = len(op[2])
                else:
                    error = failed(9)
            elif kind == nr.NR_FATAL:
                return 1, op[1]
            elif kind == nr.NR_EXIT_GROUP:
                return op[1] & 0xFF, None
            elif kind == nr.NR_EXIT:
                return 0, None
            elif kind in (nr.NR_FORK, nr.NR_VFORK):
                self.next_pid += 1
                child = context.fork() if kind == nr.NR_FORK else context.share()
                number = self.next_pid
                status, fatal = self.run_child(child, number)
                if fatal:
                    return 1, fatal
                children.append((number, status << 8))
                value = number
            elif kind == nr.NR_WAIT4:
                index = next((i for i, c in enumerate(children) if op[1] in (-1, c[0])), None)
                if index is None:
                    error = failed(10)
                else:
                    value = (*children.pop(index), 0, 0)
            elif kind == nr.NR_THREAD_START:
                self.next_pid += 1
                value = self.next_pid
                # by the lock that it holds while it lives: it runs when somebody waits for that
                self.threads[op[4][1] if len(op) > 4 else -value] = context.thread(op[2])
            elif kind == nr.NR_LOCK_ACQUIRE:
                thread = self.threads.pop(op[1], None)
                if thread is not None:
                    self.run(thread, pid)
                value = True
            else:
                value, error = self.simple(op, pid)

    def run_child(self, child: Any, pid: int) -> tuple[int, str | None]:
        memory = {k: bytearray(v) for k, v in self.memory.items()}
        result = self.run_first(child, pid)
        self.memory = memory
        return result

    def run_first(self, child: Any, pid: int) -> tuple[int, str | None]:
        # the child's fork() answers 0: feed it before the common loop
        first = _Fed(child)
        return self.run(first, pid)

    def simple(self, op: tuple[Any, ...], pid: int) -> tuple[Any, Any]:
        kind = op[0]
        if kind == nr.NR_GETPID or kind == nr.NR_GETTID:
            return pid, None
        if kind == nr.NR_CLOCK_GETTIME:
            self.now_ns += 1000
            return self.now_ns, None
        if kind == nr.NR_NANOSLEEP:
            self.now_ns += op[1]
            return None, None
        if kind == nr.NR_MMAP:
            self.next_address += 1 << 20
            self.memory[self.next_address] = bytearray(op[1])
            return self.next_address, None
        if kind == nr.NR_LOAD:
            return bytes(self.memory[op[1]][op[2] : op[2] + op[3]]), None
        if kind == nr.NR_STORE:
            self.memory[op[1]][op[2] : op[2] + len(op[3])] = op[3]
            return None, None
        if kind == nr.NR_GETCWD:
            return self.folder, None
        if kind == nr.NR_CLOSE and op[1] > 2:
            return None, failed(9)
        if kind in (nr.NR_OPEN, nr.NR_STAT, nr.NR_EXECVE):
            return None, failed(2, op[1])
        if kind == nr.NR_KILL:
            return None, failed(3)
        return None, None


class _Fed:
    """A context whose first answer is 0: a child that returns from fork()."""

    def __init__(self, context: Any) -> None:
        self.context = context
        self.first = True

    def resume(self, value: Any, error: Any) -> Any:
        if self.first:
            self.first = False
            return self.context.resume(0, None)
        return self.context.resume(value, error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.context, name)


class Guest:
    """Runs programs emulated and natively."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def emulate(
        self,
        source: str,
        *args: str,
        budget: int = 1_000_000,
        limit: int = 100_000,
        path: str = "prog.py",
        repack: bool = False,
    ) -> Outcome:
        kernel = MiniKernel(limit, str(self.folder))
        loader = Loader({path: source}, budget)
        if repack:
            other = Loader({path: source}, budget)

            def again(context: Any) -> Any:
                # contexts that share an address space are packed together, not one by one
                if isinstance(context, _Fed) or context.globals[0].threads:
                    return context
                return other.unpack(context.pack())

            kernel.repack = again  # type: ignore[assignment]
        env = (("PATH", "/bin:/usr/bin"), ("HOME", "/root"))
        context = loader.start(path, (path, *args), env, START_UNBUFFERED)
        status, fatal = kernel.run(context, 100)
        texts = [b"".join(kernel.out[fd]).decode() for fd in (1, 2)]
        return Outcome(*texts, status, fatal, kernel.ops, kernel.steps)

    def native(self, source: str, *args: str, path: str = "prog.py") -> Outcome:
        file = self.folder / path
        file.write_text(source)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-u", path, *args],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            env={"PATH": "/bin:/usr/bin", "HOME": "/root", "PYTHONPATH": str(ROOT)},
        )
        return Outcome(done.stdout, done.stderr, done.returncode)

    def agree(self, source: str, *args: str) -> Outcome:
        """Assert that both say the same; return the emulated outcome."""
        real = self.native(source, *args)
        ours = self.emulate(source, *args)
        assert ours.fatal is None, ours.fatal
        assert (ours.stdout, ours.stderr, ours.status) == (real.stdout, real.stderr, real.status)
        packed = self.emulate(source, *args, repack=True)
        assert (packed.stdout, packed.stderr, packed.status) == (
            ours.stdout,
            ours.stderr,
            ours.status,
        )
        return ours


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    return Guest(tmp_path)


@pytest.fixture(scope="session")
def guest_type() -> type[Guest]:
    return Guest
