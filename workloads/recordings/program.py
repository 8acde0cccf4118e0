"""A recording as a guest program: one function for each task, and one more for each exec.

Waits for steps of others (edges) are futexes on the words of one System V segment, which outlives
an exec; its id goes along in the arguments. The program itself stands for the recorder: it forks
the first process, takes orphans, and ends as the first process did (128 + N if a signal ended it).
"""

from collections.abc import Iterator
from typing import Final

from workloads.recordings.model import Problem, Recording, RecordingError, Task

_PTHREAD: Final = 0x3D0F00
#: those whose default is to end a process, and that its main thread may get
_SIGNALS: Final = (
    *("SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL"),
    *("SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGXCPU", "SIGXFSZ"),
    *("SIGVTALRM", "SIGPROF", "SIGIO", "SIGPWR", "SIGSYS"),
)

_HEAD: Final = '''"""{title}

Made by smplab from a recording: {tasks} tasks.
{notes}"""

import os
import signal
import sys
import time

from workloads import guest

CPUS = {cpus}
EDGES = {edges}
KIDS = {{}}
SEGMENT = 0
WORDS = None


def work(ns):
    guest.compute(ns)


def tell(edge, value):
    guest.store_release(WORDS, 4 * edge, value)
    guest.futex_wake(WORDS, 4 * edge, 1000000)


def told(edge):
    value = guest.load_acquire(WORDS, 4 * edge)
    while value == 0:
        try:
            guest.futex_wait(WORDS, 4 * edge, 0)
        except BlockingIOError:
            pass
        value = guest.load_acquire(WORDS, 4 * edge)
    return value


def fork(number, run):
    pid = os.fork()
    if pid == 0:
        run()
        os._exit(0)
    KIDS[number] = pid


def vfork(number, run):
    pid = guest.vfork()
    if pid == 0:
        run()
        os._exit(0)
    KIDS[number] = pid


def become(name, part, numbers):
    kids = ",".join([f"{{number}}:{{KIDS[number]}}" for number in numbers])
    words = [sys.executable, "-u", __file__, part, str(SEGMENT), name, kids]
    os.execv(sys.executable, words)


def kill(number, edges):
    pid = told(edges[0])
    for edge in edges[1:]:
        told(edge)
    os.kill(pid, number)


def die(number):
    os.kill(os.getpid(), number)
    stay()


def stay():
    while True:
        signal.pause()
'''

_TAIL: Final = """

PARTS = {{{parts}}}


def main():
    if CPUS > os.cpu_count():
        sys.stderr.write(f"the recording binds tasks to CPUs up to {{CPUS - 1}}\\n")
        sys.exit(2)
    guest.set_child_subreaper()
    {roots}
    status = 0
    try:
        while True:
            pid, ended = os.wait()
            if pid == KIDS[{first}]:
                status = ended
    except ChildProcessError:
        pass
    if EDGES:
        guest.shmctl(SEGMENT, guest.IPC_RMID)
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    if len(sys.argv) == 5:
        part, segment, name, kids = sys.argv[1:]
        SEGMENT = int(segment)
        if EDGES:
            WORDS = guest.shmat(SEGMENT)
        for one in kids.split(",") if kids else []:
            number, pid = one.split(":")
            KIDS[int(number)] = int(pid)
        guest.prctl(guest.PR_SET_NAME, name)
        PARTS[part]()
    elif len(sys.argv) > 1:
        sys.stderr.write("a recording takes no arguments\\n")
        sys.exit(2)
    else:
        if EDGES:
            SEGMENT = guest.shmget(guest.IPC_PRIVATE, 4 * EDGES + 4, 0o600)
            WORDS = guest.shmat(SEGMENT)
        main()
"""


def program_text(recording: Recording, title: str) -> str:
    """Return the guest program that does what ``recording`` says.

    Args:
        title: its first line; one line.
    """
    notes = "".join(f"{line}\n" for line in recording.summary())
    head = _HEAD.format(
        title=_plain(title),
        tasks=len(recording.tasks),
        notes=_plain(notes),
        cpus=recording.cpus,
        edges=recording.edges,
    )
    parts: list[str] = []
    bodies = [line for task in recording.tasks for line in _functions(recording, task, parts)]
    roots = recording.roots()
    tail = _TAIL.format(
        parts=", ".join(f'"{part}": {_function(part)}' for part in parts),
        roots="\n    ".join(_roots(roots)),
        first=roots[0].number,
    )
    return "\n".join([head, *bodies]) + tail


