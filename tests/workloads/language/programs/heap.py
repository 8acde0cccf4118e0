import mmap
import os
import threading
from workloads.guest import say, vfork

shared = [1, 2]
table = {"a": shared, "b": shared}
total = 0
lock = threading.Lock()


def worker(n, out):
    global total
    for _ in range(n):
        with lock:
            total += 1
    out.append(n)
    lock.acquire()
    lock.release()


def child(values, twin):
    values.append("child")
    print(values is twin, twin, table)
    os._exit(0)


local = [0]
pid = os.fork()
if pid == 0:
    local.append(table)
    child(local, local)
os.waitpid(pid, 0)
print(local, table, table["a"] is table["b"], shared is table["a"])

m = mmap.mmap(-1, 8192, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
m[0] = 65
m[1:4] = b"bcd"
m[0] += 1
print(m[0], m[-1], m[0:5], len(m), mmap.PAGESIZE)
pid = os.fork()
if pid == 0:
    m[0] = 99
    print(m[0:1])
    os._exit(0)
os.waitpid(pid, 0)
print(m[0])
try:
    m[9000] = 1
except IndexError as e:
    print(e)
m.close()
try:
    m[0]
except ValueError as e:
    print(e)

done = []
threads = [threading.Thread(target=worker, args=(k, done)) for k in (10, 20)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(total, sorted(done), lock.locked() or False)
say(f"said {total}")
