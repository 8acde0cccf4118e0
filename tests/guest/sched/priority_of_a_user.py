"""PRIO_USER selects every process of a real uid; root may set a whole user's nice value."""

import os


def start(ruid, euid, nice):
    """Start a sleeper of a user; return its pid."""
    ready_r, ready_w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(go_w)
        os.nice(nice)
        os.setresuid(ruid, euid, euid)
        os.write(ready_w, b"x")
        os.read(go_r, 1)
        os._exit(0)
    os.read(ready_r, 1)
    os.close(ready_r)
    os.close(ready_w)
    return pid


def show(name):
    values = []
    for pid in pids:
        values.append(os.getpriority(os.PRIO_PROCESS, pid))
    print(name, values)


go_r, go_w = os.pipe()
pids = []
for ruid, euid, nice in (
    (62071, 62071, 3),
    (62071, 62072, 8),
    (62072, 62071, 5),
    (62072, 62072, 1),
):
    pids.append(start(ruid, euid, nice))
print(os.getpriority(os.PRIO_USER, 62071), os.getpriority(os.PRIO_USER, 62072))
show("at first")
os.setpriority(os.PRIO_USER, 62071, 6)
show("one user's")
os.setpriority(os.PRIO_USER, 62072, -4)
show("the other's")
for uid in (62071, 62072):
    pid = os.fork()
    if pid == 0:
        os.setresuid(uid, uid, uid)
        for user in (0, 62071, 62072):
            try:
                os.setpriority(os.PRIO_USER, user, 10)
                print("ok")
            except OSError as error:
                print(uid, user, error.errno)
        os._exit(0)
    os.waitpid(pid, 0)
    show("by a user")
os.close(go_w)
for pid in pids:
    os.waitpid(pid, 0)
