"""oom_score_adj takes -1000 to 1000, belongs to the process and is inherited."""

import os


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100000)
    os.close(fd)
    return data.decode()


def attempt(data):
    fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    try:
        print(data, os.write(fd, data), read_file("/proc/self/oom_score_adj").strip())
    except OSError as error:
        print(data, "errno", error.errno)
    os.close(fd)


print(read_file("/proc/self/oom_score_adj").strip())
for data in [b"500\n", b" 7 ", b"+3", b"1000", b"1001", b"-1001", b"abc", b"12 3", b"", b"0x10"]:
    attempt(data)
pid = os.fork()
if pid == 0:
    print("child", read_file("/proc/self/oom_score_adj").strip())
    attempt(b"100")
    os._exit(0)
os.waitpid(pid, 0)
print("parent", read_file("/proc/self/oom_score_adj").strip())
