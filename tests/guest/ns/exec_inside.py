"""exec keeps pid, namespaces and the rank of an init, also exec by a thread that is no leader."""

import os
import signal
import sys
import threading

from workloads import guest


def after():
    guest.say(f"after exec: pid {os.getpid()} tid {guest.gettid()} parent {os.getppid()}")
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGKILL)
    guest.say("still alive")
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    os._exit(4)


def run_again():
    os.execv(sys.executable, [sys.executable, "-u", __file__, "after"])


def main():
    for by_thread in (False, True):
        pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
        if pid == 0:
            if by_thread:
                threading.Thread(target=run_again).start()
                while True:
                    signal.pause()
            run_again()
        guest.say(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")


if len(sys.argv) > 1:
    after()
else:
    main()
