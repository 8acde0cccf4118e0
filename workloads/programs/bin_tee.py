"""``tee [-a] [FILE]...``: copy standard input to standard output and to the files."""

import os
import sys

flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
words = sys.argv[1:]
while words and words[0].startswith("-") and len(words[0]) > 1:
    word = words.pop(0)
    if word == "--":
        break
    if word not in ("-a", "--append"):
        sys.stderr.write(f"tee: the option {word} is not emulated\n")
        sys.exit(1)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
code = 0
outputs = [("standard output", 1)]
for word in words:
    try:
        outputs.append((word, os.open(word, flags, 0o666)))
    except OSError as error:
        sys.stderr.write(f"tee: {word}: {error.strerror}\n")
        code = 1
while outputs:
    data = os.read(0, 65536)
    if not data:
        break
    for name, fd in outputs.copy():
        left = data
        try:
            while left:
                left = left[os.write(fd, left) :]
        except OSError as error:
            sys.stderr.write(f"tee: {name}: {error.strerror}\n")
            outputs.remove((name, fd))
            code = 1
sys.exit(code)
