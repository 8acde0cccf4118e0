"""When the leader execs its other threads end wherever they are; only the program's end is told."""

import os
import signal
import sys
import threading
import time

from workloads import guest


def read_for_ever(fd):
    os.read(fd, 1)
    os._exit(71)


def sleep_for_ever(fd):
    time.sleep(1000)
    os._exit(72)


def compute_for_ever(fd):
    while True:
        guest.compute(1_000_000)


def wait_for_ever(fd):
    os.waitpid(-1, 0)
    os._exit(73)


if len(sys.argv) > 1:
    os.write(61, b"c")
    print("its child", os.wait()[1])
    print("fresh", signal.pthread_sigmask(signal.SIG_BLOCK, []), os.getpid() == int(sys.argv[1]))
    sys.exit(17)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
pid = os.fork()
if pid == 0:
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    gate = os.pipe()
    if os.fork() == 0:
        os.read(gate[0], 1)
        os._exit(5)
    for target in (read_for_ever, sleep_for_ever, compute_for_ever, wait_for_ever):
        threading.Thread(target=target, args=(os.pipe()[0],)).start()
    time.sleep(0.05)
    os.dup2(gate[1], 61)
    os.execv(sys.executable, [sys.executable, "-u", __file__, str(os.getpid())])
info = signal.sigwaitinfo([signal.SIGCHLD])
print(info.si_pid == pid, info.si_code, info.si_status)
print(os.waitpid(pid, 0)[1] >> 8, signal.sigtimedwait([signal.SIGCHLD], 0))
