"""Priorities of a group and of a user are asked for and set while members come and go."""

import os

children = []
for number in range(5):
    pid = os.fork()
    if pid == 0:
        if number < 2:
            for _ in range(2):
                inner = os.fork()
                if inner == 0:
                    os._exit(0)
                os.waitpid(inner, 0)
        elif number == 2:
            os.setpgid(0, 0)
        elif number == 3:
            os.setpriority(os.PRIO_PGRP, 0, 1)
            os.setpriority(os.PRIO_USER, 0, 2)
        elif os.getpriority(os.PRIO_PGRP, 0) > 2 or os.getpriority(os.PRIO_USER, 0) > 2:
            os._exit(1)
        os._exit(0)
    children.append(pid)
print([os.waitpid(pid, 0)[1] for pid in children])
