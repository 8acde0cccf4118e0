"""/bin/sh runs a script file line by line, with its arguments, and leaves with the last status."""

import os
import time

base = f"/tmp/sh-{time.time_ns()}/"
os.mkdir(base, 0o755)
SCRIPTS = {
    "status": "#!/bin/sh\nexit 7\n",
    "last": "#!/bin/sh\ntrue\nfalse\n",
    "empty": "#!/bin/sh\n",
    "plain": "echo no line for the kernel\n",
    "arguments": '#!/bin/sh\n# a comment\necho $# "$1" $2 $3 "$4"\necho $?\n',
    "replaced": "#!/bin/sh\nexec /bin/echo instead of the shell $1\necho never\n",
    "folder": "#!/bin/sh\ncd /tmp\nexec /bin/cat status-not-here\n",
    "not-found": "#!/bin/sh\nexec no-such-command\n",
    "refused": "#!/bin/sh\nexec /tmp\n",
    "kept": "#!/bin/sh\nfalse\necho $?\nexit\n",
}
for name, text in SCRIPTS.items():
    fd = os.open(base + name, os.O_CREAT | os.O_WRONLY, 0o755)
    os.write(fd, text.encode())
    os.close(fd)


def run(path, arguments):
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(write_end, 1)
        os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
        try:
            os.execv(path, arguments)
        except OSError as error:
            os._exit(100 + error.errno)
    os.close(write_end)
    said = b""
    while True:
        piece = os.read(read_end, 1000)
        if not piece:
            break
        said += piece
    os.close(read_end)
    print(os.path.basename(path), os.path.basename(arguments[-1]), os.waitpid(pid, 0)[1] >> 8, said)


for name in SCRIPTS:
    run(base + name, ["x", "a  b", "c  d", "", " e "])
run("/bin/sh", ["sh", base + "plain"])
run("/bin/sh", ["sh", base + "missing"])
run("/bin/sh", ["sh", "-c", "echo $0 $1 $#", "zero", "one", "two"])
run("/bin/sh", ["sh", "-c", "false\nexit", "lines"])
run("/bin/sh", ["sh", "-c", "echo one\nexec /bin/echo two", "two-lines"])
