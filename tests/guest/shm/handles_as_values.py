"""Handles of segments go through lists, dicts, functions and threads like any value."""

import threading
from mmap import MAP_ANONYMOUS, MAP_SHARED, mmap

from workloads import guest
from workloads.guest import shmat as attach
from workloads.guest import shmctl, shmdt, shmget


def new(size):
    id = shmget(guest.IPC_PRIVATE, size, guest.IPC_CREAT | 0o600)
    handle = attach(id)
    shmctl(id, guest.IPC_RMID)
    return handle


def fill(handle, value=7):
    for place in range(len(handle)):
        handle[place] = value + place


def by_name(name):
    return places[name]


memory = mmap(-1, 4, flags=MAP_SHARED | MAP_ANONYMOUS)
places = {"a": new(5), "b": memory}
both = [places["a"], new(3)]
fill(by_name("a"))
fill(by_name("b"), 100)
thread = threading.Thread(target=fill, args=(both[1], 50))
thread.start()
thread.join()
both[0][1:3] = b"xy"
print(places["a"][:], both[1][:], memory[:], both[0][-1])
both[0][0] += 5
first, second = both
second[2] = first[0]
print(first[0], second[2], first is both[0], first == second, len(first) + len(second))
guest.touch(first, 0, 1)
guest.WRITE_ONCE(first, 0, 258)
print(first[0:2], guest.READ_ONCE(first, 0), [value * 2 for value in range(3)])
try:
    first[0:2] = b"too long"
except IndexError as error:
    print(error)
try:
    first[0] = 256
except ValueError as error:
    print(error)
shmdt(first)
shmdt(second)
