"""``ls [-1a] [FILE]...``: the names in folders, one a line, in the order of their bytes."""

import os
import sys

letters = ""
names = []
for word in sys.argv[1:]:
    if word.startswith("-") and word != "-":
        letters += word[1:]
    else:
        names.append(word)
if letters.strip("1aA"):
    sys.stderr.write(f"ls: only the options -1, -a and -A are emulated (got -{letters})\n")
    sys.exit(2)
code = 0
files = []
folders = []
for name in sorted(names or ["."]):
    try:
        mode = os.stat(name).st_mode
    except OSError as error:
        sys.stderr.write(f"ls: cannot access '{name}': {error.strerror}\n")
        code = 2
        continue
    if mode & 0o170000 == 0o040000:
        folders.append(name)
    else:
        files.append(name)
for name in files:
    print(name)
for number, name in enumerate(folders):
    if len(names) > 1:
        if files or number:
            print()
        print(f"{name}:")
    try:
        entries = os.listdir(name)
    except OSError as error:
        sys.stderr.write(f"ls: cannot open directory '{name}': {error.strerror}\n")
        code = 2
        continue
    if "a" in letters:
        entries += [".", ".."]
    for entry in sorted(entries):
        if not entry.startswith(".") or "a" in letters or "A" in letters:
            print(entry)
sys.exit(code)
