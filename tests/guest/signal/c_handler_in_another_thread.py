"""A signal that another thread takes sets a flag; main handles it when it next runs."""

import os
import signal
import threading
import time

seen = []
stop = threading.Lock()
stop.acquire()


def note(number, frame):
    seen.append((int(number), threading.get_native_id() == os.getpid()))


def sleeper():
    stop.acquire()


def pauser(times):
    for _ in range(times):
        signal.pause()
    seen.append("pause over")


signal.signal(signal.SIGUSR1, note)
thread = threading.Thread(target=sleeper)
thread.start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
child = os.fork()
if child == 0:
    time.sleep(0.1)
    os.kill(os.getppid(), signal.SIGUSR1)
    os._exit(0)
start = time.monotonic()
time.sleep(0.3)
print("not interrupted", time.monotonic() - start >= 0.3, len(seen))
print(seen)
os.waitpid(child, 0)
stop.release()
thread.join()
del seen[:]

print("blocked everywhere")
os.kill(os.getpid(), signal.SIGUSR1)
print(seen, [int(number) for number in sorted(signal.sigpending())])
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
print(seen)
del seen[:]

print("pause in a thread returns, the handler runs in main")
thread = threading.Thread(target=pauser, args=(1,))
thread.start()
time.sleep(0.1)
signal.pthread_kill(thread.ident, signal.SIGUSR1)
thread.join()
print(sorted([str(item) for item in seen]))
