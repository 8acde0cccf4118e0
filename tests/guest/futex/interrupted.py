"""A handler ends futex_wait() with EINTR; with SA_RESTART and no timeout it begins again."""

import mmap
import os
import signal
import time

from workloads import guest

m = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


def handler(signum, frame):
    m[64] = 1


def sleeper(restart, timeout_ns):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGUSR1, handler)
        signal.siginterrupt(signal.SIGUSR1, not restart)
        m[65] = 1
        try:
            guest.futex_wait(m, 0, 0, timeout_ns)
            os._exit(0)
        except InterruptedError:
            os._exit(4)
        except TimeoutError:
            os._exit(5)
    while m[65] == 0:
        time.sleep(0.001)
    m[65] = 0
    return pid


def outcome(pid, wake):
    for _ in range(100):
        os.kill(pid, signal.SIGUSR1)
        time.sleep(0.002)
        if wake:
            guest.futex_wake(m, 0, 1)
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
    return -1


print("no timeout", outcome(sleeper(False, None), False))
print("timeout", outcome(sleeper(False, 5 * 10**9), False))
print("timeout, SA_RESTART", outcome(sleeper(True, 5 * 10**9), False))
print("SA_RESTART", outcome(sleeper(True, None), True))

pid = sleeper(False, None)
for _ in range(3):
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)
    os.kill(pid, signal.SIGCONT)
while guest.futex_wake(m, 0, 1) == 0:
    time.sleep(0.001)
print("stopped and continued", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
