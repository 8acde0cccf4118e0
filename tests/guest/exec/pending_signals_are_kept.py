"""Signals that wait for the thread and for the process are still there after exec, and in order."""

import os
import signal
import sys

BLOCKED = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGCHLD, 34, 40]
if len(sys.argv) == 1:
    signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
    me = os.getpid()
    for number in (40, 34, 40, signal.SIGTERM, signal.SIGTERM):
        os.kill(me, number)
    for number in (34, signal.SIGUSR2, 34):
        signal.raise_signal(number)
    if os.fork() == 0:
        os._exit(9)
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    os.execv(sys.executable, [sys.executable, "-u", __file__, str(me)])
print([int(n) for n in sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))])
print([int(n) for n in sorted(signal.sigpending())])
while True:
    info = signal.sigtimedwait(BLOCKED, 0)
    if info is None:
        break
    print(info.si_signo, info.si_code, info.si_pid == int(sys.argv[1]), info.si_status)
print(os.wait()[1])
