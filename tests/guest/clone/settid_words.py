"""CLONE_PARENT_SETTID writes the pid before clone3 returns, CLONE_CHILD_SETTID in the child."""

import mmap
import os

from workloads import guest


def word(m, offset):
    return m[offset] + (m[offset + 1] << 8) + (m[offset + 2] << 16) + (m[offset + 3] << 24)


def main():
    shared = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    private = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    pid = guest.clone3(0, parent_tid=(shared, 0), child_tid=(shared, 8))
    if pid == 0:
        own = os.getpid()
        os._exit(10 + (word(shared, 8) == own) + 2 * (word(shared, 0) == own))
    guest.say(f"parent's word {word(shared, 0) == pid}")
    status = os.waitpid(pid, 0)[1]
    guest.say(f"seen by the child {status >> 8}; child's word stays {word(shared, 8) == pid}")
    private[0] = 1
    pid = guest.clone3(0, parent_tid=(private, 0), child_tid=(private, 8))
    if pid == 0:
        os._exit(20 + (word(private, 8) == os.getpid()) + 2 * (word(private, 0) == os.getpid()))
    guest.say(f"own memory: {word(private, 0) == pid} {word(private, 8)}")
    guest.say(f"in the child's memory {os.waitpid(pid, 0)[1] >> 8}")
    pid = guest.clone3(guest.CLONE_NEWPID, parent_tid=(shared, 0), child_tid=(shared, 8))
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    guest.say(f"each its own view: {word(shared, 0) == pid} {word(shared, 8)}")


main()
