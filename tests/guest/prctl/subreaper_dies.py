"""When a subreaper dies its adopted children go to the next one above, or to init."""

import os

from workloads.guest import set_child_subreaper

read_end, write_end = os.pipe()


def generations(outer):
    """A subreaper with a child that leaves it an orphan; then the subreaper dies too."""
    go_r, go_w = os.pipe()
    adopted_r, adopted_w = os.pipe()
    subreaper = os.fork()
    if subreaper == 0:
        os.close(go_w)
        set_child_subreaper()
        mine = os.getpid()
        middle = os.fork()
        if middle == 0:
            if os.fork() == 0:
                while os.getppid() != mine:
                    os.sched_yield()
                os.write(adopted_w, b"x")
                os.read(go_r, 1)
                while os.getppid() == mine:
                    os.sched_yield()
                parent = os.getppid()
                os.write(write_end, b"outer\n" if parent == outer else b"init\n")
                os._exit(0)
            os._exit(0)
        os.waitpid(middle, 0)
        os.read(adopted_r, 1)
        os._exit(0)
    os.waitpid(subreaper, 0)
    os.close(go_w)
    print(os.read(read_end, 20))


set_child_subreaper()
generations(os.getpid())
os.wait()
set_child_subreaper(False)
generations(os.getpid())
