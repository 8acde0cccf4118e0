"""fork copies handlers and mask but no pending signal; exec resets handlers and keeps the rest."""

import os
import signal
import sys

seen = []


def note(number, frame):
    seen.append(int(number))


def state():
    caught = []
    ignored = []
    for name in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
        caught.append(signal.getsignal(name) == note)
        ignored.append(signal.getsignal(name) == signal.SIG_IGN)
    blocked = sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))
    pending = sorted(signal.sigpending())
    return caught, ignored, [int(n) for n in blocked], [int(n) for n in pending]


if len(sys.argv) > 1:
    print("after exec", state())
    signal.signal(signal.SIGTERM, note)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    print(seen)
    sys.exit(0)
signal.signal(signal.SIGUSR1, note)
signal.signal(signal.SIGHUP, note)
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGHUP])
os.kill(os.getpid(), signal.SIGTERM)
print("parent", state())
pid = os.fork()
if pid == 0:
    print("child", state())
    os.kill(os.getpid(), signal.SIGUSR1)
    print(seen)
    os._exit(0)
print(os.waitpid(pid, 0)[1], seen)
os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
