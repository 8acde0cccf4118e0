"""The parent death signal comes at the death of each parent, the inheriting one too."""

import os
import signal

from workloads import guest

USR = [signal.SIGUSR1]
signal.pthread_sigmask(signal.SIG_BLOCK, USR)
tell = os.pipe()
gates = (os.pipe(), os.pipe(), os.pipe())
guest.set_child_subreaper()


def descend(depth):
    """Be a subreaper that ends when told to; the last one's child counts its parents' deaths."""
    pid = os.fork()
    if pid:
        return pid
    if depth < 3:
        guest.set_child_subreaper()
        descend(depth + 1)
        os.read(gates[depth][0], 1)
        os._exit(depth)
    guest.prctl(guest.PR_SET_PDEATHSIG, signal.SIGUSR1)
    for turn in range(4):
        os.write(tell[1], b"%d" % turn)
        if turn < 3:
            signal.sigwait(USR)
    os._exit(9)


descend(0)
print(os.read(tell[0], 1))
for depth in (2, 1, 0):
    os.write(gates[depth][1], b"x")
    print(depth, os.read(tell[0], 1))
ends = [os.wait()[1] >> 8, os.wait()[1] >> 8]
print(sorted(ends))
