"""``test EXPRESSION``, ``[ EXPRESSION ]``: compare words, numbers and what files are."""

import os
import sys

UNARY = "-n -z -e -f -d -p -s -r -w -x"
BINARY = "= == != -eq -ne -lt -le -gt -ge"


def fail(text):
    sys.stderr.write(f"{os.path.basename(sys.argv[0])}: {text}\n")
    sys.exit(2)


def number(word):
    digits = word.strip()
    digits = digits[1:] if digits[:1] in ("-", "+") else digits
    if not digits.isdecimal() or not digits.isascii():
        fail(f"invalid integer ‘{word}’")
    return int(word)


def unary(word, value):
    if word == "-n":
        return value != ""
    if word == "-z":
        return value == ""
    if word in ("-r", "-w", "-x"):
        return os.access(value, {"-r": os.R_OK, "-w": os.W_OK, "-x": os.X_OK}[word])
    try:
        found = os.stat(value)
    except OSError:
        return False
    kind = found.st_mode & 0o170000
    if word == "-s":
        return found.st_size > 0
    return {"-e": True, "-f": kind == 0o100000, "-d": kind == 0o040000, "-p": kind == 0o010000}[
        word
    ]


def binary(left, word, right):
    if word in ("=", "=="):
        return left == right
    if word == "!=":
        return left != right
    a, b = number(left), number(right)
    return {
        "-eq": a == b,
        "-ne": a != b,
        "-lt": a < b,
        "-le": a <= b,
        "-gt": a > b,
        "-ge": a >= b,
    }[word]


def evaluate(words):
    if not words:
        return False
    if len(words) == 3 and words[1] in BINARY.split():
        return binary(words[0], words[1], words[2])
    for place in range(len(words)):
        if words[place] == "-o" and 0 < place < len(words) - 1:
            return evaluate(words[:place]) or evaluate(words[place + 1 :])
    for place in range(len(words)):
        if words[place] == "-a" and 0 < place < len(words) - 1:
            return evaluate(words[:place]) and evaluate(words[place + 1 :])
    if words[0] == "!" and len(words) > 1:
        return not evaluate(words[1:])
    if len(words) == 1:
        return words[0] != ""
    if len(words) == 2 and words[0] in UNARY.split():
        return unary(words[0], words[1])
    fail(f"{words[0]}: unexpected operator")
    return False


words = sys.argv[1:]
if os.path.basename(sys.argv[0]) == "[":
    if not words or words[-1] != "]":
        fail("missing ‘]’")
    words = words[:-1]
sys.exit(0 if evaluate(words) else 1)
