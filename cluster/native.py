"""The oracle: run a guest program on the kernel of this host and report what it did.

The program runs as it would from a shell (``python3 PROGRAM ARG...``), but from surroundings
that are always the same (native_start), below a small init of ours (native_init). Where the host
allows it both live in fresh PID and IPC namespaces, so that init is process 1, orphans see it as
their parent, and System V objects go with the run; elsewhere init becomes a child subreaper, and
``getppid()`` of an orphan is then not 1: ``NativeRun.isolation`` says which it was.

The shape of the process tree is put together from notes, not from ptrace: a tracer is refused in
many containers, and where it is allowed it changes what wait, stop and exec do. A sitecustomize
on the program's path notes each fork in the parent and each status that a wait call returns; init
notes the statuses it reaps. Every process is reaped by exactly one of them, except one whose
parent ignores SIGCHLD: its outcome is unknown. Images that are no Python (``/bin/sh``) fork
unnoticed, so a guest program must not make them fork.
"""

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import workloads
from cluster.native_start import Surroundings, settle
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
_PROBE_TIMEOUT_S: Final = 30.0


class NativeError(Exception):
    """A program could not be run on the host, or did not end in time."""


@dataclass(frozen=True, slots=True)
class NativeRun:
    """What one native run did. ``status`` is the program's wait status.

    ``calls`` are lines about the last calls of each process, if they were asked for. ``strays`` are
    the ends, sorted, of what somebody reaped and nobody had noted as forked: a process whose parent
    was killed inside vfork or posix_spawn, or a traced thread. They are not in the tree.
    ``refused`` says which calls of ``workloads.guest`` have no native form and were made.
    """

    stdout: bytes
    stderr: bytes
    status: int
    tree: Tree
    isolation: str
    calls: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

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
    unbuffered: bool = False,
    stdin: bytes | None = None,
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
        unbuffered: as ``python3 -u``.
        stdin: what standard input, a file, has; None: it is /dev/null.

    Raises:
        NativeError: no such file, or the run did not end within ``timeout_s``.
    """
    if not program.is_file():
        raise NativeError(f"{program}: no such file")
    name, prefix = isolation()
    with _log_folder() as log:
        command = [*prefix, *_below_init(log), *_command(program, args, unbuffered)]
        try:
            stdout, stderr = _run(
                command,
                _environment(log, jitter_us, calls),
                name,
                timeout_s,
                cwd=cwd,
                cpu=cpu,
                stdin=stdin,
            )
        except subprocess.TimeoutExpired as error:
            raise NativeError(f"{program}: still running after {timeout_s:g} s") from error
        notes = _read_log(log)
    if notes.root is None or notes.status is None:
        message = stderr.decode(errors="replace").strip()
        raise NativeError(f"{program}: could not be started on this host: {message}")
    return NativeRun(
        stdout,
        stderr,
        notes.status,
        notes.tree,
        name,
        tuple(notes.calls),
        notes.strays,
        tuple(dict.fromkeys(notes.refused)),
    )


@functools.cache
def surroundings() -> Surroundings:
    """Return what programs begin with in native runs of this process.

    Raises:
        NativeError: no program can be run here.
    """
    name, prefix = isolation()
    with _log_folder() as log:
        command = [*prefix, *_below_init(log), shutil.which("true") or "/bin/true"]
        try:
            _, stderr = _run(command, _environment(log, 0, False), name, _PROBE_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise NativeError("the host did not end a run of true(1)") from error
        start = _read_log(log).start
    if not start:
        message = stderr.decode(errors="replace").strip()
        raise NativeError(f"no program can be started on this host: {message}")
    return Surroundings.parse(start)


@contextlib.contextmanager
def _log_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="smplab-native-") as folder:
        log = Path(folder) / "log"
        log.mkdir()
        # a program may fork under another user id
        os.chmod(log, 0o777)
        os.chmod(folder, 0o711)
        yield log


def _below_init(log: Path) -> tuple[str, ...]:
    """Return the command that starts our init; what it runs comes after it."""
    return sys.executable, "-I", "-S", str(_HERE / "native_init.py"), str(log)


def _command(program: Path, args: Sequence[str], unbuffered: bool) -> tuple[str, ...]:
    """Return the command that is compared: how a program is started from a shell."""
    return python3(), *(("-u",) * unbuffered), str(program), *args


def _run(
    command: Sequence[str],
    environment: dict[str, str],
    isolated_by: str,
    timeout_s: float,
    *,
    cwd: Path | None = None,
    cpu: int | None = None,
    stdin: bytes | None = None,
) -> tuple[bytes, bytes]:
    """Run a command from the fixed surroundings; return what it wrote. However it ends, it ends.

    Raises:
        subprocess.TimeoutExpired: it did not end in time.
    """
    # held back until there is somebody to end
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        with (
            _stdin(stdin) as given,
            subprocess.Popen(
                command,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=cwd,
                start_new_session=True,
                preexec_fn=settle(cpu),
            ) as process,
        ):
            try:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
                return process.communicate(timeout=timeout_s)
            except BaseException:
                _end(process, isolated_by)
                raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextlib.contextmanager
def _stdin(data: bytes | None) -> Iterator[int | BinaryIO]:
    """Give a file with ``data``, open for reading only; /dev/null for None."""
    if data is None:
        yield subprocess.DEVNULL
        return
    with tempfile.NamedTemporaryFile(prefix="smplab-stdin-") as made:
        made.write(data)
        made.flush()
        with open(made.name, "rb") as file:
            yield file


def python3() -> str:
    """Return this interpreter by the name users type, which a program can see in its comm."""
    named = Path(sys.executable).with_name("python3")
    return str(named) if named.exists() else sys.executable


def can_pin() -> bool:
    """Tell whether ``run_native`` can keep a program on one CPU."""
    return hasattr(os, "sched_setaffinity")


def usable_cpu() -> int:
    """Return a CPU that native runs may be kept on."""
    return min(os.sched_getaffinity(0))


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
    """Kill a run, if it has not ended by itself.

    The end of ``unshare`` ends its namespace; a subreaper has to be asked.
    """
    if isolated_by == SUBREAPER:
        process.terminate()
        try:
            process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            pass
        else:
            return
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@dataclass(slots=True)
class _Notes:
    """What the notes of one run say."""

    root: int | None = None
    tree: Tree = ()
    status: int | None = None
    start: str = ""  # as ``Surroundings.parse`` takes it
    calls: list[str] = field(default_factory=list)
    strays: tuple[str, ...] = ()
    refused: list[str] = field(default_factory=list)


def _read_log(log: Path) -> _Notes:
    notes = _Notes()
    forks: list[Fork] = []
    statuses: dict[int, int] = {}
    aliases: dict[tuple[str, str], int] = {}  # pid namespace and pid in it -> pid
    calls: list[list[str]] = []
    names = Generations()
    for entry in sorted(os.listdir(log)):
        line = os.readlink(log / entry)
        words = line.split(" ", 3)
        kind = words[0]
        if kind == "root":
            notes.root = int(words[1])
        elif kind == "start":
            notes.start = line.partition(" ")[2]
        elif kind == "refused":
            notes.refused.append(line.partition(" ")[2])
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
    if notes.root is None:
        return notes
    try:
        notes.tree = build_tree(notes.root, forks, statuses)
    except ValueError as error:
        raise NativeError(str(error)) from error
    noted = {notes.root, *(fork.child for fork in forks)}
    strays = (outcome(status) for pid, status in statuses.items() if pid not in noted)
    notes.strays = tuple(sorted(strays))
    notes.status = statuses.get(notes.root)
    notes.calls = last_calls(notes.root, forks, _calls(calls))
    return notes


def _calls(notes: list[list[str]]) -> Iterator[Call]:
    for kind, pid, tid, text in notes:
        if kind == "call":
            yield Call(int(pid), int(tid), text, "")
        else:
            yield Call(int(pid), int(tid), "", text)
