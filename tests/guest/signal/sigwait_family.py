"""sigwait, sigwaitinfo and sigtimedwait take a signal without running its handler."""

import os
import signal
import time

seen = []


def note(number, frame):
    seen.append(int(number))


def show(info):
    print(
        info.si_signo,
        info.si_code,
        info.si_errno,
        info.si_pid == os.getpid(),
        info.si_uid == os.getuid(),
        info.si_status,
    )


for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM):
    signal.signal(number, note)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGCHLD])
me = os.getpid()
os.kill(me, signal.SIGUSR1)
print("sigwait", int(signal.sigwait([signal.SIGUSR1])), seen)
os.kill(me, signal.SIGUSR1)
show(signal.sigwaitinfo([signal.SIGUSR1, signal.SIGUSR2]))
signal.raise_signal(signal.SIGUSR1)
show(signal.sigwaitinfo([signal.SIGUSR1]))
print(signal.sigtimedwait([signal.SIGUSR1], 0), signal.sigtimedwait([signal.SIGUSR1], 0.05))
pid = os.fork()
if pid == 0:
    os._exit(5)
info = signal.sigwaitinfo({signal.SIGCHLD})
print(info.si_signo, info.si_code == os.CLD_EXITED, info.si_pid == pid, info.si_status)
print(os.waitpid(pid, 0)[1])

print("an unblocked one is taken too")
pid = os.fork()
if pid == 0:
    time.sleep(0.1)
    os.kill(me, signal.SIGUSR2)
    os._exit(0)
print(int(signal.sigwait([signal.SIGUSR2])), seen)
os.waitpid(pid, 0)
signal.sigtimedwait([signal.SIGCHLD], 0)

print("another signal's handler")
pid = os.fork()
if pid == 0:
    time.sleep(0.1)
    os.kill(me, signal.SIGUSR2)
    time.sleep(0.1)
    os.kill(me, signal.SIGUSR1)
    os._exit(0)
print(int(signal.sigwait([signal.SIGUSR1])), seen)
os.waitpid(pid, 0)
signal.sigtimedwait([signal.SIGCHLD], 0)

pid = os.fork()
if pid == 0:
    time.sleep(0.1)
    os.kill(me, signal.SIGUSR2)
    time.sleep(0.1)
    os.kill(me, signal.SIGUSR1)
    os._exit(0)
info = signal.sigtimedwait([signal.SIGUSR1], 5)
print(info.si_signo, info.si_pid == pid, seen)
os.waitpid(pid, 0)

signal.setitimer(signal.ITIMER_REAL, 0.05)
start = time.monotonic()
print(signal.sigtimedwait([signal.SIGUSR1], 0.2), time.monotonic() - start >= 0.2, seen)
try:
    signal.sigtimedwait([signal.SIGUSR1], -1)
except ValueError as error:
    print(error)
