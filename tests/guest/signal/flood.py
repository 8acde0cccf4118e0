"""Many senders, one receiver that forks, sleeps and reaps in a handler: no signal is lost."""

import os
import signal
import time

SENDERS = 6
EACH = 12
seen = []
children = []


def note(number, frame):
    seen.append(int(number))


def take_child(number, frame):
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        children.append(status >> 8)


me = os.getpid()
signal.signal(signal.SIGCHLD, take_child)
for number in range(40, 40 + SENDERS):
    signal.signal(number, note)
gates = []
for i in range(SENDERS):
    read_end, write_end = os.pipe()
    gates.append((read_end, write_end))
    if os.fork() == 0:
        for _ in range(EACH):
            os.kill(me, 40 + i)
            os.read(read_end, 1)
        os._exit(i)
answered = 0
while len(children) < SENDERS:
    while answered < len(seen):
        os.write(gates[seen[answered] - 40][1], b"x")
        answered += 1
    time.sleep(0.001)
print([seen.count(number) for number in range(40, 40 + SENDERS)], sorted(children))
