"""wait3 and wait4 give the usage of the child, whichever way it changed; nothing new has none."""

import os
import signal

from workloads import guest


def used(usage):
    return usage.ru_utime + usage.ru_stime


gate = os.pipe()
pid = os.fork()
if pid == 0:
    guest.compute(60_000_000)
    os.kill(os.getpid(), signal.SIGSTOP)
    os.read(gate[0], 1)
    guest.compute(60_000_000)
    os._exit(4)
found, status, usage = os.wait3(os.WUNTRACED)
print(found == pid, hex(status), 0.05 < used(usage) < 0.11)
print(os.wait3(os.WNOHANG)[:2], used(os.wait3(os.WNOHANG)[2]))
os.kill(pid, signal.SIGCONT)
found, status, usage = os.wait4(pid, os.WCONTINUED)
print(found == pid, hex(status), 0.05 < used(usage) < 0.11)
os.write(gate[1], b"x")
found, status, usage = os.wait4(pid, 0)
print(found == pid, hex(status), 0.11 < used(usage) < 0.2)
try:
    os.wait3(0)
except ChildProcessError as error:
    print(error)
