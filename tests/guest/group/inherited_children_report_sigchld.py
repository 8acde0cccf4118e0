"""A child made with another exit signal reports SIGCHLD to the parent that inherits it."""

import os
import signal

from workloads import guest

WANTED = [signal.SIGCHLD, signal.SIGUSR1]
signal.pthread_sigmask(signal.SIG_BLOCK, WANTED)
guest.set_child_subreaper()
gate = os.pipe()
middle = os.fork()
if middle == 0:
    if guest.clone(signal.SIGUSR1) == 0:
        os.read(gate[0], 1)
        os._exit(8)
    os._exit(0)
print(signal.sigwaitinfo(WANTED).si_signo, os.waitpid(middle, 0)[1])
print("without __WALL", os.waitpid(-1, os.WNOHANG))
os.write(gate[1], b"x")
info = signal.sigwaitinfo(WANTED)
print(info.si_signo, info.si_code, info.si_status, os.wait()[1] >> 8)
middle = os.fork()
if middle == 0:
    zombie = guest.clone(signal.SIGUSR1)
    if zombie == 0:
        os._exit(9)
    os.waitid(os.P_PID, zombie, os.WEXITED | os.WNOWAIT | 0x40000000)
    os._exit(0)
os.waitpid(middle, 0)
info = signal.sigwaitinfo(WANTED)
print("a zombie", info.si_signo, info.si_status in (0, 9), os.wait()[1] >> 8)
