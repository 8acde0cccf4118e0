"""unshare(CLONE_NEWPID) moves future children into a new namespace; the first one is its init."""

import os

from workloads import guest


def child(read):
    os.read(read, 1)
    guest.say(f"child: pid {os.getpid()} parent {os.getppid()}")
    os._exit(os.getpid())


def main():
    before = os.getpid()
    guest.unshare(guest.CLONE_NEWPID)
    guest.say(f"same pid {os.getpid() == before}")
    children = []
    for _ in range(3):
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            child(read)
        children.append((pid, write))
    for pid, write in reversed(children):  # the init last: its death ends the others
        os.write(write, b"x")
        done, status = os.waitpid(pid, 0)
        guest.say(f"{done == pid} {status >> 8}")


main()
