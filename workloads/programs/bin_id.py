"""``id [-u|-g|-G] [-n] [-r]``: who the caller is, by numbers; 0 is root."""

import os
import sys

letters = "".join([word[1:] for word in sys.argv[1:] if word.startswith("-")])
words = [word for word in sys.argv[1:] if not word.startswith("-")]
for letter in letters:
    if letter not in "ugGnr":
        sys.stderr.write(f"id: invalid option -- '{letter}'\n")
        sys.stderr.write("Try 'id --help' for more information.\n")
        sys.exit(1)
if words:
    sys.stderr.write("id: a user is not emulated\n")
    sys.exit(1)
kinds = [letter for letter in "ugG" if letter in letters]
if len(kinds) > 1:
    sys.stderr.write('id: cannot print "only" of more than one choice\n')
    sys.exit(1)
if not kinds and letters:
    sys.stderr.write("id: cannot print only names or real IDs in default format\n")
    sys.exit(1)
if kinds:
    if kinds[0] == "u":
        number = os.getuid() if "r" in letters else os.geteuid()
    else:
        number = os.getgid() if "r" in letters else os.getegid()
    if "n" in letters and number:
        what = "user" if kinds[0] == "u" else "group"
        print(number)
        sys.stdout.flush()
        sys.stderr.write(f"id: cannot find name for {what} ID {number}\n")
        sys.exit(1)
    print("root" if "n" in letters else number)
else:
    numbers = [os.getuid(), os.getgid(), os.geteuid(), os.getegid()]
    named = [f"{number}(root)" if not number else str(number) for number in numbers]
    text = f"uid={named[0]} gid={named[1]}"
    if numbers[2] != numbers[0]:
        text += f" euid={named[2]}"
    if numbers[3] != numbers[1]:
        text += f" egid={named[3]}"
    print(f"{text} groups={named[3]}")
