"""stat follows setpgid and setsid, and a new parent after the death of the old one."""

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


r, w = os.pipe()
back_r, back_w = os.pipe()
pid = os.fork()
if pid == 0:
    os.setsid()
    grandchild = os.fork()
    if grandchild == 0:
        os.write(back_w, b"x")
        os.read(r, 1)
        fields = stat_of("self")
        print("orphan", int(fields[3]) == os.getppid(), int(fields[5]) == os.getsid(0))
        os._exit(0)
    os.read(back_r, 1)
    os.setpgid(grandchild, grandchild)
    fields = stat_of(grandchild)
    print("group", int(fields[4]) == grandchild, "session", int(fields[5]) == os.getpid())
    print("parent", int(fields[3]) == os.getpid())
    fields = stat_of("self")
    print("leader", int(fields[4]) == os.getpid(), int(fields[5]) == os.getpid())
    os._exit(0)
os.waitpid(pid, 0)
os.write(w, b"x")
time.sleep(0.2)
