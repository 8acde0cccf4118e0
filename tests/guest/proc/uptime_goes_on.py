"""/proc/uptime rises with the clock, and a start time lies between two readings."""

import os
import time


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100000)
    os.close(fd)
    return data.decode()


def stat_of(pid):
    text = read_file(f"/proc/{pid}/stat")
    end = text.rindex(")")
    return [text[: text.index(" ")], text[text.index("(") + 1 : end]] + text[end + 2 :].split()


def uptime():
    words = read_file("/proc/uptime").split()
    return [float(words[0]), float(words[1])]


first = uptime()
time.sleep(0.05)
pid = os.fork()
if pid == 0:
    time.sleep(0.05)
    os._exit(0)
second = uptime()
print("rises", second[0] - first[0] >= 0.04, len(second))
started = int(stat_of(pid)[21]) / 100
print("between", first[0] - 0.02 <= started <= second[0] + 0.02)
print("idle", second[1] >= first[1])
os.waitpid(pid, 0)
print("older", int(stat_of("self")[21]) / 100 <= started)
