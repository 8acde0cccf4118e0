"""Children forked before and after the parent moves to a new group are told apart by wait."""

import os

for options in (0, os.WUNTRACED, os.WNOHANG):
    pid = os.fork()
    if pid == 0:
        old = os.getpgrp()
        gate = os.pipe()
        pids = []
        for number in range(6):
            if number == 3:
                os.setpgid(0, 0)
            child = os.fork()
            if child == 0:
                os.read(gate[0], 1)
                os._exit(number)
            pids.append(child)
        os.write(gate[1], b"xxxxxx")
        for which in (0, -old):
            ends = []
            while len(ends) < 3:
                found, status = os.waitpid(which, options)
                if found:
                    ends.append((pids.index(found), status >> 8))
                else:
                    os.sched_yield()
            print(which == 0, sorted(ends))
            try:
                os.waitpid(which, options)
            except ChildProcessError as error:
                print(error)
        os._exit(0)
    print(os.waitpid(pid, 0)[1])
