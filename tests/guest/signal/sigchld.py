"""SIGCHLD: one for several deaths, every child still to be had; SIG_IGN reaps by itself."""

import os
import signal
import time

count = [0]
reaped = []


def on_child(number, frame):
    count[0] += 1
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        reaped.append(status >> 8)


signal.signal(signal.SIGCHLD, on_child)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
for code in range(5):
    if os.fork() == 0:
        os._exit(code)
time.sleep(0.3)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
print(count[0], sorted(reaped))

print("ignored by default, but a wait sees it")
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
pid = os.fork()
if pid == 0:
    os._exit(1)
print(os.waitpid(pid, 0)[1])

print("ignored on purpose")
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
start = time.monotonic()
for _ in range(3):
    if os.fork() == 0:
        time.sleep(0.2)
        os._exit(1)
try:
    os.wait()
except ChildProcessError as error:
    print(error, time.monotonic() - start >= 0.2)

print("stopped and continued children send it too")
signal.signal(signal.SIGCHLD, on_child)
count[0] = 0
pid = os.fork()
if pid == 0:
    time.sleep(5)
    os._exit(0)
os.kill(pid, signal.SIGSTOP)
os.waitpid(pid, os.WUNTRACED)
time.sleep(0.1)
print(count[0])
os.kill(pid, signal.SIGCONT)
os.waitpid(pid, os.WCONTINUED)
time.sleep(0.1)
print(count[0])
del reaped[:]
os.kill(pid, signal.SIGKILL)
time.sleep(0.1)
print(count[0], reaped)
