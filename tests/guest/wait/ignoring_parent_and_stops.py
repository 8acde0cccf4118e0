"""A parent that ignores SIGCHLD still gets stop and continue reports, but no zombie."""

import os
import signal

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
pid = os.fork()
if pid == 0:
    while True:
        signal.pause()
os.kill(pid, signal.SIGSTOP)
print(hex(os.waitpid(pid, os.WUNTRACED)[1]))
os.kill(pid, signal.SIGCONT)
print(hex(os.waitpid(pid, os.WCONTINUED)[1]))
os.kill(pid, signal.SIGCONT)
print("running already", os.waitpid(pid, os.WCONTINUED | os.WNOHANG))
os.kill(pid, signal.SIGKILL)
try:
    os.waitpid(pid, os.WUNTRACED | os.WCONTINUED)
except ChildProcessError as error:
    print(error)
print(signal.sigpending() - {signal.SIGCHLD} == set(), signal.sigtimedwait([signal.SIGCHLD], 0))
