"""vfork's child may exec or leave; the parent then goes on and finds the status."""

import os

from workloads import guest

for image in ("/bin/true", "/bin/false", "/bin/nothing"):
    pid = guest.vfork()
    if pid == 0:
        try:
            os.execv(image, [image])
        except FileNotFoundError:
            os._exit(66)
    print(image, os.waitpid(pid, 0)[1] >> 8)
