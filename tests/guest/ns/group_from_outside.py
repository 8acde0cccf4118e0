"""A group that spans namespaces gets a signal everywhere; a sender 0 to one member is 0 to all."""

import os
import signal

from workloads import guest


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2])
    ready, done = os.pipe()
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid == 0:
        os.write(done, b"x")
        info = signal.sigwaitinfo([signal.SIGUSR1])
        guest.say(f"inside: from {info.si_pid}")
        os.kill(0, signal.SIGUSR2)
        info = signal.sigwaitinfo([signal.SIGUSR2])
        guest.say(f"inside: from itself {info.si_pid}")
        os._exit(0)
    os.read(ready, 1)
    os.killpg(os.getpgrp(), signal.SIGUSR1)
    info = signal.sigwaitinfo([signal.SIGUSR1])
    itself = info.si_pid == os.getpid()  # no: the 0 for the one inside has stuck
    info = signal.sigwaitinfo([signal.SIGUSR2])
    os.waitpid(pid, 0)
    guest.say(f"outside: from itself {itself}")
    guest.say(f"outside: the inner sender's own number {info.si_pid}")


main()
