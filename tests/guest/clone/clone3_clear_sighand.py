"""CLONE_CLEAR_SIGHAND: in the child handled signals have their default, ignored ones stay so."""

import os
import signal

from workloads import guest


def handler(number, frame):
    guest.say(f"handler of {number}")


def child():
    os.kill(os.getpid(), signal.SIGUSR2)
    os.kill(os.getpid(), signal.SIGUSR1)
    os._exit(9)


def main():
    signal.signal(signal.SIGUSR1, handler)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    for flags in (0, guest.CLONE_CLEAR_SIGHAND):
        pid = guest.clone3(flags)
        if pid == 0:
            child()
        guest.say(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")
    os.kill(os.getpid(), signal.SIGUSR1)


main()
