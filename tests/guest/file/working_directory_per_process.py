"""chdir and umask of a child do not touch the parent; threads share them."""

import os
import threading
import time

base = f"/tmp/cwd{time.time_ns()}"
os.mkdir(base)
os.mkdir(base + "/a")
os.chdir(base)
pid = os.fork()
if pid == 0:
    os.chdir("a")
    os.umask(0o077)
    os.mkdir("sub")
    print("child", os.getcwd() == base + "/a", f"{os.stat('sub').st_mode:o}")
    os._exit(0)
os.waitpid(pid, 0)
print(os.getcwd() == base, sorted(os.listdir("a")))


def move():
    os.chdir("a/sub")
    os.umask(0o007)


thread = threading.Thread(target=move)
thread.start()
thread.join()
print(os.getcwd() == base + "/a/sub", f"{os.umask(0o022):o}")
os.rmdir(base + "/a/sub")
try:
    os.listdir("../..")
    print(os.path.exists("../../a"), os.path.exists("."), os.path.exists("x"))
    os.getcwd()
except FileNotFoundError as error:
    print(error.errno)
