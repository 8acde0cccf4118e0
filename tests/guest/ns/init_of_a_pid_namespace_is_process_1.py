"""The first process of a pid namespace is its process 1: no parent, group or session there."""

import os
import signal

from workloads import guest


def main():
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid == 0:
        guest.say(f"pid {os.getpid()} tid {guest.gettid()} parent {os.getppid()}")
        guest.say(f"group {os.getpgid(0)} {os.getpgrp()} session {os.getsid(0)}")
        child = os.fork()
        if child == 0:
            guest.say(f"its child: pid {os.getpid()} parent {os.getppid()}")
            os._exit(3)
        seen, status = os.waitpid(child, 0)
        guest.say(f"fork gave {child}, wait {seen} {status}")
        os._exit(5)
    done, status = os.waitpid(pid, 0)
    guest.say(f"the parent sees another number: {pid != 1}")
    guest.say(f"{done == pid} {os.waitstatus_to_exitcode(status)}")


main()
