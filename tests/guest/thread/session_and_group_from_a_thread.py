"""setsid, setpgid and setpriority of a group called in a thread act on the process."""

import os
import threading

log = []


def work():
    os.setsid()
    log.append(os.getsid(0) == os.getpid() == os.getpgrp())
    try:
        os.setpgid(0, 0)
    except PermissionError as error:
        log.append(error.errno)
    os.setpriority(os.PRIO_PGRP, 0, 4)
    log.append(os.getpriority(os.PRIO_PROCESS, 0))


def group():
    os.setpgid(0, 0)
    log.append(os.getpgrp() == os.getpid())


for target in (work, group):
    pid = os.fork()
    if pid == 0:
        log.clear()
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
        print(log, os.getpgrp() == os.getpid(), os.getpriority(os.PRIO_PROCESS, os.getpid()))
        os._exit(0)
    print(os.waitpid(pid, 0)[1])
