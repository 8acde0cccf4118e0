"""A child whose parent thread ends stays with the process: same getppid, others wait for it."""

import os
import threading

from workloads import guest

gate, answer, ready = os.pipe(), os.pipe(), os.pipe()
pids = []


def makes_a_child():
    pid = os.fork()
    if pid == 0:
        mine = os.getppid()
        os.write(ready[1], b"r")
        os.read(gate[0], 1)
        os.write(answer[1], b"same" if os.getppid() == mine else b"other")
        os._exit(13)
    os.read(ready[0], 1)
    pids.append(pid)


def grandchild():
    """Have a thread make a child, end the thread, then the whole process."""
    pid = os.fork()
    if pid == 0:
        pids.clear()
        thread = threading.Thread(target=makes_a_child)
        thread.start()
        thread.join()
        os.write(gate[1], b"x")
        print("after the thread", os.read(answer[0], 10))
        print(os.waitpid(pids[0], 0)[1] >> 8)
        os._exit(0)
    return os.waitpid(pid, 0)[1]


thread = threading.Thread(target=makes_a_child)
thread.start()
thread.join()
os.write(gate[1], b"x")
print(os.read(answer[0], 10), os.wait()[1] >> 8)
print(grandchild())
pid = os.fork()
if pid == 0:
    pids.clear()
    threading.Thread(target=makes_a_child).start()
    guest.exit_thread(0)
os.waitpid(pid, 0)
os.write(gate[1], b"x")
print("after the process", os.read(answer[0], 10))
