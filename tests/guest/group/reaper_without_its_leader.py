"""A subreaper whose leader has left still gets orphans while it has a thread."""

import os
import threading

from workloads import guest

ready, gate = os.pipe(), os.pipe()


def lives_on():
    os.write(ready[1], b"t")
    os.read(gate[0], 1)
    while ") Z" not in open(f"/proc/{leader}/task/{leader}/stat").read():
        os.sched_yield()  # the last to leave decides the status
    if os.fork() == 0:
        if os.fork() == 0:
            mine = os.getppid()
            os.write(ready[1], b"o")
            while os.getppid() == mine:
                os.sched_yield()
            os._exit(6 if os.getppid() == leader else 7)
        os.read(ready[0], 1)
        os._exit(5)
    ends = []
    for _ in range(2):
        ends.append(os.wait()[1] >> 8)
    print(sorted(ends))
    guest.exit_thread(4)


pid = os.fork()
if pid == 0:
    leader = os.getpid()
    guest.set_child_subreaper()
    threading.Thread(target=lives_on).start()
    guest.exit_thread(3)
os.read(ready[0], 1)
os.write(gate[1], b"x")
print(os.waitpid(pid, 0)[1] >> 8)
