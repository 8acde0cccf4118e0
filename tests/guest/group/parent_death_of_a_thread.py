"""The parent of a child is a thread: its death sends the signal while the process lives on."""

import os
import signal
import threading

from workloads import guest

tell = os.pipe()


def makes_a_child():
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        guest.prctl(guest.PR_SET_PDEATHSIG, signal.SIGUSR1)
        parent = os.getppid()
        os.write(tell[1], b"r")
        signal.sigwait([signal.SIGUSR1])
        print("the thread has died; same parent", os.getppid() == parent)
        os.write(tell[1], b"s")
        signal.sigwait([signal.SIGUSR1])
        print("and the process")
        os._exit(0)
    os.read(tell[0], 1)


thread = threading.Thread(target=makes_a_child)
thread.start()
thread.join()
print(os.read(tell[0], 1))
print("alive", os.waitpid(-1, os.WNOHANG))
