"""The other side of the oracle: one run of a guest program on the emulated machine.

A ``Machine`` names everything that may make one emulated run differ from another. At granularity
``step`` the order of steps is random, by the seed: as many seeds, as many schedules.
"""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from cluster.build import guest_spec
from cluster.engine import run_machine
from cluster.engine_api import DONE, INTERRUPTED
from cluster.native_start import FIXED, Surroundings, taken_over
from cluster.process_tree import Call, Fork, Generations, Tree, build_tree, last_calls
from cluster.request import request_of_machine
from cluster.trace import TraceReader, TraceRecord
from kernel.uapi.clone import CLONE_THREAD
from kernel.uapi.syscalls import TABLE

GRANULARITIES: Final = ("syscall", "step")


class Machine(NamedTuple):
    """One emulated machine, as far as ``smplab diff`` varies it."""

    cpus: int = 2
    seed: int = 42
    granularity: str = "syscall"  # one of GRANULARITIES
    scheme: str = "exact"  # exact | barrier

    def __str__(self) -> str:
        cpus = "1 CPU" if self.cpus == 1 else f"{self.cpus} CPUs"
        return f"{cpus}, seed {self.seed}, {self.granularity}, {self.scheme}"


@dataclass(frozen=True, slots=True)
class EmulatedRun:
    """What one emulated run did. ``status`` is the program's wait status, None if it never ended.

    ``problem`` says why the run did not come to its end; it is empty if it did. ``kind`` is the
    ``engine_api`` kind of end. ``calls`` are lines about the last system calls of each process, if
    they were asked for. ``not_emulated`` is what the program asked for and this machine has not.
    ``order_seen``: it walked a set whose order CPython does not define.
    """

    stdout: bytes
    stderr: bytes
    status: int | None
    tree: Tree
    problem: str
    digest: str
    calls: tuple[str, ...] = ()
    kind: str = DONE
    not_emulated: tuple[str, ...] = ()
    order_seen: bool = False


class Family(NamedTuple):
    """Who belongs to whom in a trace."""

    forks: list[Fork]
    statuses: dict[int, int]
    process: dict[int, int]  # thread -> process


def run_emulated(
    path: Path,
    args: Sequence[str] = (),
    machine: Machine = Machine(),  # noqa: B008  (it is a tuple)
    *,
    check: bool = False,
    calls: bool = False,
    timeout_s: float = 60.0,
    start: Surroundings = FIXED,
    unbuffered: bool = False,
    stdin: bytes | None = None,
) -> EmulatedRun:
    """Run a guest program on the local engine.

    Args:
        path: the program's file.
        args: its arguments, without its own name.
        machine: what it runs on.
        check: check all invariants while it runs, too (at its end they are checked anyway).
        calls: report the last system calls.
        timeout_s: seconds of host time.
        start: what it begins with.
        unbuffered: as ``python3 -u``.
        stdin: what standard input, a file, has; None: it is /dev/null.

    Raises:
        NotComparable: an emulated program cannot begin there.
        ConfigError: the program cannot be read.
        GuestProgramError: the program is outside the guest language.
        KeyboardInterrupt: Ctrl-C.
    """
    spec = guest_spec(
        path,
        list(args),
        unbuffered=unbuffered,
        stdin=stdin,
        cpus=machine.cpus,
        seed=machine.seed,
        granularity=machine.granularity,
        tie_break="random" if machine.granularity == "step" else "order",
        check=check,
        trace_syscalls=calls,
        uid=start.uid,
        gid=start.gid,
    )
    spec.spawns = (taken_over(start, spec.spawns[0]),)
    with tempfile.TemporaryDirectory(prefix="smplab-diff-") as folder:
        request = request_of_machine(
            spec, machine.scheme, out_dir=Path(folder), max_wall_s=timeout_s
        )
        result = run_machine(request)
        if result.exit_kind == INTERRUPTED:
            raise KeyboardInterrupt
        label, root, status = result.statuses[0] if result.statuses else ("", 0, None)
        tree, lines = _seen(Path(folder) / "trace.smpt", root, calls)
    problem = "" if result.exit_kind == DONE else f"{result.exit_kind}: {result.message}"
    stdout = result.outputs.get(f"{label}.stdout", b"")
    stderr = result.outputs.get(f"{label}.stderr", b"")
    return EmulatedRun(
        stdout,
        stderr,
        status,
        tree,
        problem,
        result.digest,
        tuple(lines),
        result.exit_kind,
        result.not_emulated,
        result.order_seen,
    )


def _seen(trace: Path, root: int, calls: bool) -> tuple[Tree, list[str]]:
    """Return the tree below pid ``root``, and lines about the last calls if they are wanted.

    A run that was over before its program began has no root: 0.
    """
    if not root:
        return (), []
    with TraceReader(trace) as reader:
        records = list(reader.select())
    family = family_of(records, root)
    tree = build_tree(root, family.forks, family.statuses)
    return tree, last_calls(root, family.forks, _calls(records, family)) if calls else []


def family_of(records: Iterable[TraceRecord], root: int) -> Family:
    """Return what a trace tells of the processes below pid ``root``.

    A thread's forks are its process's; the record of a process's last thread has its status.
    """
    forks: list[tuple[int, int]] = []
    threads: set[int] = set()
    others: set[int] = set()  # processes that run a program of /bin: no Python
    statuses: list[tuple[int, int]] = []
    names = Generations()
    for record in records:
        fields = record.fields
        if record.event == "sched_process_fork":
            parent = names.name(fields["parent_pid"])
            child = names.born(fields["child_pid"])
            if parent in others:
                others.add(child)  # the host's notes know nothing of it
            else:
                forks.append((parent, child))
        elif record.event == "sched_process_exec":
            path, name = fields["filename"], names.name(fields["pid"])
            if path.startswith(("/bin/", "/usr/bin/")) and not path.endswith("/python3"):
                others.add(name)
            else:
                others.discard(name)
        elif record.event == "task_newtask" and fields["clone_flags"] & CLONE_THREAD:
            threads.add(fields["pid"])
        elif record.event == "sched_process_exit" and fields["group_dead"]:
            statuses.append((names.name(fields["pid"]), fields["exit_code"]))
    process: dict[int, int] = {}  # after exec a leader's id is the process's
    children = []
    for tid, child in forks:
        parent = process.get(tid, tid)
        if child in threads:
            process[child] = parent
        elif child != root:  # init's fork of the root is not part of it
            children.append(Fork(parent, child, tid))
    ends = {process.get(pid, pid): status for pid, status in statuses}
    return Family(children, ends, process)


def _calls(records: Iterable[TraceRecord], family: Family) -> Iterable[Call]:
    for record in records:
        fields = record.fields
        if record.event == "sys_enter":
            name = TABLE[fields["id"]][0] if fields["id"] in TABLE else str(fields["id"])
            text = f"{name}({fields['args']})"
        elif record.event == "sys_exit":
            text = ""
        else:
            continue
        pid = fields["pid"]
        yield Call(family.process.get(pid, pid), pid, text, fields.get("ret", ""))
