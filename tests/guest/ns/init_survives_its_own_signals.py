"""Inside its namespace an init is not ended or stopped by anybody, not even by SIGKILL."""

import os
import signal

from workloads import guest


def main():
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid == 0:
        for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL, signal.SIGABRT):
            os.kill(os.getpid(), number)
            guest.say(f"survived {int(number)}")
        child = os.fork()
        if child == 0:
            os.kill(1, signal.SIGKILL)
            os.kill(1, signal.SIGUSR1)
            os._exit(0)
        guest.say(f"child {os.waitpid(child, 0)[1]}")
        os._exit(7)
    guest.say(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")


main()
