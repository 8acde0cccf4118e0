"""In an orphaned group SIGTSTP, SIGTTIN and SIGTTOU do nothing by default; SIGSTOP stops."""

import os
import signal
import time

seen = []
report = os.pipe()


def note(number, frame):
    seen.append(int(number))


pid = os.fork()
if pid == 0:
    os.setsid()  # alone in its session: orphaned from the start
    before = time.monotonic()
    for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        os.kill(os.getpid(), number)
    print("not stopped")
    signal.signal(signal.SIGTSTP, note)
    os.kill(os.getpid(), signal.SIGTSTP)
    print("handled", seen)
    signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTSTP])
    os.kill(os.getpid(), signal.SIGTSTP)
    print("pending", len(signal.sigpending()))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTSTP])
    print("taken and nothing", len(signal.sigpending()))
    os.kill(os.getpid(), signal.SIGSTOP)
    print("continued")
    os._exit(0)
print(hex(os.waitpid(pid, os.WUNTRACED)[1]))
os.kill(pid, signal.SIGCONT)
print(os.waitpid(pid, 0)[1])
