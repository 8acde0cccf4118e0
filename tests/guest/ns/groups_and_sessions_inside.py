"""Groups and sessions made inside a pid namespace have its numbers; those from outside read 0."""

import os
import signal

from workloads import guest


def main():
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid:
        os.waitpid(pid, 0)
        return
    guest.say(f"inherited {os.getpgrp()} {os.getsid(0)}")
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        guest.say(f"own group {os.getpgrp()} {os.getpgid(0)} session {os.getsid(0)}")
        guest.say(f"init's {os.getpgid(1)} {os.getsid(1)}")
        grandchild = os.fork()
        if grandchild == 0:
            guest.say(f"its child's {os.getpgrp()}")
            while True:
                signal.pause()
        os.killpg(2, 0)
        os.kill(grandchild, signal.SIGTERM)
        os.waitpid(grandchild, 0)
        os._exit(0)
    os.waitpid(child, 0)
    child = os.fork()
    if child == 0:
        guest.say(f"setsid {os.setsid()} {os.getpid()} {os.getpgrp()} {os.getsid(0)}")
        os._exit(0)
    os.waitpid(child, 0)
    guest.say(f"init's own {os.setsid()} {os.getpgrp()} {os.getsid(0)}")
    try:
        os.setpgid(0, 0)
    except PermissionError:
        guest.say("a session leader stays in its group")
    os._exit(0)


main()
