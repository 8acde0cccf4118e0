"""Stopping and continuing a process that waits: its call goes on, whatever its class."""

import os
import signal
import time


def waits(what, write_end):
    read_end, other = os.pipe()
    os.write(write_end, b"x")
    start = time.monotonic()
    if what == "sleep":
        time.sleep(0.4)
    elif what == "read":
        if os.fork() == 0:
            time.sleep(0.4)
            os.write(other, b"x")
            os._exit(0)
        os.read(read_end, 1)
    elif what == "wait":
        if os.fork() == 0:
            time.sleep(0.4)
            os._exit(0)
        os.wait()
    elif what == "sigtimedwait":
        signal.sigtimedwait([signal.SIGUSR1], 0.4)
    elif what == "pause":
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, 0.4)
        signal.pause()
        os._exit(1)
    os._exit(0 if time.monotonic() - start >= 0.4 else 1)


for what in ("sleep", "read", "wait", "sigtimedwait", "pause"):
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        waits(what, write_end)
    os.read(read_end, 1)
    time.sleep(0.05)
    os.kill(pid, signal.SIGSTOP)
    print(what, os.waitpid(pid, os.WUNTRACED)[1])
    os.kill(pid, signal.SIGCONT)
    print(os.waitpid(pid, os.WCONTINUED)[1])
    print(os.waitpid(pid, 0)[1])
