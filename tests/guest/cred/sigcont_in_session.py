"""SIGCONT may be sent to anybody of one's own session; nothing else, and nobody of another."""

import os
import signal


def attempt(name, target, sig, group=False):
    try:
        if group:
            os.killpg(target, sig)
        else:
            os.kill(target, sig)
        print(name, int(sig), "ok")
    except OSError as error:
        print(name, int(sig), error.errno)


same = os.fork()
if same == 0:
    signal.pause()
    os._exit(0)
ready_r, ready_w = os.pipe()
other = os.fork()
if other == 0:
    os.setsid()
    os.write(ready_w, b"x")
    signal.pause()
    os._exit(0)
os.read(ready_r, 1)
os.kill(same, signal.SIGSTOP)
os.waitid(os.P_PID, same, os.WSTOPPED)
pid = os.fork()
if pid == 0:
    os.setresuid(74, 74, 74)
    for sig in (0, signal.SIGUSR1, signal.SIGSTOP, signal.SIGKILL, signal.SIGCONT):
        attempt("same session", same, sig)
        attempt("another session", other, sig)
    attempt("group of another session", other, signal.SIGCONT, True)
    attempt("group of another session", other, signal.SIGTERM, True)
    os._exit(0)
os.waitpid(pid, 0)
print(os.waitid(os.P_PID, same, os.WCONTINUED).si_code == os.CLD_CONTINUED)
for pid in (same, other):
    os.kill(pid, signal.SIGKILL)
    print(os.WTERMSIG(os.waitpid(pid, 0)[1]))
