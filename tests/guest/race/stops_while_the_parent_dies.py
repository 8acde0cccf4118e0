"""A child stops, or goes on, while its parent dies: whoever is its parent then is told."""

import os
import signal

from workloads import guest


def spin(ready):
    os.setpgid(0, 0)
    os.write(ready, b"r")
    while True:
        os.getppid()


def family(stopped_before):
    """A parent, a child of its own and their end; the child's pid comes through a pipe."""
    read, write = os.pipe()
    waits, ready = os.pipe()
    parent = os.fork()
    if parent == 0:
        child = os.fork()
        if child == 0:
            spin(ready)
        os.read(waits, 1)
        os.write(write, b"%d" % child)
        if stopped_before:
            os.kill(child, signal.SIGSTOP)
            os.waitpid(child, os.WUNTRACED)
            os.kill(child, signal.SIGCONT)
        else:
            os.kill(child, signal.SIGTSTP)
        os._exit(0)
    child = int(os.read(read, 20))
    print(os.waitpid(parent, 0)[1])
    if not stopped_before:
        print("stopped", os.WSTOPSIG(os.waitpid(child, os.WUNTRACED)[1]) == signal.SIGTSTP)
        os.kill(child, signal.SIGCONT)
        print("went on", os.WIFCONTINUED(os.waitpid(child, os.WCONTINUED)[1]))
    os.kill(child, signal.SIGKILL)
    while True:
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status):
            break
    print(status)


guest.set_child_subreaper()
family(False)
family(True)
