"""sys.stdin, sys.stdout and sys.stderr: passed around, compared, and what is below them."""

import os
import sys


def say(text, stream=sys.stdout):
    print(text, file=stream, flush=True)


say("default")
say("other", sys.stderr)
print(sys.stdout is sys.stdout, sys.stdout == sys.stderr, sys.stdout.fileno(), sys.stderr.name)
print(sys.stdin.mode, sys.stdout.mode, sys.stdout.encoding, sys.stderr.errors, sys.stdin.errors)
print(sys.stdin, sys.stdout.isatty(), sys.stdin.readable(), sys.stdin.writable())
sys.stdout.flush()
sys.stdout.buffer.write(b"bytes below\n")
sys.stdout.buffer.flush()
print("a", "b", sep="-", end="!\n", file=None)
print(repr(sys.stdin.read()), repr(sys.stdin.readline()), list(sys.stdin))
try:
    input("prompt> ")
except EOFError as error:
    print(error)
pid = os.fork()
if pid == 0:
    streams = [sys.stdout, sys.stderr]
    for stream in streams:
        stream.write("from the child\n")
    sys.exit()
os.waitpid(pid, 0)
os.dup2(2, 1)
print("now on stderr")
sys.stdout.close()
try:
    print("closed")
except ValueError as error:
    sys.stderr.write(f"{error}\n")
