"""``sort [-rnu] [FILE]...``: the lines in the order of their bytes."""

import sys

letters = ""
files = []
for word in sys.argv[1:]:
    if word.startswith("-") and word != "-":
        letters += word[1:]
    else:
        files.append(word)
for letter in letters:
    if letter not in "rnu":
        sys.stderr.write(f"sort: the option -{letter} is not emulated\n")
        sys.exit(2)
lines = []
for name in files or ["-"]:
    try:
        file = sys.stdin.buffer if name == "-" else open(name, "rb")
        lines += [line.rstrip(b"\n") for line in file.readlines()]
    except OSError as error:
        sys.stderr.write(f"sort: cannot read: {name}: {error.strerror}\n")
        sys.exit(2)


def value(line):
    text = line.strip()
    digits = b""
    for place in range(len(text)):
        letter = text[place : place + 1]
        if letter.isdigit() or (letter == b"-" and not place):
            digits += letter
        else:
            break
    return int(digits) if digits.strip(b"-") else 0


order = [((value(line) if "n" in letters else 0), line) for line in lines]
order.sort(reverse="r" in letters)
last = None
for number, line in order:
    same = number == last if "n" in letters else line == last
    if "u" in letters and last is not None and same:
        continue
    last = number if "n" in letters else line
    sys.stdout.buffer.write(line + b"\n")
