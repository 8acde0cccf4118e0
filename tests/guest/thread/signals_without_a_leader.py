"""A process whose leader has left still takes signals: its threads stop, continue, wait and die."""

import os
import signal
import threading
import time

from workloads import guest

ready = os.pipe()


def wait_for_signal():
    os.write(ready[1], b"r")
    signal.sigwait([signal.SIGUSR1])
    os.write(ready[1], b"s")
    time.sleep(1000)


def begin():
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        threading.Thread(target=wait_for_signal).start()
        guest.exit_thread(1)
    os.read(ready[0], 1)
    time.sleep(0.05)
    return pid


pid = begin()
os.kill(pid, 0)
print("alive", os.waitpid(pid, os.WNOHANG))
os.kill(pid, signal.SIGUSR1)
print("taken", os.read(ready[0], 1))
os.kill(pid, signal.SIGSTOP)
print("stopped", os.waitpid(pid, os.WUNTRACED)[1])
os.kill(pid, signal.SIGCONT)
print("continued", os.waitpid(pid, os.WCONTINUED)[1])
os.kill(pid, signal.SIGTERM)
print("ended", os.waitpid(pid, 0)[1])
pid = begin()
os.kill(pid, signal.SIGKILL)
print("killed", os.waitpid(pid, 0)[1])
