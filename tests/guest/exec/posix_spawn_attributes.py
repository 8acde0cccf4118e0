"""What the attributes of posix_spawn change in the child, and what is said about wrong ones."""

import os
import signal
import sys


def child():
    print(
        os.getsid(0) == os.getpid(),
        os.getpgrp() == os.getpid(),
        signal.pthread_sigmask(signal.SIG_BLOCK, []),
        signal.getsignal(signal.SIGUSR1),
        signal.getsignal(signal.SIGUSR2),
        os.sched_getscheduler(0),
        os.getresuid()[1] == os.getuid(),
    )


def spawn(**words):
    argv = [sys.executable, "-u", __file__, "child"]
    pid = os.posix_spawn(sys.executable, argv, os.environ, **words)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def wrong(**words):
    try:
        print(os.posix_spawn("/bin/true", ["true"], {}, **words))
    except (TypeError, ValueError, OSError) as e:
        print(type(e).__name__, e)


def main():
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    spawn()
    spawn(setsid=True)
    spawn(setpgroup=0)
    spawn(setsigmask=[signal.SIGUSR1, signal.SIGTERM])
    spawn(setsigmask=[])
    spawn(setsigdef=[signal.SIGUSR1, signal.SIGKILL])
    spawn(resetids=True, setsid=0)
    spawn(scheduler=(os.SCHED_OTHER, os.sched_param(0)))
    spawn(scheduler=(None, os.sched_param(0)))
    spawn(file_actions=None, setsid=False)
    r, w = os.pipe()
    argv = ["/bin/echo", "to", "the", "pipe"]
    actions = [(os.POSIX_SPAWN_DUP2, w, 1), (os.POSIX_SPAWN_CLOSE, r)]
    pid = os.posix_spawnp("echo", argv, os.environ, file_actions=actions, setsid=True)
    os.waitpid(pid, 0)
    print(os.read(r, 100))
    wrong(setpgroup=999999)
    wrong(setpgroup="a")
    wrong(setsigmask=5)
    wrong(setsigmask=[0])
    wrong(setsigdef=[99])
    wrong(scheduler=(1, 2, 3))
    wrong(scheduler=(os.SCHED_BATCH, os.sched_param(0)))
    wrong(scheduler=(99, os.sched_param(0)))
    wrong(scheduler=(os.SCHED_FIFO, 1))
    wrong(setsid=True, setpgroup=0)
    wrong(nothing=1)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        child()
    else:
        main()
