"""A pidfd becomes readable when the process is a zombie, and hangs up when it has been reaped."""

import os
import select
import signal

for how in ("exit", "kill"):
    pid = os.fork()
    if pid == 0:
        if how == "exit":
            os._exit(3)
        signal.pause()
    fd = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(fd, 0x3FFF)
    if how == "kill":
        print(poll.poll(0))
        os.kill(pid, signal.SIGSTOP)
        os.waitpid(pid, os.WUNTRACED)
        print(poll.poll(0))
        os.kill(pid, signal.SIGKILL)
    print([f"{mask:x}" for _, mask in poll.poll()])
    print(len(select.select([fd], [fd], [fd], 0)[0]))
    info = os.waitid(os.P_PIDFD, fd, os.WEXITED | os.WNOWAIT)
    print(info.si_code, info.si_status)
    print([f"{mask:x}" for _, mask in poll.poll(0)])
    os.waitpid(pid, 0)
    print([f"{mask:x}" for _, mask in poll.poll(0)])
    os.close(fd)
own = os.pidfd_open(os.getpid())
poll = select.poll()
poll.register(own, select.POLLIN)
print(poll.poll(0), poll.poll(10))
