"""rename, unlink and rmdir by others: write permission of both directories, the sticky bit."""

import os
import time

base = f"/tmp/perm{time.time_ns()}"
os.mkdir(base)
os.chdir(base)
os.umask(0)
for name, mode in (("open", 0o777), ("closed", 0o755), ("sticky", 0o1777), ("secret", 0o700)):
    os.mkdir(name, mode)
    os.chmod(name, mode)
    os.close(os.open(name + "/f", os.O_WRONLY | os.O_CREAT, 0o666))
    os.mkdir(name + "/d", 0o755)
os.chmod(base, 0o755)


def tried(what, first, second=""):
    try:
        if what == "rename":
            os.rename(first, second)
        elif what == "unlink":
            os.unlink(first)
        elif what == "rmdir":
            os.rmdir(first)
        elif what == "mkdir":
            os.mkdir(first)
        elif what == "mkfifo":
            os.mkfifo(first)
        elif what == "listdir":
            print(len(os.listdir(first)), end=" ")
        elif what == "open":
            os.close(os.open(first, os.O_WRONLY | os.O_CREAT))
        print("ok", what, first, second)
    except OSError as error:
        print(error.errno, what, first, second)


if os.fork() == 0:
    os.setgid(1000)
    os.setuid(1000)
    for folder in ("open", "closed", "sticky", "secret"):
        tried("listdir", folder)
        tried("open", folder + "/f")
        tried("open", folder + "/new")
        tried("mkdir", folder + "/newdir")
        tried("mkfifo", folder + "/fifo")
        tried("rename", folder + "/f", folder + "/g")
        tried("rename", folder + "/d", "open/moved")
        tried("rename", folder + "/new", "open/mine")
        tried("unlink", folder + "/f")
        tried("unlink", folder + "/d")
        tried("rmdir", folder + "/f")
        tried("rmdir", folder + "/d")
        tried("rmdir", folder + "/newdir")
        tried("unlink", folder + "/nothing")
    os.mkdir("open/own", 0o700)
    tried("rename", "open/mine", "open/own/f")
    os._exit(0)
os.wait()
