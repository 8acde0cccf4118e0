"""timeout(1): the child is told to end after a time, killed if it does not, and its status told."""

import os
import signal
import time


def ring(number, frame):
    raise TimeoutError("time is over")


def run(action, first, second):
    """Run an action in a child; SIGTERM after the first time, SIGKILL after the second."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        action()
        os._exit(0)
    for seconds, number in ((first, signal.SIGTERM), (second, signal.SIGKILL)):
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            status = os.waitpid(pid, 0)[1]
            signal.setitimer(signal.ITIMER_REAL, 0)
            return os.waitstatus_to_exitcode(status)
        except TimeoutError:
            os.kill(pid, number)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def quick():
    os._exit(5)


def slow():
    time.sleep(100)


def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(100)


def polite():
    signal.signal(signal.SIGTERM, leave)
    time.sleep(100)


def leave(number, frame):
    os._exit(6)


def stopped():
    os.kill(os.getpid(), signal.SIGSTOP)


signal.signal(signal.SIGALRM, ring)
print("quick", run(quick, 5, 1))
print("slow", run(slow, 0.1, 5))
print("deaf", run(deaf, 0.2, 0.1))
print("polite", run(polite, 0.2, 5))
print("stopped", run(stopped, 0.1, 0.1))
