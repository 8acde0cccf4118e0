"""``printf FORMAT [ARGUMENT]...``: %s %d %%, and three escapes."""

import sys

if len(sys.argv) < 2:
    sys.stderr.write("printf: missing operand\nTry 'printf --help' for more information.\n")
    sys.exit(1)
template = sys.argv[1]
words = sys.argv[2:]
out = ""
used = True
while used:
    used = False
    place = 0
    while place < len(template):
        letter = template[place]
        after = template[place + 1 : place + 2]
        place += 2 if letter in "%\\" and after else 1
        if letter == "\\" and after in ("n", "t", "\\"):
            out += {"n": "\n", "t": "\t", "\\": "\\"}[after]
        elif letter == "%" and after == "%":
            out += "%"
        elif letter == "%" and after in ("s", "d"):
            word = words.pop(0) if words else ("" if after == "s" else "0")
            used = True
            out += word if after == "s" else str(int(word))
        elif letter in "%\\":
            sys.stderr.write(f"printf: {letter}{after} is not emulated\n")
            sys.exit(1)
        else:
            out += letter
    used = used and bool(words)
sys.stdout.write(out)