def _plain(text: str) -> str:
    """Return text that can stand between three quotes."""
    kept = "".join(c if c == "\n" or c.isprintable() else "?" for c in text)
    return kept.replace("\\", "/").replace('"', "'")


def _function(part: str) -> str:
    return "task_" + part.replace(".", "_")


def _roots(roots: list[Task]) -> Iterator[str]:
    """Yield the lines that start the first process, and those that nobody recorded made."""
    at_ns = roots[0].first_ns
    for root in sorted(roots, key=lambda task: (task.first_ns, task.number)):
        if root.first_ns > at_ns:
            yield f"time.sleep({_seconds(root.first_ns - at_ns)})"
            at_ns = root.first_ns
        yield f"fork({root.number}, {_function(str(root.number))})"


def _seconds(ns: int) -> str:
    return f"{ns // 1_000_000_000}.{ns % 1_000_000_000:09d}"


def _functions(recording: Recording, task: Task, parts: list[str]) -> Iterator[str]:
    """Yield the lines of the functions of ``task``; note in ``parts`` those that begin by exec."""
    part = str(task.number)
    number = 0
    yield from _opening(task, part)
    for place, step in enumerate(task.steps):
        if step[0] != "exec":
            yield f"    {_line(recording, step)}"
            continue
        number += 1
        name = f"{task.number}.{number}"
        later = [each[1].number for each in task.steps[place:] if each[0] == "wait"]
        made = {each[1].number for each in task.steps[place:] if each[0] == "fork"}
        kept = [kid for kid in later if kid not in made]
        yield f'    become("{step[1]}", "{name}", {kept})'
        parts.append(name)
        part = name
        yield from _opening(task, part)
    yield f"    {_ending(task)}"


def _opening(task: Task, part: str) -> Iterator[str]:
    yield ""
    yield ""
    yield f"def {_function(part)}():"
    ended = task.ended or ("exit", 0)
    if ended[0] in ("signal", "killed") and ended[1] != "SIGKILL":
        yield f"    signal.signal(signal.{_signal(ended[1])}, signal.SIG_DFL)"


def _line(recording: Recording, step: list[object]) -> str:
    kind, what = step[0], step[1]
    match kind:
        case "compute":
            return f"work({recording.computing_ns(step)})"
        case "sleep":
            assert isinstance(what, int)
            return f"time.sleep({_seconds(what)})"
        case "fork":
            assert isinstance(what, Task)
            function = _function(str(what.number))
            if what.how == "thread":
                return f"guest.clone_thread({_PTHREAD}, {function})"
            return f"{what.how}({what.number}, {function})"
        case "wait":
            assert isinstance(what, Task)
            return f"os.waitpid(KIDS[{what.number}], 0)"
        case "tell":
            return f"tell({what}, 1)"
        case "tell pid":
            return f"tell({what}, os.getpid())"
        case "told":
            return f"told({what})"
        case "kill":
            assert isinstance(what, str)
            kills = [f"kill(signal.{_signal(what)}, {target})" for target in step[2]]  # type: ignore[attr-defined]
            return "; ".join(kills)
        case _:
            return str(what)


def _ending(task: Task) -> str:
    ended = task.ended or ("exit", 0)
    match ended[0]:
        case "exit":
            return f"os._exit({ended[1]})"
        case "exit_thread":
            return f"guest.exit_thread({ended[1]})"
        case "signal":
            return f"die(signal.{_signal(ended[1])})"
        case _:
            return "stay()"


def _signal(name: str) -> str:
    """Return the signal's name in Python. Raises RecordingError: it has none."""
    if name not in _SIGNALS:
        raise RecordingError(
            "the recording", Problem(f"the signal {name} cannot end a process here")
        )
    return name
