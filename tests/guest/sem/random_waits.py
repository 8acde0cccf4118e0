"""Random operation lists that wait: who is served by which change, in the kernel's own order."""

import os
import sys
import time

from workloads import guest

SEMS = 3
ROUNDS = 12
WAITERS = 5

state = [int(sys.argv[1]) if len(sys.argv) > 1 else 77]


def rnd(n):
    state[0] = (state[0] * 1103515245 + 12345) % (1 << 31)
    return (state[0] >> 8) % n


def operations():
    made = []
    for _ in range(1 + rnd(2)):
        made.append((rnd(SEMS), (-1, -2, 0, -1, 1)[rnd(5)], 0))
    return made


def waiting():
    total = 0
    for index in range(SEMS):
        total += guest.semctl(sem, index, guest.GETNCNT) + guest.semctl(sem, index, guest.GETZCNT)
    return total


def values():
    found = []
    for index in range(SEMS):
        found.append(guest.semctl(sem, index, guest.GETVAL))
    return found


def settle():
    """Reap until all who are alive wait; return who has ended and how."""
    ended = []
    while True:
        alive = len(running)
        # twice: a waiter may move from one count to another between two looks
        if alive and (waiting() < alive or waiting() < alive):
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid:
                ended.append((running.pop(pid), os.waitstatus_to_exitcode(status)))
            else:
                time.sleep(0.0005)
        else:
            ended.sort()
            return ended


def start(number, wanted):
    pid = os.fork()
    if pid == 0:
        try:
            guest.semop(sem, wanted)
        except OSError as error:
            os._exit(error.errno)
        os._exit(0)
    running[pid] = number


for round in range(ROUNDS):
    sem = guest.semget(guest.IPC_PRIVATE, SEMS, guest.IPC_CREAT | 0o600)
    running = {}
    for index in range(SEMS):
        guest.semctl(sem, index, guest.SETVAL, rnd(2))
    for number in range(WAITERS):
        wanted = operations()
        start(number, wanted)
        print(round, number, wanted, settle(), values(), waiting())
    for _ in range(4):
        index, change = rnd(SEMS), 1 + rnd(2)
        guest.semop(sem, [(index, change, 0)])
        print("  ", index, change, settle(), values(), waiting())
    guest.semctl(sem, 0, guest.IPC_RMID)
    ends = []
    for _ in range(len(running)):
        ends.append(os.waitstatus_to_exitcode(os.wait()[1]))
    print("  removed", ends)
