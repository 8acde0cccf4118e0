"""VmSize follows mmap, VmRSS the pages touched, VmHWM stays, VmLck is what is locked."""

import mmap
import os

from workloads import guest


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


PAGES = 1024
KB = PAGES * 4


def sizes():
    keys = status_of("self")
    found = []
    for name in ["VmSize", "VmRSS", "VmHWM", "VmLck", "RssAnon"]:
        found.append(int(keys[name].split()[0]))
    return found


def near(value, wanted):
    return wanted - 300 <= value <= wanted + 500


start = sizes()
m = mmap.mmap(-1, PAGES * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
mapped = sizes()
print("mapped", near(mapped[0] - start[0], KB), near(mapped[1] - start[1], 0))
guest.touch(m, 0, PAGES // 2)
touched = sizes()
print("touched", near(touched[1] - mapped[1], KB // 2), near(touched[4] - mapped[4], KB // 2))
guest.mlock(m, 0, PAGES)
locked = sizes()
print("locked", locked[3] - touched[3] == KB, near(locked[1] - mapped[1], KB))
words = read_file("/proc/self/statm").split()
print("statm", len(words), int(words[0]) * 4 == sizes()[0], int(words[1]) >= PAGES)
m.close()
closed = sizes()
print("closed", near(closed[0] - start[0], 0), closed[3] == start[3])
print("peak", closed[2] - closed[1] >= KB - 800, closed[2] >= locked[1] - 500)
pid = os.fork()
if pid == 0:
    child = sizes()
    print("child forgets the peak", child[2] < closed[2])
    os._exit(0)
os.waitpid(pid, 0)
