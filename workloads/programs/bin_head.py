"""``head [-n N | -c N | -N] [-qv] [FILE]...``, ``tail``: the first or last lines (10) or bytes.

``head -n -N``: all but the last N; ``tail -n +N``: from line N on. tail's -f is refused.
"""

import errno
import os
import sys

command = os.path.basename(sys.argv[0])


def fail(text, hint):
    sys.stderr.write(f"{command}: {text}\n")
    if hint:
        sys.stderr.write(f"Try '{command} --help' for more information.\n")
    sys.exit(1)


def options(words):
    # (lines or bytes, count, its sign, whether names are printed (None: of several), files)
    kind, count, sign, names = "n", 10, "", None
    files = []
    while words:
        word = words.pop(0)
        if word == "--":
            files += words
            break
        if not word.startswith("-") or word == "-":
            files.append(word)
            continue
        letters = word[1:]
        if letters[0].isdecimal():
            letters = "n" + letters
        if word.startswith(("--lines=", "--bytes=")):
            letters = word[2].replace("l", "n").replace("b", "c") + word.partition("=")[2]
        while letters[:1] in ("q", "v"):
            names = letters[0] == "v"
            letters = letters[1:]
        if not letters:
            continue
        if letters[0] in "nc":
            kind = letters[0]
            if not letters[1:] and not words:
                fail(f"option requires an argument -- '{kind}'", True)
            number = letters[1:] or words.pop(0)
            sign = number[0] if number[:1] in ("-", "+") else ""
            if not number[len(sign) :].isdecimal():
                fail(f"invalid number of {'lines' if kind == 'n' else 'bytes'}: ‘{number}’", False)
            count = int(number[len(sign) :])
        elif word == "-f" and command == "tail":
            fail("the option -f is not emulated", False)
        elif letters == "z":
            fail("the option -z is not emulated", False)
        elif word.startswith("--"):
            fail(f"unrecognized option '{word}'", True)
        else:
            fail(f"invalid option -- '{letters[0]}'", True)
    return kind, count, sign, names, files or ["-"]


def first(file, kind, count, sign):
    if sign == "-":
        parts = file.readlines() if kind == "n" else file.read()
        return parts[: max(len(parts) - count, 0)]
    if kind == "c":
        return file.read(count)
    lines = []
    while len(lines) < count:
        line = file.readline()
        if not line:
            break
        lines.append(line)
    return lines


def last(file, kind, count, sign):
    parts = file.readlines() if kind == "n" else file.read()
    if sign == "+":
        return parts[max(count - 1, 0) :]
    return parts[max(len(parts) - count, 0) :]


def main():
    kind, count, sign, names, files = options(sys.argv[1:])
    if names is None:
        names = len(files) > 1
    code = 0
    some = False
    out = sys.stdout.buffer
    for name in files:
        try:
            file = sys.stdin.buffer if name == "-" else open(name, "rb")
        except OSError as error:
            sys.stdout.flush()
            what = f"error reading '{name}'"
            if error.errno != errno.EISDIR:
                what = f"cannot open '{name}' for reading"
            sys.stderr.write(f"{command}: {what}: {error.strerror}\n")
            code = 1
            continue
        if names:
            shown = "standard input" if name == "-" else name
            gap = "\n" if some else ""
            out.write(f"{gap}==> {shown} <==\n".encode())
        some = True
        try:
            found = (last if command == "tail" else first)(file, kind, count, sign)
        except OSError as error:
            sys.stdout.flush()
            sys.stderr.write(f"{command}: error reading '{name}': {error.strerror}\n")
            code = 1
            continue
        if kind == "c":
            out.write(found)
        else:
            for line in found:
                out.write(line)
    sys.stdout.flush()
    sys.exit(code)


if __name__ == "__main__":
    main()
