"""A group is orphaned by the last parent outside it, not by the first; only then it is hung up."""

import os
import signal
import time

ready, gate = os.pipe(), os.pipe()
report = os.pipe()


def note(number, frame):
    os.write(report[1], b"%d " % number)


def parent(group):
    """Return a process with one child in the group, and that child's pid."""
    pid = os.fork()
    if pid == 0:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGHUP, note)
            os.setpgid(0, group)
            os.write(ready[1], b"%d" % os.getpid())
            while True:
                signal.pause()
        os.read(gate[0], 1)
        os._exit(0)
    return pid, int(os.read(ready[0], 20))


def alive(pid):
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False


session = os.fork()
if session == 0:
    os.setsid()
    first, member = parent(0)
    second, other = parent(member)
    os.kill(member, signal.SIGSTOP)
    time.sleep(0.05)
    os.write(gate[1], b"x")
    pid = os.wait()[0]
    time.sleep(0.1)
    print("one parent left", alive(member), alive(other))
    os.write(gate[1], b"x")
    os.wait()
    print("hung up", os.read(report[0], 2), os.read(report[0], 2))
    os.kill(member, signal.SIGKILL)
    os.kill(other, signal.SIGKILL)
    os._exit(0)
print(os.waitpid(session, 0)[1])
