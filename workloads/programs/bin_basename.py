"""``basename NAME [SUFFIX]``: a path without its folders, and without an end."""

import sys


def fail(text):
    sys.stderr.write(f"basename: {text}\nTry 'basename --help' for more information.\n")
    sys.exit(1)


words = sys.argv[1:]
if words and words[0].startswith("-") and words[0] not in ("-", "--"):
    fail(f"invalid option -- '{words[0][1:]}'")
words = words[1:] if words[:1] == ["--"] else words
if not words:
    fail("missing operand")
if len(words) > 2:
    fail(f"extra operand ‘{words[2]}’")
name = words[0].rstrip("/").split("/")[-1] if words[0].rstrip("/") else words[0][:1]
if len(words) > 1 and name != words[1] and name.endswith(words[1]):
    name = name[: len(name) - len(words[1])]
print(name)
