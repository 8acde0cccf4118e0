"""PR_SET_PDEATHSIG: sent when the parent dies, lost by fork, kept by exec."""

import os
import signal
import sys

from workloads import guest

if len(sys.argv) > 1:
    print("after exec", guest.prctl(guest.PR_GET_PDEATHSIG))
    sys.exit(0)
for number in (0, 1, 64, 65, -1):
    try:
        guest.prctl(guest.PR_SET_PDEATHSIG, number)
        print(number, guest.prctl(guest.PR_GET_PDEATHSIG))
    except OSError as error:
        print(number, error.errno)
guest.set_child_subreaper()
guest.prctl(guest.PR_SET_PDEATHSIG, signal.SIGUSR1)
tell, gate = os.pipe(), os.pipe()
middle = os.fork()
if middle == 0:
    print("lost by fork", guest.prctl(guest.PR_GET_PDEATHSIG))
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
        guest.prctl(guest.PR_SET_PDEATHSIG, signal.SIGUSR2)
        os.write(tell[1], b"r")
        info = signal.sigwaitinfo([signal.SIGUSR2])
        os.write(tell[1], repr((info.si_signo, info.si_code, info.si_uid)).encode())
        os.read(gate[0], 1)
        print("still set", guest.prctl(guest.PR_GET_PDEATHSIG))
        os._exit(5)
    os.read(tell[0], 1)
    os._exit(4)
print(os.waitpid(middle, 0)[1])
print(os.read(tell[0], 100))
os.write(gate[1], b"x")
print(os.wait()[1])
os.execv(sys.executable, [sys.executable, "-u", __file__, "x"])
