"""A timer on CPU time goes on over exec and then ends the new program."""

import os
import signal
import sys

from workloads.guest import compute

if len(sys.argv) > 1:
    left, interval = signal.getitimer(signal.ITIMER_PROF)
    print("kept", left > 0, interval)
    compute(1_500_000_000)
    print("not reached")
    sys.exit(0)
pid = os.fork()
if pid == 0:
    signal.setitimer(signal.ITIMER_PROF, 0.5, 0.25)
    os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
print(-os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == signal.SIGPROF)
