"""posix_spawn and vfork in a pid namespace give its numbers, and fail where fork fails."""

import os
import signal

from workloads import guest


def spawn(path):
    try:
        return os.posix_spawn(path, [path], {})
    except OSError as error:
        return error.strerror


def main():
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid == 0:
        child = spawn("/bin/true")
        guest.say(f"spawned {child} {os.waitpid(child, 0)[1]}")
        child = guest.vfork()
        if child == 0:
            os._exit(3)
        guest.say(f"vfork {child} {os.waitpid(child, 0)[1] >> 8}")
        guest.say(f"not there: {spawn('/no/such/program')}")
        child = os.fork()
        if child == 0:
            os._exit(0)
        guest.say(f"it used up a number: {child}")
        os._exit(0)
    os.waitpid(pid, 0)
    guest.unshare(guest.CLONE_NEWPID)
    first = os.fork()
    if first == 0:
        os._exit(0)
    os.waitpid(first, 0)
    guest.say(f"after the init's death: {spawn('/bin/true')}")


main()
