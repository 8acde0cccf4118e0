"""/proc/mounts is that of the process: a line for each file system, with six fields."""

import os

print(os.readlink("/proc/mounts"))
with open("/proc/mounts") as file:
    lines = file.read().splitlines()
with open(f"/proc/{os.getpid()}/mounts") as file:
    print(file.read().splitlines() == lines)
print(all(len(line.split(" ")) == 6 for line in lines))
print(any(line.split()[1] == "/" for line in lines))
print(any(line.split()[1:3] == ["/proc", "proc"] for line in lines))
print(all(line.split()[3].split(",")[0] in ("rw", "ro") for line in lines))
try:
    os.open("/proc/mounts", os.O_RDONLY | os.O_CREAT | os.O_EXCL)
except FileExistsError:
    print("it is there")
