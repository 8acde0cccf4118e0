"""``seq [-w] [-s TEXT] [FIRST [INCREMENT]] LAST``: whole numbers with TEXT between."""

import sys


def fail(text):
    sys.stderr.write(f"seq: {text}\nTry 'seq --help' for more information.\n")
    sys.exit(1)


def number(word):
    digits = word[1:] if word[:1] in ("-", "+") else word
    if digits.isdecimal() and digits.isascii():
        return int(word)
    whole, point, part = digits.partition(".")
    if point and (whole + part).isdecimal():
        sys.stderr.write(f"seq: ‘{word}’: only whole numbers are emulated\n")
        sys.exit(1)
    fail(f"invalid floating point argument: ‘{word}’")
    return 0


words = sys.argv[1:]
between = "\n"
same_width = False
while words and words[0].startswith("-") and not words[0][1:2].isdecimal():
    option = words.pop(0)
    if option == "--":
        break
    if option == "-w":
        same_width = True
    elif option.startswith("-s"):
        if not option[2:] and not words:
            fail("option requires an argument -- 's'")
        between = option[2:] or words.pop(0)
    else:
        fail(f"invalid option -- '{option[1:]}'")
if not 1 <= len(words) <= 3:
    fail("missing operand" if not words else f"extra operand ‘{words[3]}’")
numbers = [number(word) for word in words]
first = numbers[0] if len(numbers) > 1 else 1
step = numbers[1] if len(numbers) > 2 else 1
if not step:
    fail(f"invalid Zero increment value: ‘{words[1]}’")
width = max(len(str(first)), len(str(numbers[-1]))) if same_width else 0
value = first
some = False
while value <= numbers[-1] if step > 0 else value >= numbers[-1]:
    sys.stdout.write(
        (between if some else "") + f"{value:0{width}}"
        if width
        else (between if some else "") + str(value)
    )
    some = True
    value += step
if some:
    sys.stdout.write("\n")
