"""clone3 without flags is a fork whose exit signal may be any: SIGCHLD, another one, or none."""

import os
import signal

from workloads import guest

caught = []


def note(number, frame):
    caught.append(number)


def main():
    signal.signal(signal.SIGCHLD, note)
    signal.signal(signal.SIGUSR2, note)
    for exit_signal in (signal.SIGCHLD, signal.SIGUSR2, 0):
        pid = guest.clone3(0, exit_signal=exit_signal)
        if pid == 0:
            os._exit(3)
        result = os.waitid(os.P_PID, pid, os.WEXITED | 0x40000000)
        guest.say(f"{int(exit_signal)}: {result.si_pid == pid} {result.si_status} {caught}")
    pid = guest.clone3(0, exit_signal=signal.SIGUSR2)
    if pid == 0:
        os._exit(0)
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        guest.say("a clone child needs __WCLONE or __WALL")
    guest.say(f"{os.waitpid(pid, 0x80000000 - (1 << 32))[1]}")


main()
