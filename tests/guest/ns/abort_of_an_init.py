"""abort() of an init: SIGABRT does not kill it, the fault that the C library falls back on does."""

import os
import signal

from workloads import guest


def note(number, frame):
    os.write(2, b"a handler ran\n")


def ways(way):
    if way == "ignored":
        signal.signal(signal.SIGABRT, signal.SIG_IGN)
    elif way == "caught":
        signal.signal(signal.SIGABRT, note)
    elif way == "fault ignored":
        signal.signal(signal.SIGSEGV, signal.SIG_IGN)
    elif way == "fault blocked":
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGSEGV])
    elif way == "a child of init":
        pid = os.fork()
        if pid:
            print("child of init", os.waitpid(pid, 0)[1] & 0x7F)
            os._exit(0)
    os.abort()


def main():
    for way in (
        "default",
        "ignored",
        "caught",
        "fault ignored",
        "fault blocked",
        "a child of init",
    ):
        if os.fork() == 0:
            guest.unshare(guest.CLONE_NEWPID)
            pid = os.fork()
            if pid == 0:
                ways(way)
            print(way, hex(os.waitpid(pid, 0)[1] & 0x7F))
            os._exit(0)
        os.wait()


if __name__ == "__main__":
    main()
