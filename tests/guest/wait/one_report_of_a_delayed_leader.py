"""SIGCHLD of a process whose leader has left comes once, with its last thread."""

import os
import signal
import threading
import time

from workloads import guest

gate, ready = os.pipe(), os.pipe()


def stays():
    os.write(ready[1], b"r")
    os.read(gate[0], 1)
    guest.exit_thread(8)


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
pid = os.fork()
if pid == 0:
    for _ in range(2):
        threading.Thread(target=stays).start()
    guest.exit_thread(7)
os.read(ready[0], 1)
os.read(ready[0], 1)
time.sleep(0.03)
print("leader gone", signal.sigtimedwait([signal.SIGCHLD], 0))
print(os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG), os.waitpid(-1, os.WNOHANG))
os.write(gate[1], b"x")
time.sleep(0.03)
print("one thread gone", signal.sigtimedwait([signal.SIGCHLD], 0), os.waitpid(pid, os.WNOHANG))
os.write(gate[1], b"x")
info = signal.sigwaitinfo([signal.SIGCHLD])
print("all gone", info.si_pid == pid, info.si_code, info.si_status)
print(os.waitpid(pid, os.WNOHANG)[1] >> 8, signal.sigtimedwait([signal.SIGCHLD], 0))
