"""The programs of /bin, and what they print, leave and get as arguments."""

import os


def run(path, arguments):
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(write_end, 1)
        os.execv(path, [path] + arguments)
    os.close(write_end)
    data = b""
    while True:
        piece = os.read(read_end, 100)
        if not piece:
            break
        data += piece
    os.close(read_end)
    print(path, arguments, os.waitpid(pid, 0)[1], data)


run("/bin/true", [])
run("/bin/false", ["ignored"])
run("/bin/echo", ["two", "words  here"])
run("/bin/echo", ["-n", "no newline"])
run("/bin/sleep", ["0.001"])
run("/bin/cat", ["/dev/null"])
run("/bin/sh", ["-c", "echo 'from the shell'"])
run("/bin/sh", ["-c", "exit 42"])
run("/bin/sh", ["-c", "kill -9 $$"])
run("/bin/sh", ["-c", "/bin/false"])
run("/usr/bin/true", [])
