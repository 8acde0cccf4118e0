"""Two threads write to one page for the first time since a fork."""

import _thread
import mmap
import os

page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
page[0] = 1
stay, go = os.pipe()
done, tell = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(go)
    os.read(stay, 1)
    os._exit(page[0] + page[1] + page[2])


def write():
    page[1] = 7
    os.write(tell, b"7")


_thread.start_new_thread(write, ())
page[2] = 8
os.read(done, 1)
os.close(go)
reaped, status = os.waitpid(pid, 0)
print("own pages", os.waitstatus_to_exitcode(status), page[0], page[1], page[2])
