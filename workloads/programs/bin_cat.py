"""``cat [FILE]...``: copy the files, ``-`` or none meaning standard input, to standard output."""

import os
import sys

CHUNK = 65536


def copy(fd):
    while True:
        data = os.read(fd, CHUNK)
        if not data:
            return
        while data:
            data = data[os.write(1, data) :]


def main():
    code = 0
    names = []
    words = sys.argv[1:]
    while words:
        word = words.pop(0)
        if word == "--":
            names += words
            break
        if word.startswith("-") and len(word) > 1 and word != "-u":
            sys.stderr.write(f"cat: the option {word} is not emulated\n")
            sys.exit(1)
        if word != "-u":
            names.append(word)
    for name in names or ["-"]:
        fd = 0
        try:
            if name != "-":
                fd = os.open(name, os.O_RDONLY)
            copy(fd)
        except BrokenPipeError:
            sys.stderr.write("cat: write error: Broken pipe\n")
            sys.exit(1)
        except OSError as error:
            sys.stderr.write(f"cat: {name}: {error.strerror}\n")
            code = 1
        if fd > 0:
            os.close(fd)
    sys.exit(code)


if __name__ == "__main__":
    main()
