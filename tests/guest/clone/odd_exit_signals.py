"""The exit signal is taken as it is: 0 and invalid ones are not sent, an RT signal may kill."""

import os
import signal

from workloads import guest


def main():
    for number in (0, 65, 100, 255):
        pid = guest.clone(number)
        if pid == 0:
            os._exit(2)
        result = os.waitid(os.P_PID, pid, os.WEXITED | 0x40000000)
        guest.say(f"{number}: {result.si_status} alive")
    pid = os.fork()
    if pid == 0:
        child = guest.clone(64)
        if child == 0:
            os._exit(0)
        while True:
            signal.pause()
    guest.say(f"64: {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")


main()
