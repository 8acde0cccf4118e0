"""os.abort ends the process by SIGABRT, ignored, blocked or caught though it be."""

import os
import signal


def note(number, frame):
    os._exit(1)


for way in ("default", "ignored", "blocked", "caught", "raised", "raised and caught"):
    pid = os.fork()
    if pid == 0:
        if way == "ignored":
            signal.signal(signal.SIGABRT, signal.SIG_IGN)
        elif way == "blocked":
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGABRT])
        elif "caught" in way:
            signal.signal(signal.SIGABRT, note)
        if "raised" in way:
            signal.raise_signal(signal.SIGABRT)
        else:
            os.abort()
        os._exit(2)
    status = os.waitpid(pid, 0)[1]
    print(way, os.WIFSIGNALED(status), status & 0x7F)
