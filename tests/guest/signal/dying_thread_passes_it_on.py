"""A process signal that only a dying thread could take stays pending for the others."""

import os
import signal
import threading
import time

WANTED = [signal.SIGUSR1]
gate = os.pipe()
got = []


def leaves():
    signal.pthread_sigmask(signal.SIG_BLOCK, WANTED)
    os.read(gate[0], 1)


def waits():
    got.append(int(signal.sigwait(WANTED)))


signal.pthread_sigmask(signal.SIG_BLOCK, WANTED)
thread = threading.Thread(target=leaves)
thread.start()
signal.pthread_kill(thread.ident, signal.SIGUSR1)
os.kill(os.getpid(), signal.SIGUSR1)
print(signal.SIGUSR1 in signal.sigpending())
os.write(gate[1], b"x")
thread.join()
print("the process's stays", signal.SIGUSR1 in signal.sigpending())
other = threading.Thread(target=waits)
other.start()
other.join()
print(got, "the thread's died with it", signal.sigtimedwait(WANTED, 0))
other = threading.Thread(target=waits)
other.start()
time.sleep(0.05)
os.kill(os.getpid(), signal.SIGUSR1)
other.join()
print(got)
