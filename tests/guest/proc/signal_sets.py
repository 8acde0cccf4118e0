"""SigBlk, SigIgn, SigCgt, SigPnd and ShdPnd show what was blocked, ignored, caught and sent."""

import os
import signal
import threading


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100000)
    os.close(fd)
    return data.decode()


def status_of(pid):
    keys = {}
    for line in read_file(f"/proc/{pid}/status").splitlines():
        name, _, value = line.partition(":\t")
        keys[name] = value
    return keys


def stat_of(pid):
    text = read_file(f"/proc/{pid}/stat")
    end = text.rindex(")")
    return [text[: text.index(" ")], text[text.index("(") + 1 : end]] + text[end + 2 :].split()


C_LIBRARY = 3 << 31  # signals 32 and 33: whoever started us may ignore them


def handler(signum, frame):
    print("handled", signum)


def sets():
    keys = status_of("self")
    for name in ["SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"]:
        print(name, f"{int(keys[name], 16) & ~C_LIBRARY:016x}")
    return int(keys["SigQ"].split("/")[0])


signal.signal(signal.SIGUSR1, handler)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
before = sets()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2, signal.SIGRTMIN])
os.kill(os.getpid(), signal.SIGUSR1)
signal.pthread_kill(threading.get_ident(), signal.SIGUSR2)
signal.pthread_kill(threading.get_ident(), signal.SIGRTMIN)
signal.pthread_kill(threading.get_ident(), signal.SIGRTMIN)
print("queued", sets() - before)
fields = stat_of("self")
print("stat", fields[30], fields[31], fields[32], fields[33])
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
signal.signal(signal.SIGRTMIN, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_SETMASK, [])
sets()
