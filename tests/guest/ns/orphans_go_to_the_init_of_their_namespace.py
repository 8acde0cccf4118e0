"""An orphan in a pid namespace gets process 1 of that namespace as its parent, which reaps it."""

import os
import signal

from workloads import guest


def main():
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid:
        guest.say(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")
        return
    read, write = os.pipe()
    middle = os.fork()
    if middle == 0:
        if os.fork() == 0:
            os.close(write)
            os.read(read, 1)  # ends when the middle one has ended
            guest.say(f"orphan: parent {os.getppid()}")
            os._exit(6)
        os._exit(0)
    os.waitpid(middle, 0)
    os.close(write)
    seen, status = os.wait()
    guest.say(f"init reaps {seen == 3} {os.waitstatus_to_exitcode(status)}")
    os._exit(4)


main()
