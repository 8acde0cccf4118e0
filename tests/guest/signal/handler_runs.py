"""Each signal that can be caught: its handler runs before the call that sent it is over."""

import os
import signal

seen = []


def note(number, frame):
    seen.append(int(number))


CATCHABLE = [number for number in sorted(signal.valid_signals()) if number not in (9, 19)]
for number in CATCHABLE:
    signal.signal(number, note)
    os.kill(os.getpid(), number)
    assert seen[-1] == number, number
    signal.signal(number, signal.SIG_IGN)
    os.kill(os.getpid(), number)
    signal.raise_signal(number)
print(len(CATCHABLE), seen == [int(number) for number in CATCHABLE])
for number in CATCHABLE:
    before = signal.signal(number, signal.SIG_DFL)
    assert before == signal.SIG_IGN
pid = os.fork()
if pid == 0:
    os.kill(os.getpid(), signal.SIGUSR1)
    os._exit(1)
print(os.waitpid(pid, 0)[1])
