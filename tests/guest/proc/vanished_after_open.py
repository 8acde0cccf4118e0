"""A file of /proc that was open when its process was reaped gives ESRCH, and EOF if it was read."""

import os

pid = os.fork()
if pid == 0:
    os._exit(0)
names = ["stat", "status", "comm", "cmdline", "statm", "limits", "oom_score_adj"]
files = []
for name in names:
    files.append(os.open(f"/proc/{pid}/{name}", os.O_RDONLY))
begun = os.open(f"/proc/{pid}/comm", os.O_RDONLY)
print("something", len(os.read(begun, 100)) > 1)
os.waitpid(pid, 0)
for name, fd in zip(names, files):
    try:
        print(name, os.read(fd, 100))
    except OSError as error:
        print(name, error.errno)
print("begun", os.read(begun, 100))
for name in names:
    try:
        os.open(f"/proc/{pid}/{name}", os.O_RDONLY)
    except OSError as error:
        print(name, error.errno)
