"""Processes meet at a barrier made of signals: a round ends when all have come."""

import os
import signal

COUNT, ROUNDS = 4, 5
GO, COME = signal.SIGUSR2, signal.SIGRTMIN
signal.pthread_sigmask(signal.SIG_BLOCK, [GO, COME])
leader = os.getpid()
out = os.pipe()
pids = []
for number in range(COUNT):
    pid = os.fork()
    if pid == 0:
        for turn in range(ROUNDS):
            os.write(out[1], b"%d" % turn)
            os.kill(leader, COME)
            signal.sigwait([GO])
        os._exit(number)
    pids.append(pid)
for _ in range(ROUNDS):
    for _ in pids:
        signal.sigwait([COME])
    print(os.read(out[0], 100))
    for pid in pids:
        os.kill(pid, GO)
for pid in pids:
    print(os.waitpid(pid, 0)[1] >> 8)
