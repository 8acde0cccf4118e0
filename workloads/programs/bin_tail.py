"""``head [-n LINES] [FILE]``, ``tail [-n LINES] [FILE]``: the first or last lines (10)."""

import os
import sys

command = os.path.basename(sys.argv[0])
words = sys.argv[1:]
count = 10
if words and words[0] == "-n" and len(words) > 1:
    count = int(words[1])
    words = words[2:]
elif words and words[0].startswith("-n"):
    count = int(words[0][2:])
    words = words[1:]
elif words and words[0].startswith("-") and words[0][1:].isdecimal():
    count = int(words[0][1:])
    words = words[1:]
if words and words[0].startswith("-") and words[0] != "-":
    sys.stderr.write(f"{command}: the option {words[0]} is not emulated\n")
    sys.exit(1)
code = 0
for number, name in enumerate(words or ["-"]):
    try:
        file = sys.stdin.buffer if name == "-" else open(name, "rb")
        if command == "tail":
            lines = file.readlines()
            lines = lines[len(lines) - count :] if count < len(lines) else lines
            lines = lines if count else []
        else:
            lines = []
            while len(lines) < count:
                line = file.readline()
                if not line:
                    break
                lines.append(line)
    except OSError as error:
        sys.stderr.write(f"{command}: cannot open '{name}' for reading: {error.strerror}\n")
        code = 1
        continue
    if len(words) > 1:
        gap = "\n" if number else ""
        sys.stdout.buffer.write(f"{gap}==> {name} <==\n".encode())
    for line in lines:
        sys.stdout.buffer.write(line)
sys.stdout.flush()
sys.exit(code)
