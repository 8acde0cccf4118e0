"""RLIMIT_SIGPENDING bounds queued real-time signals; kill still leaves one, tgkill says EAGAIN."""

import os
import resource
import signal
import threading


def queue_of(signals):
    return [int(number) for number in sorted(signals)]


def queued():
    count = 0
    while signal.sigtimedwait({signal.SIGRTMIN, signal.SIGRTMIN + 1}, 0) is not None:
        count += 1
    return count


pid = os.fork()
if pid == 0:
    os.setresuid(61020, 61020, 61020)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMIN, signal.SIGRTMIN + 1, 10})
    me = os.getpid()
    for _ in range(10):
        os.kill(me, signal.SIGRTMIN)
    print("unlimited", queued())
    resource.setrlimit(resource.RLIMIT_SIGPENDING, (3, 3))
    for _ in range(10):
        os.kill(me, signal.SIGRTMIN)
    print("three", queued())
    for _ in range(3):
        os.kill(me, signal.SIGRTMIN)
    for _ in range(3):
        os.kill(me, signal.SIGRTMIN + 1)
    print("the bit of another", queue_of(signal.sigpending()))
    try:
        signal.pthread_kill(threading.get_ident(), signal.SIGRTMIN)
        print("queued")
    except OSError as error:
        print("pthread_kill", error.errno)
    os.kill(me, 10)
    print("an ordinary signal", queue_of(signal.sigpending()))
    print(queued())
    signal.pthread_kill(threading.get_ident(), signal.SIGRTMIN)
    print(queued())
    resource.setrlimit(resource.RLIMIT_SIGPENDING, (0, 0))
    os.kill(me, signal.SIGRTMIN)
    os.kill(me, signal.SIGRTMIN)
    info = signal.sigwaitinfo({signal.SIGRTMIN})
    print(info.si_signo == signal.SIGRTMIN, info.si_code, info.si_pid, info.si_uid)
    print(queued())
    os._exit(0)
os.waitpid(pid, 0)
