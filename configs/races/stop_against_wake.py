"""A child that is about to sleep stops instead; what was to end its sleep must not end its stop."""

import mmap
import os
import signal

from workloads import guest

WORD = 0

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    while True:
        guest.futex_wait(memory, WORD, 0)
os.kill(pid, signal.SIGSTOP)
guest.futex_wake(memory, WORD, 1)
reaped, status = os.waitpid(pid, os.WUNTRACED)
with open(f"/proc/{pid}/stat") as stat:
    state = stat.read().split()[2]
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
print("stopped", os.WIFSTOPPED(status), state)
