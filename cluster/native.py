"""The oracle: run a guest program on the kernel of this host and report what it did.

The program runs as it would from a shell (``python3 -u PROGRAM ARG...``), below a small init of
ours (native_init). Where the host allows it both live in fresh PID and IPC namespaces, so that
init is process 1, orphans see it as their parent, and System V objects go with the run; elsewhere
init becomes a child subreaper, and ``getppid()`` of an orphan is then not 1:
``NativeRun.isolation`` says which it was.

The shape of the process tree is put together from notes, not from ptrace: a tracer is refused in
many containers, and where it is allowed it changes what wait, stop and exec do. A sitecustomize
on the program's path notes each fork in the parent and each status that a wait call returns; init
notes the statuses it reaps. Every process is reaped by exactly one of them, except one whose
parent ignores SIGCHLD: its outcome is unknown. Images that are no Python (``/bin/sh``) fork
unnoticed, so a guest program must not make them fork.
"""

import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import workloads
from cluster.process_tree import Call, Fork, Generations, Tree, build_tree, last_calls, outcome

_HERE: Final = Path(__file__).resolve().parent
_ISOLATIONS: Final = (
    ("pid namespace", ("unshare", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc")),
    (
        "pid and user namespace",
        (
            *("unshare", "--user", "--map-root-user", "--ipc", "--pid"),
            *("--fork", "--kill-child", "--mount-proc"),
        ),
    ),
)
SUBREAPER: Final = "subreaper"


class NativeError(Exception):
    """A program could not be run on the host, or did not end in time."""


@dataclass(frozen=True, slots=True)
class NativeRun:
    """What one native run did. ``status`` is the program's wait status.

    ``calls`` are lines about the last calls of each process, if they were asked for. ``strays`` are
    the ends, sorted, of what somebody reaped and nobody had noted as forked: a process whose parent
    was killed inside vfork or posix_spawn, or a traced thread. They are not in the tree.
    """

    stdout: bytes
    stderr: bytes
    status: int
    tree: Tree
    isolation: str
    calls: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """How the program ended, in words."""
        return outcome(self.status)


@functools.cache
def isolation() -> tuple[str, tuple[str, ...]]:
    """Return how this host can set a run apart: a name, and the command to put in front of it."""
    for name, command in _ISOLATIONS:
        try:
            probe = subprocess.run([*command, "true"], capture_output=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if probe.returncode == 0:
            return name, command
    return SUBREAPER, ()


def run_native(
    program: Path,
    args: Sequence[str] = (),
    *,
    timeout_s: float = 60.0,
    cwd: Path | None = None,
    cpu: int | None = None,
    jitter_us: int = 0,
    calls: bool = False,
) -> NativeRun:
    """Run a guest program on the host's kernel until it and all its descendants have ended.

    Args:
        program: the program's file.
        args: its arguments, without its own name.
        timeout_s: seconds of host time after which everything is killed.
        cwd: the folder it runs in; None is the caller's.
        cpu: the only CPU of this host it may use; None leaves it to the host.
        jitter_us: hold its calls up at random, by at most so many microseconds; 0 does not.
        calls: report the last calls of each process, as the interpreter sees them.

    Raises:
        NativeError: no such file, or the run did not end within ``timeout_s``.
    """
    if not program.is_file():
        raise NativeError(f"{program}: no such file")
    name, prefix = isolation()
    with tempfile.TemporaryDirectory(prefix="smplab-native-") as folder:
        log = Path(folder) / "log"
        log.touch()
        # a program may fork under another user id
        os.chmod(log, 0o666)
        os.chmod(folder, 0o711)
        pinned = [] if cpu is None else ["taskset", "--cpu-list", str(cpu)]
        command = [
            *pinned,
            *prefix,
            sys.executable,
            "-I",
            "-S",
            str(_HERE / "native_init.py"),
            str(log),
        ]
        command += [_python3(), "-u", str(program), *args]
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(log, jitter_us, calls),
            cwd=cwd,
            start_new_session=True,
        ) as process:
            try:
                stdout, stderr = process.communicate(timeout=timeout_s)
            except BaseException as error:
                _end(process, name)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise NativeError(f"{program}: still running after {timeout_s:g} s") from error
                raise
        root, tree, status, lines, strays = _read_log(log)
    if root is None or status is None:
        message = stderr.decode(errors="replace").strip()
        raise NativeError(f"{program}: could not be started on this host: {message}")
    return NativeRun(stdout, stderr, status, tree, name, tuple(lines), strays)


def _python3() -> str:
    """Return this interpreter by the name users type, which a program can see in its comm."""
    named = Path(sys.executable).with_name("python3")
    return str(named) if named.exists() else sys.executable


def can_pin() -> bool:
    """Tell whether ``run_native`` can keep a program on one CPU."""
    return shutil.which("taskset") is not None and hasattr(os, "sched_getaffinity")


def _environment(log: Path, jitter_us: int, calls: bool) -> dict[str, str]:
    """A small fixed environment: what a guest sees must not depend on who runs the oracle."""
    root = Path(workloads.__file__).resolve().parents[1]
    wanted = {}
    if calls:
        wanted["SMPLAB_NATIVE_CALLS"] = "1"
    if jitter_us:
        wanted["SMPLAB_NATIVE_JITTER"] = str(jitter_us)
    return {
        **wanted,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join([str(_HERE / "native_site"), str(root)]),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SMPLAB_NATIVE_LOG": str(log),
    }


def _end(process: subprocess.Popen[bytes], isolated_by: str) -> None:
    """Kill a run. The end of ``unshare`` ends its namespace; a subreaper has to be asked."""
    if isolated_by == SUBREAPER:
        process.terminate()
        try:
            process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            pass
        else:
            return
    os.killpg(process.pid, signal.SIGKILL)


def _read_log(
    log: Path,
) -> tuple[int | None, Tree, int | None, list[str], tuple[str, ...]]:
    root: int | None = None
    forks: list[Fork] = []
    statuses: dict[int, int] = {}
    aliases: dict[tuple[str, str], int] = {}  # pid namespace and pid in it -> pid
    calls: list[list[str]] = []
    names = Generations()
    for line in log.read_text("ascii").splitlines():
        words = line.split(" ", 3)
        kind = words[0]
        if kind == "root":
            root = int(words[1])
        elif kind == "fork":
            parent = names.name(int(words[1]))
            forks.append(Fork(parent, names.born(int(words[2])), int(words[3])))
        elif kind == "status":
            statuses[names.name(int(words[1]))] = int(words[2])
        elif kind == "alias":
            aliases[words[1], words[2]] = int(words[3])
        elif kind == "inner":
            statuses[names.name(aliases.get((words[1], words[2]), 0))] = int(words[3])
        else:
            calls.append(words)
    if root is None:
        return None, (), None, [], ()
    try:
        tree = build_tree(root, forks, statuses)
    except ValueError as error:
        raise NativeError(str(error)) from error
    noted = {root, *(fork.child for fork in forks)}
    strays = sorted(outcome(status) for pid, status in statuses.items() if pid not in noted)
    lines = last_calls(root, forks, _calls(calls))
    return root, tree, statuses.get(root), lines, tuple(strays)


def _calls(notes: list[list[str]]) -> Iterator[Call]:
    for kind, pid, tid, text in notes:
        if kind == "call":
            yield Call(int(pid), int(tid), text, "")
        else:
            yield Call(int(pid), int(tid), "", text)
