"""An ignored signal is dropped unless blocked; setting it to ignored drops what is pending."""

import os
import signal

seen = []


def note(number, frame):
    seen.append(int(number))


def pending():
    return [int(number) for number in sorted(signal.sigpending())]


me = os.getpid()
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
os.kill(me, signal.SIGUSR1)
signal.signal(signal.SIGUSR1, note)
print("not blocked", seen)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGCHLD, signal.SIGWINCH])
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
os.kill(me, signal.SIGUSR1)
os.kill(me, signal.SIGWINCH)
print("blocked", pending())
signal.signal(signal.SIGUSR1, note)
print("kept", pending())
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
print("set to ignored", pending())
signal.signal(signal.SIGWINCH, signal.SIG_DFL)
print("set to a default that ignores", pending())
os.kill(me, signal.SIGUSR1)
os.kill(me, signal.SIGWINCH)
print("again", pending())
signal.signal(signal.SIGUSR1, note)
signal.pthread_sigmask(signal.SIG_SETMASK, [])
print(seen, pending())
