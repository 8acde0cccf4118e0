"""A name written to comm is cut to 15 bytes, shows everywhere, and children inherit it."""

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


def rename(path, data):
    fd = os.open(path, os.O_WRONLY)
    try:
        print("took", os.write(fd, data), "of", len(data))
    except OSError as error:
        print("errno", error.errno)
    os.close(fd)


rename("/proc/self/comm", b"short")
print(repr(read_file("/proc/self/comm")))
rename("/proc/self/comm", b"a name that is much too long")
print(repr(read_file("/proc/self/comm")), stat_of("self")[1], status_of("self")["Name"])
rename("/proc/self/comm", b"a) (b\\c\nd")
print(repr(read_file("/proc/self/comm")), repr(stat_of("self")[1]), status_of("self")["Name"])
rename("/proc/self/comm", b"cut\0here")
print(repr(read_file("/proc/self/comm")))
parent = os.getpid()
pid = os.fork()
if pid == 0:
    print("inherited", repr(read_file("/proc/self/comm")))
    rename(f"/proc/{parent}/comm", b"another")
    os._exit(0)
os.waitpid(pid, 0)
print(repr(read_file(f"/proc/{parent}/comm")))
