"""recv() and send() that sleep are begun again after a handler, and end if it raises."""

import os
import signal
import socket
import time

a, b = socket.socketpair()


def note(number, frame):
    os.write(1, b"handler\n")


def stop(number, frame):
    raise TimeoutError("enough")


signal.signal(signal.SIGALRM, note)
pid = os.fork()
if pid == 0:
    time.sleep(0.15)
    a.send(b"late")
    os._exit(0)
signal.setitimer(signal.ITIMER_REAL, 0.05)
print(b.recv(10))
os.waitpid(pid, 0)
signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    b.recv(1)
except TimeoutError as error:
    print("recv:", error)
signal.setitimer(signal.ITIMER_REAL, 0.05)
total = 0
try:
    while True:
        total += a.send(bytes(36544))
except TimeoutError as error:
    print("send:", error, total)
pid = os.fork()
if pid == 0:
    a.close()
    b.setblocking(True)
    while b.recv(100000):
        pass
    os._exit(7)
os.kill(pid, signal.SIGSTOP)
print(os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1]))
os.kill(pid, signal.SIGCONT)
a.close()
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
