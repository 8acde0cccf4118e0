"""``sort [-bnru] [FILE]...``: the lines by their bytes, or by numbers (-n)."""

import sys


def value(line):
    # -n: blanks, a sign, digits, a fraction; anything else is 0
    text = line.lstrip(b" \t").decode("latin-1")
    end = text.startswith("-")
    while text[end : end + 1] in ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"):
        end += 1
    whole = text[:end]
    fraction = ""
    if text[end : end + 1] == ".":
        for letter in text[end + 1 :]:
            if letter not in "0123456789":
                break
            fraction += letter
    if not whole.strip("-") and not fraction:
        return 0, 0.0
    part = float("0." + (fraction or "0"))
    number = int(whole) if whole.strip("-") else 0
    return number, (-part if whole.startswith("-") else part)


def main():
    letters = ""
    files = []
    words = sys.argv[1:]
    while words:
        word = words.pop(0)
        if word == "--":
            files += words
            break
        if word.startswith("-") and word != "-":
            letters += word[1:]
        else:
            files.append(word)
    for letter in letters:
        if letter in "cCdfgikhmMoRsStTVz":
            sys.stderr.write(f"sort: the option -{letter} is not emulated\n")
            sys.exit(2)
        if letter not in "bnru":
            sys.stderr.write(f"sort: invalid option -- '{letter}'\n")
            sys.stderr.write("Try 'sort --help' for more information.\n")
            sys.exit(2)
    lines = []
    for name in files or ["-"]:
        try:
            file = sys.stdin.buffer if name == "-" else open(name, "rb")
            found = file.readlines()
        except OSError as error:
            what = "read failed" if error.errno == 21 else "cannot read"
            sys.stderr.write(f"sort: {what}: {name}: {error.strerror}\n")
            sys.exit(2)
        lines += [line.rstrip(b"\n") for line in found]
    backwards = "r" in letters
    by_number = "n" in letters
    if by_number and "u" in letters:
        lines.sort(key=value, reverse=backwards)
    elif by_number:
        lines.sort(key=lambda line: (value(line), line), reverse=backwards)
    elif "b" in letters:
        lines.sort(key=lambda line: (line.lstrip(b" \t"), line), reverse=backwards)
    else:
        lines.sort(reverse=backwards)
    last = None
    for line in lines:
        key = value(line) if by_number else line.lstrip(b" \t") if "b" in letters else line
        if "u" in letters and key == last:
            continue
        last = key
        sys.stdout.buffer.write(line + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
