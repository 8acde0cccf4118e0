"""A process may leave its group and come back; signals go to who is there now."""

import os
import signal

BLOCKED = [signal.SIGUSR1]
signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
home = os.getpgrp()
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    mine = os.getpgrp()
    os.kill(-home, signal.SIGUSR1)
    print("not in it", len(signal.sigpending()))
    os.setpgid(0, home)
    print("back", os.getpgrp() == home)
    os.kill(0, signal.SIGUSR1)
    print("in it", len(signal.sigpending()))
    try:
        os.kill(-mine, 0)
    except ProcessLookupError:
        print("the other is gone")
    os.setpgid(0, 0)
    print("again a leader", os.getpgrp() == os.getpid() == mine)
    os._exit(0)
print(os.waitpid(pid, 0)[1], len(signal.sigpending()))
