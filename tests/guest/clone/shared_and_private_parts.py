"""CLONE_FS and CLONE_FILES share the working directory, umask and descriptors; without, copies."""

import os
import signal

from workloads import guest


def closed(fd):
    try:
        os.fstat(fd)
    except OSError:
        return True
    return False


def main():
    for flags in (0, guest.CLONE_FS, guest.CLONE_FILES, guest.CLONE_FS | guest.CLONE_FILES):
        os.chdir("/")
        os.umask(0o22)
        read, write = os.pipe()
        pid = guest.clone(flags | signal.SIGCHLD)
        if pid == 0:
            os.chdir("/tmp")
            os.umask(0o77)
            os.close(read)
            os._exit(0)
        os.waitpid(pid, 0)
        mask = os.umask(0o22)
        guest.say(f"{flags:#x}: {os.getcwd()} {mask:o} closed {closed(read)}")
        os.close(write)


main()
