"""Threads share directory, umask, descriptors and dispositions; masks and ids are their own."""

import os
import signal
import threading

log = []


def note(number, frame):
    pass


def change(fd):
    os.chdir("/tmp")
    os.umask(0o41)
    os.close(fd)
    os.dup2(0, 77)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    log.append(os.getpid())


def look():
    log.append([int(n) for n in sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))])


fd = os.dup(0)
thread = threading.Thread(target=change, args=(fd,))
thread.start()
thread.join()
print(os.getcwd(), os.umask(0) == 0o41, log == [os.getpid()])
os.fstat(77)
try:
    os.fstat(fd)
except OSError as error:
    print(error)
print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
log.clear()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2, signal.SIGALRM])
thread = threading.Thread(target=look)
thread.start()
thread.join()
print(log)
