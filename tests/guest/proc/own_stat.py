"""The first fields of /proc/self/stat are what the system calls say, and there are 52."""

import os


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100000)
    os.close(fd)
    return data.decode()


def stat_of(pid):
    text = read_file(f"/proc/{pid}/stat")
    end = text.rindex(")")
    return [text[: text.index(" ")], text[text.index("(") + 1 : end]] + text[end + 2 :].split()


fields = stat_of("self")
print("fields", len(fields))
print("pid", int(fields[0]) == os.getpid())
print("state", fields[2])
print("ppid", int(fields[3]) == os.getppid())
print("pgrp", int(fields[4]) == os.getpgrp())
print("session", int(fields[5]) == os.getsid(0))
print("tty", fields[6], fields[7])
print("threads", fields[19])
print("priority and nice", fields[17], fields[18])
os.nice(5)
fields = stat_of("self")
print("priority and nice", fields[17], fields[18])
print("exit signal", fields[37])
print("exit code", fields[51])
