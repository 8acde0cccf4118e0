"""A process is told to end while it becomes another program, which has not its handler."""

import os
import signal

read_end, write_end = os.pipe()


def handler(number, frame):
    os._exit(7)


pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGTERM, handler)
    os.write(write_end, b"x")
    os.execv("/bin/true", ["true"])
os.read(read_end, 1)
os.kill(pid, signal.SIGTERM)
status = os.waitpid(pid, 0)[1]
code = os.waitstatus_to_exitcode(status)
told = {7: "its handler ran", 0: "the new program had ended"}
print(told.get(code, f"ended with {code}"))
