"""``ls [-1aAdilrStF] [FILE]...``: names, one a line, in the order of their bytes; -l says more.

Deviation: symbolic links are shown as what they point to; the blocks of ``total`` are those of the
sizes.
"""

import os
import sys
import time

KINDS = {0o040000: "d", 0o120000: "l", 0o010000: "p", 0o020000: "c", 0o060000: "b", 0o140000: "s"}
MARKS = {0o040000: "/", 0o010000: "|", 0o140000: "="}


def permissions(mode):
    text = KINDS.get(mode & 0o170000, "-")
    for shift, special, letter in ((6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")):
        bits = mode >> shift & 7
        text += ("r" if bits & 4 else "-") + ("w" if bits & 2 else "-")
        if mode & special:
            text += letter if bits & 1 else letter.upper()
        else:
            text += "x" if bits & 1 else "-"
    return text


def shown_time(seconds):
    when = time.gmtime(int(seconds))
    month = time.strftime("%b", when)
    now = time.time()
    if now - 15778476 < seconds <= now:
        return f"{month} {when.tm_mday:2} {when.tm_hour:02}:{when.tm_min:02}"
    return f"{month} {when.tm_mday:2}  {when.tm_year}"


def tell(text, error):
    sys.stdout.flush()
    sys.stderr.write(f"ls: {text}: {error.strerror}\n")


def listed(letters, entries, total):
    # entries: (name, what stat says)
    if "t" in letters:
        entries = sorted(entries, key=lambda entry: -entry[1].st_mtime)
    elif "S" in letters:
        entries = sorted(entries, key=lambda entry: -entry[1].st_size)
    if "r" in letters:
        entries = entries[::-1]
    rows = []
    for name, found in entries:
        row = [str(found.st_ino)] if "i" in letters else []
        if "l" in letters:
            row += [permissions(found.st_mode), str(found.st_nlink)]
            row += [
                "root" if number == 0 else str(number) for number in (found.st_uid, found.st_gid)
            ]
            row += [str(found.st_size), shown_time(found.st_mtime)]
        mark = ""
        if "F" in letters:
            mark = MARKS.get(found.st_mode & 0o170000, "")
            if not mark and found.st_mode & 0o111:
                mark = "*"
        rows.append(row + [name + mark])
    if total and "l" in letters:
        print("total", sum([(found.st_size + 4095) // 4096 * 4 for _, found in entries]))
    widths = (
        [max([len(row[place]) for row in rows]) for place in range(len(rows[0]) - 1)]
        if rows
        else []
    )
    for row in rows:
        words = []
        for place, text in enumerate(row[:-1]):
            names = "l" in letters and place - ("i" in letters) in (2, 3)
            words.append(text.ljust(widths[place]) if names else text.rjust(widths[place]))
        print(" ".join(words + [row[-1]]))


def entries_of(letters, folder):
    names = os.listdir(folder)
    if "a" in letters:
        names += [".", ".."]
    entries = []
    for name in sorted(names):
        if name.startswith(".") and "a" not in letters and "A" not in letters:
            continue
        try:
            entries.append((name, os.stat(f"{folder}/{name}")))
        except OSError as error:
            tell(f"cannot access '{folder}/{name}'", error)
    return entries


def main():
    letters = ""
    names = []
    words = sys.argv[1:]
    while words:
        word = words.pop(0)
        if word == "--":
            names += words
            break
        if word.startswith("--"):
            sys.stderr.write(f"ls: the option {word} is not emulated\n")
            sys.exit(2)
        if word.startswith("-") and word != "-":
            letters += word[1:]
        else:
            names.append(word)
    for letter in letters:
        if letter not in "1aAdilrStF":
            sys.stderr.write(f"ls: the option -{letter} is not emulated\n")
            sys.exit(2)
    code = 0
    files = []
    folders = []
    for name in sorted(names or ["."]):
        try:
            found = os.stat(name)
        except OSError as error:
            tell(f"cannot access '{name}'", error)
            code = 2
            continue
        folder = found.st_mode & 0o170000 == 0o040000 and "d" not in letters
        (folders if folder else files).append((name, found))
    listed(letters, files, False)
    if "r" in letters:
        folders = folders[::-1]
    for number, (name, _) in enumerate(folders):
        try:
            entries = entries_of(letters, name)
        except OSError as error:
            tell(f"cannot open directory '{name}'", error)
            code = 2
            continue
        if len(names) > 1:
            if files or number:
                print()
            print(f"{name}:")
        listed(letters, entries, True)
    sys.exit(code)


if __name__ == "__main__":
    main()
