"""RLIMIT_FSIZE cuts a write at the limit; beyond it SIGXFSZ, or EFBIG where that is ignored."""

import os
import resource
import signal
import time

path = f"/tmp/fsize{time.time_ns()}"


# standard output may be a file itself: say it at the end
notes = []


def handler(signum, frame):
    notes.append(("caught", signum))


def attempt(fd, data):
    try:
        notes.append(("wrote", os.write(fd, data)))
    except OSError as error:
        notes.append(("error", error.errno))


fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
os.unlink(path)
print(signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
attempt(fd, b"a" * 60)
attempt(fd, b"b" * 60)
attempt(fd, b"c")
attempt(fd, b"")
os.lseek(fd, 0, os.SEEK_SET)
attempt(fd, b"d" * 10)
os.lseek(fd, 500, os.SEEK_SET)
attempt(fd, b"e")
notes.append(os.fstat(fd).st_size)
signal.signal(signal.SIGXFSZ, handler)
attempt(fd, b"f")
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    attempt(fd, b"g")
    os._exit(1)
status = os.waitpid(pid, 0)[1]
notes.append((os.WIFSIGNALED(status), os.WTERMSIG(status)))
# a pipe is no file
read_end, write_end = os.pipe()
attempt(write_end, b"h" * 1000)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
attempt(fd, b"i")
print(os.fstat(fd).st_size)
for note in notes:
    print(note)
