"""Whether a child becomes a zombie is decided when it dies, by its parent's SIGCHLD then."""

import os
import signal


def note(number, frame):
    pass


def dies(before, during, after):
    """Set SIGCHLD before the fork, while the child lives, and after its death; try to reap it."""
    signal.signal(signal.SIGCHLD, before)
    gate, ended = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(gate[1])
        os.read(gate[0], 1)
        os._exit(4)
    os.close(ended[1])
    signal.signal(signal.SIGCHLD, during)
    os.close(gate[1])
    os.read(ended[0], 1)
    if during == signal.SIG_IGN:
        while True:  # it is no zombie: its pid goes away by itself
            try:
                os.kill(pid, 0)
                os.sched_yield()
            except ProcessLookupError:
                break
    else:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    signal.signal(signal.SIGCHLD, after)
    try:
        status = os.waitpid(pid, 0)[1]
    except ChildProcessError as error:
        status = -error.errno
    for fd in (gate[0], ended[0]):
        os.close(fd)
    return status


KINDS = (signal.SIG_DFL, signal.SIG_IGN, note)
for before in KINDS:
    for during in KINDS:
        row = []
        for after in KINDS:
            row.append(dies(before, during, after))
        print(row)
