"""An interval timer that is read, set anew and stopped in the handler of its own signal."""

import os
import signal
import time

seen = []


def handler(sig, frame):
    seen.append(sig)
    left, interval = signal.getitimer(signal.ITIMER_REAL)
    if len(seen) == 1:
        print("in the first", left > 0, interval)
        signal.setitimer(signal.ITIMER_REAL, 0.02)
    elif len(seen) == 2:
        print("in the second", left, interval)
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    elif len(seen) == 5:
        left, interval = signal.setitimer(signal.ITIMER_REAL, 0)
        print("in the fifth", left > 0, interval)


signal.signal(signal.SIGALRM, handler)
print(signal.setitimer(signal.ITIMER_REAL, 0.02, 0.03))
while len(seen) < 5:
    signal.pause()
time.sleep(0.05)
print(len(seen), signal.getitimer(signal.ITIMER_REAL))
pid = os.fork()  # a timer is not inherited
if pid == 0:
    print("child", signal.getitimer(signal.ITIMER_REAL))
    os._exit(0)
os.waitpid(pid, 0)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
time.sleep(0.05)
left, interval = signal.setitimer(signal.ITIMER_REAL, 0)
print("blocked", left, interval, signal.SIGALRM in signal.sigpending(), len(seen))
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
print(len(seen))
