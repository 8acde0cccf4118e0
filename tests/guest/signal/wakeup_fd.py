"""set_wakeup_fd: C handlers write the numbers, in the order in which their frames are left."""

import os
import signal
import time

seen = []


def note(number, frame):
    seen.append(int(number))


read_end, write_end = os.pipe2(os.O_NONBLOCK)
blocking_read, blocking_write = os.pipe()
print(signal.set_wakeup_fd(write_end), signal.set_wakeup_fd(write_end) == write_end)
for descriptor in (blocking_write, 77):
    try:
        signal.set_wakeup_fd(descriptor)
    except (ValueError, OSError) as error:
        print(error)
ALL = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, 34, 35]
for number in ALL:
    signal.signal(number, note)
os.kill(os.getpid(), signal.SIGUSR1)
print(list(os.read(read_end, 100)), seen)
signal.pthread_sigmask(signal.SIG_BLOCK, ALL)
for number in ALL + ALL:
    os.kill(os.getpid(), number)
del seen[:]
signal.pthread_sigmask(signal.SIG_UNBLOCK, ALL)
print(list(os.read(read_end, 100)), seen)
me = os.getpid()
pid = os.fork()
if pid == 0:
    time.sleep(0.1)
    os.kill(me, signal.SIGHUP)
    time.sleep(0.1)
    os._exit(4)
del seen[:]
print(os.waitpid(pid, 0)[1], list(os.read(read_end, 100)), seen)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.kill(me, signal.SIGHUP)
try:
    os.read(read_end, 1)
except BlockingIOError as error:
    print(error)
print(signal.set_wakeup_fd(-1) == write_end, signal.set_wakeup_fd(-1))
os.kill(me, signal.SIGUSR1)
try:
    os.read(read_end, 1)
except BlockingIOError as error:
    print(error)
