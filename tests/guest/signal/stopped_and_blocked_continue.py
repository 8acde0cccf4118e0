"""A stopped process collects signals and handles them once it continues, SIGCONT's too."""

import os
import signal
import time

seen = []
report = os.pipe()
ready = os.pipe()
gate = os.pipe()


def note(number, frame):
    seen.append(int(number))


pid = os.fork()
if pid == 0:
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT, signal.SIGHUP, 40):
        signal.signal(number, note)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    os.write(ready[1], b"r")
    os.read(gate[0], 1)
    os.write(report[1], repr(seen).encode())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP])
    print(seen)
    os._exit(0)
os.read(ready[0], 1)
os.kill(pid, signal.SIGSTOP)
os.waitpid(pid, os.WUNTRACED)
for number in (40, signal.SIGUSR2, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, 40):
    os.kill(pid, number)
time.sleep(0.05)
print(os.waitpid(pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED))
os.kill(pid, signal.SIGCONT)
print(os.waitpid(pid, os.WCONTINUED)[1])
os.write(gate[1], b"x")
print(os.waitpid(pid, 0)[1], os.read(report[0], 100))
