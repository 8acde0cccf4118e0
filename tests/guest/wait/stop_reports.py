"""Stop, continue and exit reports with and without WNOWAIT."""

import os
import signal

r, w = os.pipe()


def child():
    pid = os.fork()
    if pid == 0:
        os.close(w)
        os.read(r, 1)
        os._exit(5)
    return pid


def info(options):
    found = os.waitid(os.P_ALL, 0, options)
    if found is None:
        return None
    return found.si_pid == pid, found.si_code, found.si_status, found.si_signo


pid = child()
os.kill(pid, signal.SIGSTOP)
print(info(os.WSTOPPED | os.WNOWAIT))
print(info(os.WSTOPPED | os.WNOWAIT | os.WNOHANG))
os.kill(pid, signal.SIGTERM)
print(info(os.WEXITED | os.WNOHANG))
print(info(os.WSTOPPED | os.WNOHANG))
print(info(os.WSTOPPED | os.WNOHANG))
os.kill(pid, signal.SIGCONT)
print(info(os.WEXITED))
pid = child()
os.kill(pid, signal.SIGSTOP)
print(info(os.WSTOPPED | os.WNOWAIT))
os.kill(pid, signal.SIGCONT)
print(info(os.WCONTINUED | os.WSTOPPED | os.WNOWAIT))
print(info(os.WSTOPPED | os.WNOHANG))
print(info(os.WCONTINUED))
os.kill(pid, signal.SIGSTOP)
print(info(os.WSTOPPED))
os.kill(pid, signal.SIGSTOP)
print(info(os.WSTOPPED | os.WNOHANG))
os.kill(pid, signal.SIGKILL)
print(info(os.WSTOPPED | os.WEXITED | os.WCONTINUED | os.WNOWAIT))
print(info(os.WSTOPPED | os.WEXITED | os.WNOWAIT))
try:
    print(info(os.WSTOPPED | os.WCONTINUED))
except OSError as error:
    print(error)
try:
    print(os.waitpid(-1, os.WUNTRACED)[1])
except OSError as error:
    print(error)
