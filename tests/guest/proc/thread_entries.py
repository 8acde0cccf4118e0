"""A thread has stat, status and comm of its own below task, and /proc/TID leads to it."""

import os
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


done_r, done_w = os.pipe()
started_r, started_w = os.pipe()
tids = []


def worker():
    fd = os.open("/proc/thread-self/comm", os.O_WRONLY)
    os.write(fd, b"worker")
    os.close(fd)
    tids.append(threading.get_native_id())
    os.write(started_w, b"x")
    os.read(done_r, 1)


thread = threading.Thread(target=worker)
thread.start()
os.read(started_r, 1)
tid = tids[0]
pid = os.getpid()
print("comm", read_file(f"/proc/self/task/{tid}/comm"), read_file("/proc/self/comm") == "worker\n")
fields = stat_of(f"self/task/{tid}")
print("tid", int(fields[0]) == tid, "parent", int(fields[3]) == os.getppid(), fields[19])
keys = status_of(f"self/task/{tid}")
print("Tgid", int(keys["Tgid"]) == pid, "Pid", int(keys["Pid"]) == tid, keys["Threads"])
print("exit signal", fields[37], "group", int(fields[4]) == os.getpgrp())
print("/proc/TID", read_file(f"/proc/{tid}/comm").strip(), status_of(tid)["Tgid"] == str(pid))
os.write(done_w, b"x")
thread.join()
