"""A posix_spawn dup2 of a descriptor onto itself lets the program inherit it."""

import os
import sys

if len(sys.argv) > 1:
    for fd in (5, 6):
        try:
            print(fd, os.write(fd, b"word"))
        except OSError as error:
            print(fd, error.errno)
    os._exit(4)
r, w = os.pipe()
os.dup2(w, 5, False)
os.dup2(w, 6, False)
env = {"PYTHONPATH": ""}
argv = [sys.executable, "-u", __file__, "child"]
pid = os.posix_spawn(
    sys.executable,
    argv,
    env,
    file_actions=[(os.POSIX_SPAWN_DUP2, 5, 5), (os.POSIX_SPAWN_CLOSE, 77)],
)
print(os.waitpid(pid, 0)[1] >> 8, os.read(r, 100))
for actions in (
    [(os.POSIX_SPAWN_DUP2, 77, 77)],
    [(os.POSIX_SPAWN_CLOSE, 6), (os.POSIX_SPAWN_DUP2, 6, 6)],
):
    try:
        os.posix_spawn("/bin/true", ["true"], {}, file_actions=actions)
        print("spawned")
    except OSError as error:
        print(error.errno, error.filename)
