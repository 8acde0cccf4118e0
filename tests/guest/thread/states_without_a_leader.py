"""/proc shows a leader that has left as Z while its threads go on, and the last of them as gone."""

import os
import threading

from workloads import guest

ready, gate = os.pipe(), os.pipe()


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 10000).decode()
    os.close(fd)
    return data


def state(path):
    text = read_file(path)
    return text[text.rindex(")") + 2]


def stays():
    os.write(ready[1], str(guest.gettid()).encode())
    os.read(gate[0], 1)
    guest.exit_thread(4)


pid = os.fork()
if pid == 0:
    threading.Thread(target=stays).start()
    guest.exit_thread(3)
tid = int(os.read(ready[0], 20))
while state(f"/proc/{pid}/stat") != "Z":
    os.sched_yield()
while state(f"/proc/{pid}/task/{tid}/stat") != "S":
    os.sched_yield()
print("leader Z, thread S", sorted(os.listdir(f"/proc/{pid}/task")) == sorted([str(pid), str(tid)]))
for line in read_file(f"/proc/{pid}/status").splitlines():
    if line.startswith(("State", "Threads")):
        print(line)
print("not waitable", os.waitpid(pid, os.WNOHANG))
os.kill(pid, 0)
os.write(gate[1], b"x")
info = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
print("status", info.si_status, state(f"/proc/{pid}/stat"))
print("threads", os.listdir(f"/proc/{pid}/task") == [str(pid)])
os.waitpid(pid, 0)
print(os.path.exists(f"/proc/{pid}"))
