"""A buffer that cannot be written at the end: a message, and exit status 120."""

import os
import sys

for kind in ("full", "pipe", "closed", "stderr"):
    pid = os.fork()
    if pid == 0:
        if kind == "full":
            os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
        elif kind == "pipe":
            reader, writer = os.pipe()
            os.close(reader)
            os.dup2(writer, 1)
        elif kind == "closed":
            os.close(1)
        else:
            os.close(2)
            sys.stderr.write("not a whole line")
            sys.exit(0)
        try:
            print("lost")
        except OSError as error:
            os.write(2, f"at once: {error}\n".encode())
            os._exit(1)
        sys.exit(0)
    print(kind, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
