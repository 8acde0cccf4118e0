"""ITIMER_VIRTUAL, ITIMER_PROF and an alarm that has gone off while blocked are kept by exec."""

import os
import signal
import sys
import time

from workloads import guest

KINDS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
if len(sys.argv) > 1:
    print("pending", [int(n) for n in sorted(signal.sigpending())])
    for kind in KINDS:
        left, interval = signal.getitimer(kind)
        print(0 < left <= 50.01, interval)
    sys.exit(0)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGPROF])
signal.setitimer(signal.ITIMER_REAL, 0.01)
while signal.SIGALRM not in signal.sigpending():
    time.sleep(0.005)
signal.setitimer(signal.ITIMER_PROF, 0.01)
while signal.SIGPROF not in signal.sigpending():
    guest.compute(5_000_000)
for kind in KINDS:
    signal.setitimer(kind, 50, 3)
pid = os.fork()
if pid == 0:
    for kind in KINDS:
        print("child", signal.getitimer(kind))
    print(signal.sigpending())
    os._exit(0)
os.waitpid(pid, 0)
os.execv(sys.executable, [sys.executable, "-u", __file__, "x"])
