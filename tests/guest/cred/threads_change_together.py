"""setuid in one thread changes the ids of all threads of the process, and of nobody else."""

import os
import threading


def show(lock):
    with lock:
        print("the other thread", os.getresuid(), os.getresgid())


child_r, child_w = os.pipe()
child = os.fork()
if child == 0:
    os.close(child_w)
    os.read(child_r, 1)
    print("a child from before", os.getresuid())
    os._exit(0)
lock = threading.Lock()
lock.acquire()
thread = threading.Thread(target=show, args=(lock,))
thread.start()
os.setresgid(31, 32, 33)
os.setresuid(21, 22, 0)
lock.release()
thread.join()
os.close(child_w)
os.waitpid(child, 0)
pid = os.fork()
if pid == 0:
    print("a child from after", os.getresuid(), os.getresgid())
    os._exit(0)
os.waitpid(pid, 0)
os.seteuid(0)
print(os.getresuid())
