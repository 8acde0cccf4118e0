"""``wc [-lwc] [FILE]...``: count lines, words and bytes."""

import os
import sys


def read_all(fd):
    data = b""
    while True:
        part = os.read(fd, 65536)
        if not part:
            return data
        data += part


letters = ""
files = []
for word in sys.argv[1:]:
    if word.startswith("-") and word != "-":
        letters += word[1:]
    else:
        files.append(word)
for letter in letters:
    if letter not in "lwc":
        sys.stderr.write(f"wc: invalid option -- '{letter}'\n")
        sys.stderr.write("Try 'wc --help' for more information.\n")
        sys.exit(1)
letters = "".join([letter for letter in "lwc" if letter in letters]) or "lwc"
rows = []
code = 0
least = 1
size = 0
for name in files or ["-"]:
    try:
        fd = 0 if name == "-" else os.open(name, os.O_RDONLY)
        found = os.fstat(fd)
        if found.st_mode & 0o170000 == 0o100000:
            size += found.st_size
        else:
            least = 7
        data = read_all(fd)
    except OSError as error:
        sys.stderr.write(f"wc: {name}: {error.strerror}\n")
        code = 1
        continue
    counts = {"l": data.count(b"\n"), "w": len(data.split()), "c": len(data)}
    rows.append(([counts[letter] for letter in "lwc" if letter in letters], name))
if len(files) > 1:
    totals = (
        [sum([row[0][place] for row in rows]) for place in range(len(rows[0][0]))] if rows else []
    )
    rows.append((totals, "total"))
one = len(files) < 2 and len(letters) == 1
width = 1 if one else max(len(str(size)), least)
for counts, name in rows:
    text = " ".join([str(count).rjust(width) for count in counts])
    print(text if not files else f"{text} {name}")
sys.exit(code)
