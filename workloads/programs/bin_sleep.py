"""``sleep NUMBER[SUFFIX]...``: pause for the sum of the times; suffixes s, m, h, d."""

import sys
import time


def fail(text):
    sys.stderr.write(f"sleep: {text}\nTry 'sleep --help' for more information.\n")
    sys.exit(1)


def seconds(text):
    factor = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(text[-1:], 0)
    digits = text[:-1] if factor else text
    try:
        number = float(digits)
    except ValueError:
        number = -1.0
    if not number >= 0 or "_" in digits:
        fail(f"invalid time interval ‘{text}’")
    return number * (factor or 1)


def main():
    if len(sys.argv) < 2:
        fail("missing operand")
    total = 0.0
    for text in sys.argv[1:]:
        total += seconds(text)
    time.sleep(total)


if __name__ == "__main__":
    main()
