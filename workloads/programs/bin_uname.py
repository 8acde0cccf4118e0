"""``uname [-asnrm]``: what the emulated machine is."""

import sys

NAMES = {"s": "Linux", "n": "smplab", "r": "6.12.0", "v": "#1 SMP", "m": "x86_64", "o": "GNU/Linux"}
letters = "".join([word[1:] for word in sys.argv[1:]]) or "s"
for word in sys.argv[1:]:
    if not word.startswith("-"):
        sys.stderr.write(f"uname: extra operand ‘{word}’\n")
        sys.stderr.write("Try 'uname --help' for more information.\n")
        sys.exit(1)
for letter in letters:
    if letter not in "asnrvmo":
        sys.stderr.write(f"uname: invalid option -- '{letter}'\n")
        sys.stderr.write("Try 'uname --help' for more information.\n")
        sys.exit(1)
print(" ".join([NAMES[letter] for letter in "snrvmo" if letter in letters or "a" in letters]))
