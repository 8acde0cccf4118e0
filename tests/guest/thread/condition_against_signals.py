"""Waits for a condition go on under a shower of signals and never hang."""

import os
import signal
import threading
import time

handled = [0]
condition = threading.Condition()
turns = [0]


def note(number, frame):
    handled[0] += 1


def player(me, rounds):
    for _ in range(rounds):
        with condition:
            while turns[0] % 3 != me:
                condition.wait(0.5 if me else None)
            turns[0] += 1
            condition.notify_all()


signal.signal(signal.SIGUSR1, note)
target = os.getpid()
pid = os.fork()
if pid == 0:
    for _ in range(60):
        os.kill(target, signal.SIGUSR1)
        time.sleep(0.0005)
    os._exit(0)
others = [threading.Thread(target=player, args=(number, 20)) for number in (1, 2)]
for thread in others:
    thread.start()
player(0, 20)
for thread in others:
    thread.join()
print(turns, os.waitpid(pid, 0)[1], handled[0] > 0)
