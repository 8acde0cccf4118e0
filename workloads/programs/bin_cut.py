"""``cut -b LIST | -c LIST | -f LIST [-d LETTER] [-s] [FILE]...``: parts of lines.

LIST is ``N``, ``N-M``, ``N-``, ``-M``, several with commas; -c counts bytes, as GNU's does.
"""

import sys


def fail(text, hint):
    sys.stderr.write(f"cut: {text}\n")
    if hint:
        sys.stderr.write("Try 'cut --help' for more information.\n")
    sys.exit(1)


def ranges_of(text, fields):
    what = "field" if fields else "byte/character position"
    found = []
    for word in text.replace(" ", ",").split(","):
        low, dash, high = word.partition("-")
        for part in (low, high):
            if part and not part.isdecimal():
                name = "field value" if fields else "byte or character position"
                fail(
                    f"invalid {'field value' if fields else 'byte/character position'} ‘{word}’",
                    bool(name),
                )
        if not low and not high:
            fail(
                "invalid range with no endpoint: -" if dash else f"{what}s are numbered from 1",
                True,
            )
        if (low and int(low) == 0) or (high and not int(high) and not low):
            fail(f"{'fields' if fields else 'byte/character positions'} are numbered from 1", True)
        begin = int(low or "1")
        end = (int(high) if high else -1) if dash else begin
        if end >= 0 and end < begin:
            fail("invalid decreasing range", True)
        found.append((begin, end))
    return found


def chosen(ranges, count):
    # the indexes among so many parts
    wanted = []
    for place in range(1, count + 1):
        for begin, end in ranges:
            if begin <= place and (end < 0 or place <= end):
                wanted.append(place - 1)
                break
    return wanted


def main():
    o = {"d": None, "kind": "", "list": "", "s": False}
    files = []
    words = sys.argv[1:]
    while words:
        word = words.pop(0)
        if not word.startswith("-") or word == "-":
            files.append(word)
            continue
        if word == "--":
            files += words
            break
        for place, letter in enumerate(word[1:], 2):
            if letter == "s":
                o["s"] = True
                continue
            if letter not in "bcfd":
                fail(f"invalid option -- '{letter}'", True)
            if not word[place:] and not words:
                fail(f"option requires an argument -- '{letter}'", True)
            value = word[place:] if word[place:] else words.pop(0)
            if letter == "d":
                if len(value) > 1:
                    fail("the delimiter must be a single character", True)
                o["d"] = value or "\0"
            else:
                if o["kind"]:
                    fail("only one list may be specified", True)
                o["kind"], o["list"] = letter, value
            break
    fields = o["kind"] == "f"
    if not o["kind"]:
        fail("you must specify a list of bytes, characters, or fields", True)
    ranges = ranges_of(o["list"], fields)
    if not fields and o["d"] is not None:
        fail("an input delimiter may be specified only when operating on fields", True)
    if not fields and o["s"]:
        fail("suppressing non-delimited lines makes sense\n\tonly when operating on fields", True)
    by = (o["d"] or "\t").encode("utf-8", "replace")
    code = 0
    out = sys.stdout.buffer
    for name in files or ["-"]:
        try:
            file = sys.stdin.buffer if name == "-" else open(name, "rb")
            lines = file.readlines()
        except OSError as error:
            sys.stdout.flush()
            sys.stderr.write(f"cut: {name}: {error.strerror}\n")
            code = 1
            continue
        for line in lines:
            line = line.rstrip(b"\n")
            if fields:
                parts = line.split(by)
                if len(parts) == 1:
                    if not o["s"]:
                        out.write(line + b"\n")
                    continue
                out.write(by.join([parts[place] for place in chosen(ranges, len(parts))]) + b"\n")
            else:
                out.write(bytes([line[place] for place in chosen(ranges, len(line))]) + b"\n")
    sys.stdout.flush()
    sys.exit(code)


if __name__ == "__main__":
    main()
