"""The parent of a native run: starts the program, reaps whatever becomes an orphan, notes statuses.

Run as a script, by path and without site: ``python -I -S native_init.py LOG PROGRAM ARG...``. In
a PID namespace it is process 1 and plays init; elsewhere it makes itself the reaper of its
descendants. It ends when nothing it started is left. SIGTERM makes it kill everything below it
first.
"""

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def kill_children() -> None:
    """Kill the direct children; theirs become ours in turn."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii")
    for pid in children.split():
        os.kill(int(pid), signal.SIGKILL)


def start(argv: list[str]) -> int:
    """Start the program as leader of a session of its own, as init starts a service."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        # Not 0: where cores go to a pipe, only a limit of 1 keeps the core bit out of statuses.
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
        os.execv(argv[0], argv)
    return pid


def main() -> None:
    """Run the program and note every status that this process reaps."""
    log = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True
        kill_children()

    if os.getpid() != 1:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        signal.signal(signal.SIGTERM, stop)
    os.write(log, f"root {start(sys.argv[2:])} 0\n".encode("ascii"))
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            break
        os.write(log, f"status {pid} {status}\n".encode("ascii"))
        if stopping:
            kill_children()


if __name__ == "__main__":
    main()
