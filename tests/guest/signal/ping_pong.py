"""Parent and child answer each other's signals, first by sigwait, then by handler and pipe."""

import os
import signal
import time

ROUNDS = 40
count = [0]


def note(number, frame):
    count[0] += 1


me = os.getpid()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2])
pid = os.fork()
if pid == 0:
    for _ in range(ROUNDS):
        signal.sigwait([signal.SIGUSR1])
        os.kill(me, signal.SIGUSR2)
    os._exit(0)
for _ in range(ROUNDS):
    os.kill(pid, signal.SIGUSR1)
    signal.sigwait([signal.SIGUSR2])
print(os.waitpid(pid, 0)[1])

signal.signal(signal.SIGUSR1, note)
signal.pthread_sigmask(signal.SIG_SETMASK, [])
read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    while count[0] < ROUNDS:
        before = count[0]
        os.write(write_end, b"x")
        while count[0] == before:
            time.sleep(0.0001)
    os._exit(count[0])
for _ in range(ROUNDS):
    os.read(read_end, 1)
    os.kill(pid, signal.SIGUSR1)
print(os.waitpid(pid, 0)[1] >> 8)
