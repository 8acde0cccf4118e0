"""Is it what Linux does? One guest program, run by the host's kernel and by the emulator, compared.

What must agree: standard output byte for byte, the program's exit status, and the shape of the
process tree with every process's end. What need not: pids, times, the order in which independent
processes run, standard error (tracebacks name files of the interpreter). A program is only fit for
comparison if its output does not depend on those.
"""

import difflib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster.build import guest_spec
from cluster.engine import run_machine
from cluster.engine_api import DONE, RunRequest
from cluster.native import NativeRun, run_native
from cluster.process_tree import (
    Tree,
    build_tree,
    describe_difference,
    outcome,
    same_tree,
)
from cluster.trace import TraceReader
from kernel.uapi.clone import CLONE_THREAD

_CONTEXT_LINES: Final = 2
_STDERR_LINES: Final = 12
_THREAD_EVENTS: Final = ("sched_process_fork", "task_newtask", "sched_process_exit")


@dataclass(frozen=True, slots=True)
class EmulatedRun:
    """What one emulated run did. ``status`` is the program's wait status, None if it never ended.

    ``problem`` says why the run did not come to its end; it is empty if it did.
    """

    stdout: bytes
    stderr: bytes
    status: int | None
    tree: Tree
    problem: str
    digest: str


@dataclass(frozen=True, slots=True)
class DiffReport:
    """Both runs of a program, and where they differ: lines for people, none if they agree."""

    program: str
    native: NativeRun
    emulated: EmulatedRun
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether the emulator did what the host's kernel did."""
        return not self.differences

    def render(self) -> str:
        """Return the whole report as text."""
        if self.same:
            count = len(self.native.tree)
            plural = "process" if count == 1 else "processes"
            return (
                f"{self.program}: same ({len(self.native.stdout)} bytes of output, "
                f"{self.native.outcome}, {count} {plural}; host run: {self.native.isolation})"
            )
        return "\n".join([f"{self.program}: different", *self.differences])


def diff_program(
    path: Path,
    args: Sequence[str] = (),
    *,
    cpus: int = 2,
    seed: int = 42,
    scheme: str = "exact",
    check: bool = False,
    timeout_s: float = 60.0,
    native: NativeRun | None = None,
) -> DiffReport:
    """Run a guest program on the host and on the local engine, and compare.

    Args:
        path: the program's file.
        args: its arguments, without its own name.
        cpus: CPUs of the emulated machine.
        seed: of the emulated machine.
        scheme: ``exact`` or ``barrier``.
        check: check all invariants while it runs, too (at its end they are checked anyway).
        timeout_s: seconds of host time for each of the two.
        native: an earlier run of the same program and arguments, instead of a new one.

    Raises:
        NativeError: the host cannot run it, or it did not end in time.
        ConfigError: the program cannot be read.
        GuestProgramError: the program is outside the guest language.
    """
    emulated = run_emulated(
        path, args, cpus=cpus, seed=seed, scheme=scheme, check=check, timeout_s=timeout_s
    )
    if native is None:
        native = run_native(path, args, timeout_s=timeout_s)
    return DiffReport(str(path), native, emulated, tuple(compare(native, emulated)))


def run_emulated(
    path: Path,
    args: Sequence[str] = (),
    *,
    cpus: int = 2,
    seed: int = 42,
    scheme: str = "exact",
    check: bool = False,
    timeout_s: float = 60.0,
) -> EmulatedRun:
    """Run a guest program on the local engine; arguments and errors as of ``diff_program``."""
    spec = guest_spec(path, list(args), cpus=cpus, seed=seed, check=check)
    with tempfile.TemporaryDirectory(prefix="smplab-diff-") as folder:
        request = RunRequest(spec, scheme=scheme, out_dir=Path(folder), max_wall_s=timeout_s)
        result = run_machine(request)
        label, root, status = result.statuses[0] if result.statuses else ("", 0, None)
        tree = tree_of_trace(Path(folder) / "trace.smpt", root) if root else ()
    problem = "" if result.exit_kind == DONE else f"{result.exit_kind}: {result.message}"
    stdout = result.outputs.get(f"{label}.stdout", b"")
    stderr = result.outputs.get(f"{label}.stderr", b"")
    return EmulatedRun(stdout, stderr, status, tree, problem, result.digest)


def tree_of_trace(path: Path, root: int) -> Tree:
    """Return the tree of processes below pid ``root`` that a trace tells of.

    A thread's forks are its process's; the record of a process's last thread has its status.
    """
    forks: list[tuple[int, int]] = []
    threads: set[int] = set()
    statuses: list[tuple[int, int]] = []
    with TraceReader(path) as reader:
        for record in reader.select():
            fields = record.fields
            if record.event == "sched_process_fork":
                forks.append((fields["parent_pid"], fields["child_pid"]))
            elif record.event == "task_newtask" and fields["clone_flags"] & CLONE_THREAD:
                threads.add(fields["pid"])
            elif record.event == "sched_process_exit" and fields["group_dead"]:
                statuses.append((fields["pid"], fields["exit_code"]))
    process: dict[int, int] = {}  # thread -> process; after exec a leader's id is the process's
    children = []
    for parent, child in forks:
        parent = process.get(parent, parent)
        if child in threads:
            process[child] = parent
        elif child != root:  # init's fork of the root is not part of it
            children.append((parent, child))
    ends = {process.get(pid, pid): status for pid, status in statuses}
    return build_tree(root, children, ends)


def compare(native: NativeRun, emulated: EmulatedRun) -> list[str]:
    """Return lines that say where two runs of one program differ; none if they agree."""
    lines = []
    if emulated.problem:
        lines.append(f"the emulated run did not come to its end: {emulated.problem}")
    if native.stdout != emulated.stdout:
        lines.append("standard output (- host, + emulated):")
        lines += _text_difference(native.stdout, emulated.stdout)
    if native.status != emulated.status:
        ended = "never ended" if emulated.status is None else outcome(emulated.status)
        lines.append(f"exit status: host {native.outcome}, emulated {ended}")
    if not same_tree(native.tree, emulated.tree):
        lines.append("process tree (host | emulated):")
        lines += [f"  {line}" for line in describe_difference(native.tree, emulated.tree)]
    if lines:
        for name, data in (("host", native.stderr), ("emulated", emulated.stderr)):
            tail = data.decode("utf-8", "replace").splitlines()[-_STDERR_LINES:]
            lines += [f"standard error, {name}:", *(f"  {line}" for line in tail)] if tail else []
    return lines


def _text_difference(left: bytes, right: bytes) -> list[str]:
    """Return a unified difference without its head; lines that print alike show their bytes."""
    old, new = (data.decode("utf-8", "backslashreplace").splitlines() for data in (left, right))
    if old == new:
        return [f"  - {left[-80:]!r}", f"  + {right[-80:]!r}"]
    lines = difflib.unified_diff(old, new, lineterm="", n=_CONTEXT_LINES)
    return [f"  {line}" for line in list(lines)[2:]]
