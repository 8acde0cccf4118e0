"""Handlers run in the main thread only; a thread's mask and pending signals are its own."""

import os
import signal
import threading
import time

seen = []
results = []


def note(number, frame):
    seen.append((int(number), threading.get_native_id() == os.getpid()))


def waiter(which):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    results.append(int(signal.sigwait([signal.SIGUSR2])))


def poke_main(target):
    time.sleep(0.1)
    signal.pthread_kill(target, signal.SIGUSR1)
    time.sleep(0.1)
    signal.raise_signal(signal.SIGUSR1)
    time.sleep(0.1)


def refuses():
    try:
        signal.signal(signal.SIGUSR1, note)
    except ValueError as error:
        results.append(str(error))


signal.signal(signal.SIGUSR1, note)
signal.signal(signal.SIGUSR2, note)
main = threading.get_ident()

thread = threading.Thread(target=refuses)
thread.start()
thread.join()
print(results)
results.clear()

thread = threading.Thread(target=poke_main, args=(main,))
thread.start()
thread.join()
print(seen)
seen.clear()

threads = [threading.Thread(target=waiter, args=(i,)) for i in range(3)]
for thread in threads:
    thread.start()
time.sleep(0.1)
for thread in threads:
    signal.pthread_kill(thread.ident, signal.SIGUSR2)
for thread in threads:
    thread.join()
print(results, seen)
results.clear()

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
thread = threading.Thread(target=waiter, args=(0,))
thread.start()
time.sleep(0.1)
os.kill(os.getpid(), signal.SIGUSR2)
thread.join()
print(results, seen)
signal.pthread_kill(main, signal.SIGUSR2)
print([int(number) for number in sorted(signal.sigpending())], seen)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])
print(seen)
