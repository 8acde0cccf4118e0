"""Who sent it and how: kill, raise, pthread_kill, pidfd, timer, a broken pipe, another user."""

import os
import signal
import threading

ALL = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGPIPE, signal.SIGTERM, 40]
signal.pthread_sigmask(signal.SIG_BLOCK, ALL)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
me = os.getpid()


def told(name):
    info = signal.sigwaitinfo(ALL)
    print(name, info.si_signo, info.si_code, info.si_uid, info.si_pid == me, info.si_pid != 0)


os.kill(me, signal.SIGUSR1)
told("kill")
os.kill(0, 0)
signal.raise_signal(signal.SIGUSR1)
told("raise_signal")
signal.pthread_kill(threading.get_ident(), 40)
told("pthread_kill")
fd = os.pidfd_open(me)
signal.pidfd_send_signal(fd, signal.SIGUSR2)
told("pidfd")
signal.setitimer(signal.ITIMER_REAL, 0.01)
told("timer")
signal.alarm(1)
told("alarm")
read_end, write_end = os.pipe()
os.close(read_end)
try:
    os.write(write_end, b"x")
except BrokenPipeError:
    told("broken pipe")
pid = os.fork()
if pid == 0:
    os.setresuid(0, 0, 500)
    os.kill(me, signal.SIGTERM)
    os.setresuid(400, 0, 0)
    os.kill(me, 40)
    os._exit(0)
told("a child")
told("a child with another real id")
os.waitpid(pid, 0)
