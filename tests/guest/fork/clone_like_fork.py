"""clone with nothing shared: the exit signal in the low byte decides who may wait for the child."""

import os
import signal

from workloads import guest

CLONE_SIGHAND = 0x800
CLONE_THREAD = 0x10000

pid = guest.clone(int(signal.SIGCHLD))
if pid == 0:
    os._exit(3)
print("SIGCHLD:", os.waitpid(pid, 0)[1] >> 8)
for flags in (CLONE_THREAD, CLONE_SIGHAND):
    try:
        guest.clone(flags | int(signal.SIGCHLD))
    except OSError as error:
        print(hex(flags), "errno", error.errno)
