"""SIGCONT takes back stop signals that wait, and a stop signal takes back SIGCONT."""

import os
import signal

ready = os.pipe()
gate = os.pipe()
STOPS = [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU]


def child(way):
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS + [signal.SIGCONT])
        os.write(ready[1], b"r")
        os.read(gate[0], 1)
        if way == "unblocks":
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        print(way, [int(number) for number in sorted(signal.sigpending())])
        os._exit(0)
    os.read(ready[0], 1)
    return pid


pid = child("unblocks")
for number in STOPS:
    os.kill(pid, number)
os.kill(pid, signal.SIGCONT)
os.write(gate[1], b"x")
print(os.waitpid(pid, os.WUNTRACED)[1])
pid = child("looks")
os.kill(pid, signal.SIGCONT)
os.kill(pid, signal.SIGTSTP)
os.kill(pid, signal.SIGTTIN)
os.write(gate[1], b"x")
print(os.waitpid(pid, os.WUNTRACED)[1])
pid = child("unblocks")
os.kill(pid, signal.SIGTSTP)
os.write(gate[1], b"x")
print(os.waitpid(pid, os.WUNTRACED)[1])
os.kill(pid, signal.SIGCONT)
print(os.waitpid(pid, os.WUNTRACED)[1])
