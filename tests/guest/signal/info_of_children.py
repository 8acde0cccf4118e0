"""What SIGCHLD tells of a child that exited, was killed, stopped, continued, or had other ids."""

import os
import signal

from workloads import guest

WANTED = [signal.SIGCHLD, signal.SIGUSR1, 36]
signal.pthread_sigmask(signal.SIG_BLOCK, WANTED)


def told(name, pid):
    info = signal.sigwaitinfo(WANTED)
    print(name, info.si_signo, info.si_code, info.si_status, info.si_uid, info.si_pid == pid)


def child(action):
    pid = os.fork()
    if pid == 0:
        if action == "ids":
            os.setresuid(-1, 700, 800)
            os._exit(300 - 256 + 1)
        if action == "real id":
            os.setresuid(600, 0, 0)
            os._exit(2)
        if action == "exits":
            os._exit(200)
        if action == "ends":
            os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    return pid


for action in ("exits", "ends", "ids", "real id"):
    pid = child(action)
    told(action, pid)
    os.waitpid(pid, 0)
pid = child("pauses")
os.kill(pid, signal.SIGSTOP)
told("stopped", pid)
os.kill(pid, signal.SIGCONT)
told("continued", pid)
os.kill(pid, signal.SIGKILL)
told("killed", pid)
os.waitpid(pid, 0)
for number in (signal.SIGUSR1, 36):
    pid = guest.clone(number)
    if pid == 0:
        os._exit(5)
    told("another exit signal", pid)
    os.waitpid(pid, 0x40000000)
