"""wait and waitpid without a fitting child, and with arguments that make no sense."""

import os


def attempt(pid, options):
    try:
        print(pid, options, os.waitpid(pid, options)[0])
    except OSError as error:
        print(pid, options, "errno", error.errno)


try:
    os.wait()
except ChildProcessError as error:
    print("wait errno", error.errno)
attempt(-1, 0)
attempt(-1, os.WNOHANG)
attempt(1, 0)
attempt(0, 0)
attempt(-1, -1)
attempt(-2147483648, 0)
attempt(-999999, 0)
read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(write_end)
    os.read(read_end, 1)
    os._exit(0)
attempt(1, 0)
attempt(-1, -1)
os.close(write_end)
print("the child", os.waitpid(pid, 0)[1])
attempt(-1, 0)
