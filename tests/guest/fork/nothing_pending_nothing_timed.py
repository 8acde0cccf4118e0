"""A child starts without pending signals, alarms, times and children, with mask and handlers."""

import os
import signal

from workloads import guest

seen = []


def note(number, frame):
    seen.append(int(number))


signal.signal(signal.SIGUSR1, note)
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, 40])
for number in (signal.SIGTERM, 40, 40):
    os.kill(os.getpid(), number)
    signal.raise_signal(number)
signal.alarm(100)
if os.fork() == 0:
    os._exit(0)
guest.compute(30_000_000)
pid = os.fork()
if pid == 0:
    now = os.times()
    print("pending", signal.sigpending(), "alarm", signal.alarm(0))
    print("times", now.user + now.system < 0.02, now.children_user + now.children_system)
    print("mask", [int(n) for n in sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))])
    print(signal.getsignal(signal.SIGUSR1) == note, signal.getsignal(signal.SIGUSR2) == 1)
    try:
        os.wait()
    except ChildProcessError as error:
        print(error)
    os._exit(0)
print(os.waitpid(pid, 0)[1], signal.alarm(0) > 90, len(signal.sigpending()))
