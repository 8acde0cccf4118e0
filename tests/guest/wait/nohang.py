"""WNOHANG: nothing yet is (0, 0), a dead child is its pid, no child is ECHILD."""

import os

read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(write_end)
    os.read(read_end, 1)
    os._exit(8)
os.close(read_end)
print("alive", os.waitpid(pid, os.WNOHANG), os.waitpid(-1, os.WNOHANG))
os.close(write_end)
reaped, status = 0, 0
while reaped == 0:
    reaped, status = os.waitpid(-1, os.WNOHANG)
print("dead", reaped == pid, status)
for options in (0, os.WNOHANG):
    try:
        os.waitpid(pid, options)
    except ChildProcessError as error:
        print("gone: errno", error.errno)
