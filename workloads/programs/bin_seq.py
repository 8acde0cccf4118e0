"""``seq [FIRST [INCREMENT]] LAST``: whole numbers, one a line."""

import sys

words = sys.argv[1:]
numbers = []
for word in words:
    try:
        numbers.append(int(word))
    except ValueError:
        sys.stderr.write(f"seq: invalid argument: ‘{word}’: whole numbers only\n")
        sys.exit(1)
if not 1 <= len(numbers) <= 3:
    what = "missing operand" if not numbers else f"extra operand ‘{words[3]}’"
    sys.stderr.write(f"seq: {what}\nTry 'seq --help' for more information.\n")
    sys.exit(1)
first = numbers[0] if len(numbers) > 1 else 1
step = numbers[1] if len(numbers) > 2 else 1
if not step:
    sys.stderr.write(f"seq: invalid Zero increment value: ‘{words[1]}’\n")
    sys.stderr.write("Try 'seq --help' for more information.\n")
    sys.exit(1)
number = first
while number <= numbers[-1] if step > 0 else number >= numbers[-1]:
    print(number)
    number += step
