"""pidfd_open, pidfd_send_signal, waitid(P_PIDFD); a reaped process can be sent nothing."""

import os
import signal
import time

seen = []


def note(number, frame):
    seen.append(int(number))


def fails(error):
    print(error)


pid = os.fork()
if pid == 0:
    time.sleep(5)
    os._exit(3)
fd = os.pidfd_open(pid)
print(os.waitid(os.P_PIDFD, fd, os.WEXITED | os.WNOHANG))
print(signal.pidfd_send_signal(fd, 0), signal.pidfd_send_signal(fd, signal.SIGTERM))
info = os.waitid(os.P_PIDFD, fd, os.WEXITED | os.WNOWAIT)
print(info.si_pid == pid, info.si_status, info.si_code == os.CLD_KILLED)
print("a zombie takes all", signal.pidfd_send_signal(fd, signal.SIGKILL))
print(os.waitid(os.P_PIDFD, fd, os.WEXITED).si_status)
try:
    signal.pidfd_send_signal(fd, 0)
except ProcessLookupError as error:
    fails(error)
try:
    os.waitid(os.P_PIDFD, fd, os.WEXITED)
except ChildProcessError as error:
    fails(error)

print("to itself, with a handler")
me = os.pidfd_open(os.getpid())
signal.signal(signal.SIGUSR1, note)
signal.pidfd_send_signal(me, signal.SIGUSR1)
print(seen)

print("errors")
for number, flags in ((0, 0), (-1, 0), (pid, 0), (os.getpid(), 1)):
    try:
        os.pidfd_open(number, flags)
    except OSError as error:
        fails(error)
for descriptor, number, flags in ((0, 0, 0), (99, 0, 0), (me, 99, 0), (me, 0, 77)):
    try:
        signal.pidfd_send_signal(descriptor, number, None, flags)
    except OSError as error:
        fails(error)
try:
    signal.pidfd_send_signal(me, 0, 5)
except TypeError as error:
    fails(error)
for descriptor in (-1, 0, 99):
    try:
        os.waitid(os.P_PIDFD, descriptor, os.WEXITED)
    except OSError as error:
        fails(error)
try:
    os.read(me, 1)
except OSError as error:
    fails(error)
try:
    os.write(me, b"x")
except OSError as error:
    fails(error)
try:
    os.lseek(me, 0, os.SEEK_SET)
except OSError as error:
    fails(error)

print("nonblocking")
pid = os.fork()
if pid == 0:
    time.sleep(0.1)
    os._exit(6)
fd = os.pidfd_open(pid, os.O_NONBLOCK)
try:
    os.waitid(os.P_PIDFD, fd, os.WEXITED)
except BlockingIOError as error:
    fails(error)
print(os.waitid(os.P_PIDFD, fd, os.WEXITED | os.WNOHANG))
time.sleep(0.2)
print(os.waitid(os.P_PIDFD, fd, os.WEXITED).si_status)
