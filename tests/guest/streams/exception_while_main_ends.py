"""A thread tells of its exception while the main thread flushes at exit: both want stderr."""

import os
import sys
import threading


def fails(text):
    raise ValueError(text)


os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
for number in range(3):
    pid = os.fork()
    if pid == 0:
        threading.Thread(target=fails, args=("one",)).start()
        threading.Thread(target=fails, args=("another",)).start()
        sys.exit(number)
    print(os.waitpid(pid, 0)[1] >> 8)
