"""RLIMIT_NOFILE bounds new descriptor numbers: EMFILE, and EBADF for dup2; old ones stay."""

import os
import resource


def attempt(name, error):
    print(name, error.errno)


soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
for fd in range(3, 40):
    try:
        os.close(fd)
    except OSError:
        pass
high = os.dup2(1, 30)
resource.setrlimit(resource.RLIMIT_NOFILE, (8, hard))
fds = []
while True:
    try:
        fds.append(os.dup(1))
    except OSError as error:
        attempt("dup", error)
        break
print(fds, high)
for target in (7, 8, 9):
    try:
        print("dup2", os.dup2(1, target))
    except OSError as error:
        attempt("dup2", error)
try:
    os.pipe()
except OSError as error:
    attempt("pipe", error)
os.close(7)
try:
    os.pipe()
except OSError as error:
    attempt("pipe with one free", error)
print(os.dup(1))
try:
    os.open("/dev/null", os.O_RDONLY)
except OSError as error:
    attempt("open", error)
try:
    os.open("/no/such/file", os.O_RDONLY)
except OSError as error:
    attempt("open of nothing", error)
print(os.write(30, b"still open\n"))
os.close(30)
os.close(7)
os.close(6)
os.close(5)
pid = os.fork()
if pid == 0:
    for _ in range(4):
        try:
            print("child", os.dup(1))
        except OSError as error:
            attempt("child", error)
    os._exit(0)
os.waitpid(pid, 0)
resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
try:
    os.dup(1)
except OSError as error:
    attempt("none", error)
resource.setrlimit(resource.RLIMIT_NOFILE, (20, hard))
print(os.dup(1))
