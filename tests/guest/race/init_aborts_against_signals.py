"""A pid namespace's init aborts while others signal it: it dies of the fault that comes last."""

import os
import signal

from workloads import guest


def note(number, frame):
    pass


def main():
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid == 0:
        signal.signal(signal.SIGUSR1, note)
        signal.signal(signal.SIGSEGV, signal.SIG_IGN)
        os.abort()
    sender = os.fork()
    if sender == 0:
        try:
            for _ in range(4):
                os.kill(pid, signal.SIGUSR1)
        except ProcessLookupError:
            pass
        os._exit(0)
    print(os.waitpid(pid, 0)[1] & 0x7F, os.waitpid(sender, 0)[1])


main()
