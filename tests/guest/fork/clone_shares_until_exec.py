"""CLONE_FILES ends at exec, so close-on-exec closes nothing of the parent's; CLONE_FS goes on."""

import os
import sys

from workloads import guest

if len(sys.argv) > 1:
    os.chdir("/tmp")
    os.umask(0o15)
    os.close(80)
    os.dup2(1, 81)
    sys.exit(3)
fd = os.open(__file__, os.O_RDONLY)
os.dup2(fd, 80)
pid = guest.clone(guest.CLONE_FILES | guest.CLONE_FS | 17)
if pid == 0:
    os.dup2(fd, 82)
    os.execv(sys.executable, [sys.executable, "-u", __file__, "x"])
print(os.waitpid(pid, 0)[1])
for number in (fd, 80, 81, 82):
    try:
        os.lseek(number, 0, os.SEEK_CUR)
        print("open")
    except OSError as error:
        print(error)
print(os.getcwd(), os.umask(0) == 0o15)
