"""Five hundred real-time signals of several numbers, sent while blocked, all arrive in order."""

import os
import signal

seen = []


def note(number, frame):
    seen.append(int(number))


NUMBERS = [36, 34, 50, 64, 35]
signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)
target = os.getpid()
pid = os.fork()
if pid == 0:
    for _ in range(100):
        for number in NUMBERS:
            os.kill(target, number)
    os._exit(0)
print(os.waitpid(pid, 0)[1])
order = []
for _ in range(250):
    order.append(signal.sigwaitinfo(NUMBERS).si_signo)
print(order == [34] * 100 + [35] * 100 + [36] * 50)
for number in NUMBERS:
    signal.signal(number, note)
signal.pthread_sigmask(signal.SIG_UNBLOCK, NUMBERS)
print(sorted(set(seen)))
print(signal.sigtimedwait(NUMBERS, 0))
