"""pthread_kill refuses numbers that are no signals, and only asks with 0; raise_signal likewise."""

import os
import signal
import threading

seen = []


def note(number, frame):
    seen.append(int(number))


def attempt(name, call, number):
    try:
        if call == "kill":
            signal.pthread_kill(threading.get_ident(), number)
        elif call == "raise":
            signal.raise_signal(number)
        else:
            signal.pidfd_send_signal(fd, number)
        print(name, number, "sent", seen)
    except (OSError, OverflowError) as error:
        print(name, number, error)
    seen.clear()


fd = os.pidfd_open(os.getpid())
for number in (signal.SIGUSR1, 34, 64):
    signal.signal(number, note)
for call in ("kill", "raise", "pidfd"):
    for number in (0, -1, 65, 10, 34, 64, 1 << 31, 17, 28):
        attempt(call, call, number)
