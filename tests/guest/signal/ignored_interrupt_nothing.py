"""Signals that are ignored, explicitly or by default, do not disturb a sleep, a read or a wait."""

import os
import signal
import time

IGNORED = (signal.SIGUSR1, signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH, signal.SIGCONT, 50)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
signal.signal(50, signal.SIG_IGN)
ready = os.pipe()
gate = os.pipe()


def victim(way):
    pid = os.fork()
    if pid == 0:
        os.write(ready[1], b"r")
        if way == "sleep":
            time.sleep(0.2)
        elif way == "read":
            os.read(gate[0], 1)
        elif way == "sigtimedwait":
            print(signal.sigtimedwait([signal.SIGUSR2], 0.2))
        elif way == "wait":
            if os.fork() == 0:
                time.sleep(0.2)
                os._exit(0)
            os.wait()
        else:
            signal.pause()
        os._exit(9)
    os.read(ready[0], 1)
    return pid


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
for way in ("sleep", "read", "sigtimedwait", "wait", "pause"):
    pid = victim(way)
    time.sleep(0.05)
    for number in IGNORED:
        os.kill(pid, number)
    if way == "read":
        os.write(gate[1], b"x")
    elif way == "pause":
        time.sleep(0.05)
        print("still there", os.waitpid(pid, os.WNOHANG))
        os.kill(pid, signal.SIGTERM)
    print(way, os.waitpid(pid, 0)[1])
