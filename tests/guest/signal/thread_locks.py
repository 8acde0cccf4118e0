"""A lock or a join that waits in the main thread runs handlers and goes on."""

import os
import signal
import threading
import time

seen = []
lock = threading.Lock()


def note(number, frame):
    seen.append(int(number))


def boom(number, frame):
    raise ValueError("handler")


def poke():
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGUSR1)
    time.sleep(0.2)


def poke_and_release():
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGUSR1)
    time.sleep(0.1)
    lock.release()


signal.signal(signal.SIGUSR1, note)
thread = threading.Thread(target=poke)
thread.start()
thread.join()
print("join", seen, thread.is_alive())

lock.acquire()
thread = threading.Thread(target=poke_and_release)
thread.start()
print("acquire", lock.acquire(), seen)
thread.join()

thread = threading.Thread(target=poke)
thread.start()
start = time.monotonic()
print("timeout", lock.acquire(True, 0.25), 0.25 <= time.monotonic() - start < 0.5, seen)
thread.join()

signal.signal(signal.SIGUSR1, boom)
thread = threading.Thread(target=poke)
thread.start()
start = time.monotonic()
try:
    lock.acquire()
    print("no")
except ValueError as error:
    print("acquire", error, time.monotonic() - start < 0.25)
thread.join()
print(lock.locked())
