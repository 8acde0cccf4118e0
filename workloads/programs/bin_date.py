"""``date [-u] [-d @SECONDS] [-R] [-I[FMT]] [+FORMAT]``: the virtual time; the zone is UTC.

FORMAT as GNU's: ``%a %A %b %B %c %C %d %D %e %F %H %I %j %k %l %m %M %n %N %p %P %r %R %s %S %t %T
%u %w %y %Y %z %Z %%``, with the flags ``- _ 0 ^`` and a width (``%-d``, ``%3N``). Setting the clock
and dates in words are refused.

Deviation: the zone is UTC whatever TZ says; -d takes ``@SECONDS`` only.
"""

import sys
import time

DEFAULT = "%a %b %e %H:%M:%S %Z %Y"
DAYS = "%Y-%m-%d"
ISO = {
    "": DAYS,
    "date": DAYS,
    "hours": DAYS + "T%H%:z",
    "minutes": DAYS + "T%H:%M%:z",
    "seconds": DAYS + "T%H:%M:%S%:z",
    "ns": DAYS + "T%H:%M:%S,%N%:z",
}
MADE_OF = {"D": "%m/%d/%y", "F": DAYS, "T": "%H:%M:%S", "R": "%H:%M", "r": "%I:%M:%S %p", "h": "%b"}
MADE_OF["c"] = "%a %b %e %H:%M:%S %Y"
MADE_OF["x"] = "%m/%d/%y"
MADE_OF["X"] = "%H:%M:%S"


def fail(text, hint):
    sys.stderr.write(f"date: {text}\n")
    if hint:
        sys.stderr.write("Try 'date --help' for more information.\n")
    sys.exit(1)


def one(letter, when, ns):
    # (text, how numbers are filled, their width); None: not a letter of FORMAT
    hour = when.tm_hour
    numbers = {
        "C": (when.tm_year // 100, "0", 2),
        "d": (when.tm_mday, "0", 2),
        "e": (when.tm_mday, " ", 2),
        "H": (hour, "0", 2),
        "I": ((hour + 11) % 12 + 1, "0", 2),
        "j": (when.tm_yday, "0", 3),
        "k": (hour, " ", 2),
        "l": ((hour + 11) % 12 + 1, " ", 2),
        "m": (when.tm_mon, "0", 2),
        "M": (when.tm_min, "0", 2),
        "s": (ns // 1_000_000_000, "0", 1),
        "S": (when.tm_sec, "0", 2),
        "u": (when.tm_wday + 1, "0", 1),
        "w": ((when.tm_wday + 1) % 7, "0", 1),
        "y": (when.tm_year % 100, "0", 2),
        "Y": (when.tm_year, "0", 1),
    }
    if letter in numbers:
        return numbers[letter]
    if letter == "p":
        return "PM" if hour > 11 else "AM", " ", 0
    if letter == "P":
        return "pm" if hour > 11 else "am", " ", 0
    names = {
        "a": time.strftime("%a", when),
        "A": time.strftime("%A", when),
        "b": time.strftime("%b", when),
        "B": time.strftime("%B", when),
        "n": "\n",
        "t": "\t",
        "%": "%",
        "z": "+0000",
        "Z": "UTC",
    }
    return (names[letter], " ", 0) if letter in names else None


def text_of(form, when, ns):
    out = ""
    i = 0
    while i < len(form):
        if form[i] != "%" or i == len(form) - 1:
            out += form[i]
            i += 1
            continue
        begin = i
        i += 1
        flag = ""
        upper = False
        while i < len(form) and form[i] in "-_0^#+":
            upper = upper or form[i] == "^"
            flag = form[i] if form[i] in "-_0" else flag
            i += 1
        width = ""
        while i < len(form) and form[i] in "0123456789":
            width += form[i]
            i += 1
        while form[i : i + 2] in ("::", ":z"):
            i += 1
            flag += ":"
        letter = form[i : i + 1]
        i += 1
        if letter in MADE_OF and letter:
            text = text_of(MADE_OF[letter], when, ns)
            text = text.rjust(int(width or "0"))
        elif letter == "z" and ":" in flag:
            text = "+00" + ":00" * flag.count(":")
        elif letter == "N":
            digits = int(width) if width else 9
            text = f"{ns % 1_000_000_000:09}"[:digits]
            text = text.ljust(digits, "0")
            text = text.rstrip("0") or "0" if flag == "-" and not width else text
        else:
            found = one(letter, when, ns) if letter else None
            if found is None:
                out += form[begin:i]
                continue
            value, fill, size = found
            fill = {"_": " ", "0": "0"}.get(flag, fill)
            size = int(width) if width else size
            text = str(value) if flag == "-" else str(value).rjust(size, fill)
        out += text.upper() if upper else text
    return out


def main():
    form = ""
    ns = time.time_ns()
    words = sys.argv[1:]
    while words:
        word = words.pop(0)
        name, sign, value = word.partition("=")
        if word in ("-u", "--utc", "--universal"):
            continue
        if word in ("-R", "--rfc-email"):
            form = "%a, %d %b %Y %H:%M:%S %z"
        elif word.startswith("-I") or name == "--iso-8601":
            kind = word[2:] if word.startswith("-I") else value
            kinds = [known for known in ISO if known.startswith(kind)]
            if not kinds:
                fail(f"invalid argument ‘{kind}’ for ‘--iso-8601’", True)
            form = ISO[kinds[0]]
        elif word.startswith("-d") or name == "--date":
            text = value if sign and name == "--date" else word[2:] if word[:2] == "-d" else ""
            if not text:
                if not words:
                    fail("option requires an argument -- 'd'", True)
                text = words.pop(0)
            digits = text[1:].lstrip("-")
            if text in ("now", ""):
                continue
            if not text.startswith("@") or not digits.isdecimal() or len(digits) > 11:
                fail(f"invalid date ‘{text}’", False)
            ns = int(text[1:]) * 1_000_000_000
        elif word.startswith("+"):
            if form:
                fail(f"extra operand ‘{word}’", True)
            form = word[1:]
            if not form:
                print()
                return
        elif word.startswith("--"):
            fail(f"unrecognized option '{word}'", True)
        elif word.startswith("-") and len(word) > 1:
            fail(f"invalid option -- '{word[1]}'", True)
        else:
            fail(f"invalid date ‘{word}’", False)
    print(text_of(form or DEFAULT, time.gmtime(ns // 1_000_000_000), ns))


if __name__ == "__main__":
    main()
