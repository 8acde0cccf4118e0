"""The parent of a native run: starts the program, reaps whatever becomes an orphan, notes statuses.

Run as a script, by path and without site: ``python -I -S native_init.py LOG PROGRAM ARG...``; LOG
is the folder of the notes, see ``native_site``. In
a PID namespace it is process 1 and plays init; elsewhere it makes itself the reaper of its
descendants. It ends when nothing it started is left. SIGTERM makes it kill everything below it
first.
"""

import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
PR_GET_NO_NEW_PRIVS = 39


def kill_children() -> None:
    """Kill the direct children; theirs become ours in turn."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii")
    for pid in children.split():
        os.kill(int(pid), signal.SIGKILL)


def surroundings() -> str:
    """Return what a program begins with here, as ``native_start.Surroundings.parse`` takes it."""
    umask = os.umask(0o022)
    os.umask(umask)
    with open("/proc/self/oom_score_adj", encoding="ascii") as file:
        oom_score_adj = int(file.read())
    values = [
        os.getpriority(os.PRIO_PROCESS, 0),
        os.sched_getscheduler(0),
        umask,
        signal_set(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        signal_set(n for n in range(1, 65) if signal.getsignal(n) == signal.SIG_IGN),
        oom_score_adj,
        ctypes.CDLL(None).prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
        os.getuid(),
        os.getgid(),
    ]
    for which in range(16):
        values += resource.getrlimit(which)
    return " ".join(map(str, values))


def signal_set(numbers: Iterable[int]) -> int:
    """Return signals as bits, n-1 for signal n."""
    return sum(1 << (number - 1) for number in numbers)


def note(log: str, text: str) -> None:
    """Leave a note."""
    while True:
        with suppress(FileExistsError):
            os.symlink(text, f"{log}/{time.monotonic_ns():020}")
            return


def start(argv: list[str], log: str) -> int:
    """Start the program as leader of a session of its own, as init starts a service."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # this interpreter ignores them
            signal.signal(number, signal.SIG_DFL)
        note(log, f"start {surroundings()}")
        os.execv(argv[0], argv)
    return pid


def main() -> None:
    """Run the program and note every status that this process reaps."""
    log = sys.argv[1]
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True
        kill_children()

    if os.getpid() != 1:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        signal.signal(signal.SIGTERM, stop)
    note(log, f"root {start(sys.argv[2:], log)} 0")
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            break
        note(log, f"status {pid} {status}")
        if stopping:
            kill_children()


if __name__ == "__main__":
    main()
