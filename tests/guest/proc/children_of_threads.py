"""A child belongs to the thread that forked it."""

import os
import threading
import time


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


pids = []
forked_r, forked_w = os.pipe()
done_r, done_w = os.pipe()


def worker():
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    pids.append(pid)
    pids.append(threading.get_native_id())
    os.write(forked_w, b"x")
    os.read(done_r, 1)


thread = threading.Thread(target=worker)
thread.start()
os.read(forked_r, 1)
mine = read_file(f"/proc/self/task/{os.getpid()}/children")
theirs = read_file(f"/proc/self/task/{pids[1]}/children")
print("main has", mine.split())
print("thread has", theirs.split() == [str(pids[0])])
print("parent", int(stat_of(pids[0])[3]) == os.getpid())
print("threads", stat_of("self")[19], status_of("self")["Threads"])
os.write(done_w, b"x")
thread.join()
while stat_of("self")[19] != "1":
    time.sleep(0.001)
mine = read_file(f"/proc/self/task/{os.getpid()}/children")
print("main inherits", mine.split() == [str(pids[0])])
os.kill(pids[0], 9)
os.waitpid(pids[0], 0)
