"""``grep [-vcilqnF] TEXT [FILE]...``: the lines with a text; patterns are not emulated."""

import sys

letters = ""
words = sys.argv[1:]
while words and words[0].startswith("-") and words[0] != "-":
    letters += words[0][1:]
    words = words[1:]
if not words or letters.strip("vcilqnF"):
    sys.stderr.write("grep: only grep [-vcilqnF] TEXT [FILE]... is emulated\n")
    sys.exit(2)
text = words[0]
files = words[1:]
if "F" not in letters:
    for letter in ".*[]^$\\":
        if letter in text:
            sys.stderr.write("grep: patterns are not emulated: a plain TEXT is\n")
            sys.exit(2)
wanted = text.lower() if "i" in letters else text
code = 1
bad = False
for name in files or ["(standard input)"]:
    count = 0
    try:
        file = open(name, errors="replace") if files else sys.stdin
        number = 0
        while True:
            line = file.readline()
            if not line:
                break
            number += 1
            line = line.rstrip("\n")
            found = wanted in (line.lower() if "i" in letters else line)
            if found == ("v" in letters):
                continue
            code = 0
            count += 1
            if "q" in letters:
                sys.exit(0)
            if not set("cl") & set(letters):
                head = f"{name}:" if len(files) > 1 else ""
                place = f"{number}:" if "n" in letters else ""
                print(f"{head}{place}{line}")
    except OSError as error:
        sys.stderr.write(f"grep: {name}: {error.strerror}\n")
        bad = True
        continue
    if "l" in letters:
        if count:
            print(name)
    elif "c" in letters:
        print(f"{name}:{count}" if len(files) > 1 else count)
sys.exit(2 if bad else code)
