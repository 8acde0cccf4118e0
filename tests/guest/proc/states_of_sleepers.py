"""A child that waits for input shows S, one that is stopped T, one that spins R."""

import os
import signal


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


def state(pid):
    return stat_of(pid)[2]


def wait_for(pid, letter):
    while state(pid) != letter:
        os.sched_yield()
    print("state", letter, status_of(pid)["State"])


r, w = os.pipe()
sleeper = os.fork()
if sleeper == 0:
    os.close(w)
    os.read(r, 1)
    os._exit(0)
os.close(r)
wait_for(sleeper, "S")
os.kill(sleeper, signal.SIGSTOP)
wait_for(sleeper, "T")
os.kill(sleeper, signal.SIGCONT)
wait_for(sleeper, "S")
os.close(w)
print(os.waitpid(sleeper, 0)[1])
spinner = os.fork()
if spinner == 0:
    while True:
        pass
wait_for(spinner, "R")
os.kill(spinner, signal.SIGKILL)
wait_for(spinner, "Z")
print(os.waitpid(spinner, 0)[1])
