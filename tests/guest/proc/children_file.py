"""children lists the pids of one thread's children, oldest first, zombies too."""

import os


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100000)
    os.close(fd)
    return data.decode()


def stat_of(pid):
    text = read_file(f"/proc/{pid}/stat")
    end = text.rindex(")")
    return [text[: text.index(" ")], text[text.index("(") + 1 : end]] + text[end + 2 :].split()


def children():
    return read_file(f"/proc/self/task/{os.getpid()}/children")


print(repr(children()))
r, w = os.pipe()
pids = []
for number in range(4):
    pid = os.fork()
    if pid == 0:
        os.close(w)
        os.read(r, 1)
        os._exit(number)
    pids.append(pid)
print("all", children() == "".join([f"{pid} " for pid in pids]))
os.kill(pids[1], 9)
while stat_of(pids[1])[2] != "Z":
    os.sched_yield()
print("with the zombie", children() == "".join([f"{pid} " for pid in pids]))
os.waitpid(pids[1], 0)
del pids[1]
print("without it", children() == "".join([f"{pid} " for pid in pids]))
os.close(w)
for pid in pids:
    os.waitpid(pid, 0)
print(repr(children()))
