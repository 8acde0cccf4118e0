"""``uname [-asnrvmo]``: what the emulated machine is."""

import sys


def kernel(name):
    with open(f"/proc/sys/kernel/{name}") as file:
        return file.read().rstrip("\n")


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
NAMES = {
    "s": kernel("ostype"),
    "n": kernel("hostname"),
    "r": kernel("osrelease"),
    "v": kernel("version"),
    "m": "x86_64",
    "o": "GNU/Linux",
}
print(" ".join([NAMES[letter] for letter in "snrvmo" if letter in letters or "a" in letters]))
