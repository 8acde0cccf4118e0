"""File actions and process groups of posix_spawn, and how they fail."""

import os

read_end, write_end = os.pipe()
pid = os.posix_spawn(
    "/bin/echo", ["echo", "hi"], {}, file_actions=[(os.POSIX_SPAWN_DUP2, write_end, 1)]
)
os.waitpid(pid, 0)
print(os.read(read_end, 10))
pid = os.posix_spawn(
    "/bin/sh",
    ["sh", "-c", "exit 3"],
    {},
    file_actions=[(os.POSIX_SPAWN_CLOSE, 77), (os.POSIX_SPAWN_OPEN, 1, "/tmp", os.O_RDONLY, 0)],
)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
for actions in (
    [(os.POSIX_SPAWN_DUP2, 77, 1)],
    [(os.POSIX_SPAWN_OPEN, 1, "/no/such", os.O_RDONLY, 0)],
    [(os.POSIX_SPAWN_OPEN, 1, "/tmp", os.O_WRONLY, 0)],
):
    try:
        os.posix_spawn("/bin/true", ["true"], {}, file_actions=actions)
        print("spawned")
    except OSError as error:
        print(error.errno, error.filename)
for group in (1, 99999):
    try:
        os.posix_spawn("/bin/true", ["true"], {}, setpgroup=group)
        print("spawned")
    except OSError as error:
        print(error.errno, error.filename)
try:
    os.wait()
except ChildProcessError as error:
    print(error)
os.dup2(write_end, 5)
for a in ((os.POSIX_SPAWN_DUP2, write_end, write_end),):
    pid = os.posix_spawn("/bin/true", ["true"], {}, file_actions=[a])
    print(os.waitpid(pid, 0)[1])
