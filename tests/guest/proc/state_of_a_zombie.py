"""A zombie shows Z, an empty cmdline, no memory and its wait status; once reaped it is gone."""

import os


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


pid = os.fork()
if pid == 0:
    os._exit(3)
while stat_of(pid)[2] != "Z":
    os.sched_yield()
fields = stat_of(pid)
print("state", fields[2], "ppid", int(fields[3]) == os.getpid())
print("size", fields[22], "resident", fields[23])
print("exit code", fields[51])
print("cmdline", repr(read_file(f"/proc/{pid}/cmdline")))
print("statm", read_file(f"/proc/{pid}/statm").strip())
print("maps", repr(read_file(f"/proc/{pid}/maps")))
keys = status_of(pid)
print("State", keys["State"], "VmRSS" in keys, "Umask" in keys, keys["FDSize"], keys["Threads"])
print("same name", read_file(f"/proc/{pid}/comm") == read_file("/proc/self/comm"))
print(os.waitpid(pid, 0)[1])
try:
    os.open(f"/proc/{pid}/stat", os.O_RDONLY)
except OSError as error:
    print("after the wait", error.errno)
