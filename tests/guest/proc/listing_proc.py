"""listdir shows processes by rising number, threads, descriptors and the entries of a task."""

import os


def numbers_of(names):
    return [int(name) for name in names if name.isdigit()]


names = os.listdir("/proc")
numbers = numbers_of(names)
print("rising", numbers == sorted(numbers), "self there", os.getpid() in numbers)
for name in ["self", "thread-self", "stat", "loadavg", "meminfo", "uptime", "sys", "version"]:
    print(name, name in names)
r, w = os.pipe()
ready_r, ready_w = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(w)
    os.write(ready_w, b"x")
    os.read(r, 1)
    os._exit(0)
os.read(ready_r, 1)
print("child there", pid in numbers_of(os.listdir("/proc")))
entries = os.listdir(f"/proc/{pid}")
for name in ["task", "fd", "stat", "status", "comm", "cmdline", "statm", "maps", "limits"]:
    print(name, name in entries)
entries = os.listdir(f"/proc/{pid}/task/{pid}")
print("children", "children" in entries, "task" in entries)
print("threads", os.listdir(f"/proc/{pid}/task") == [str(pid)])
here = os.open("/dev/null", os.O_RDONLY)
mine = numbers_of(os.listdir("/proc/self/fd"))
print("open", here in mine, r in mine, w in mine)
theirs = numbers_of(os.listdir(f"/proc/{pid}/fd"))
print("child has", r in theirs, w in theirs, here in theirs)
os.close(w)
os.waitpid(pid, 0)
try:
    os.listdir(f"/proc/{pid}")
except OSError as error:
    print("gone", error.errno)
