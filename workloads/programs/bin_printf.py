"""``printf FORMAT [ARGUMENT]...``: ``%s %b %c %d %i %u %o %x %X %%``, as GNU's.

With the flags ``- + 0 # blank``, width and precision (``*`` too), and the escapes of C. The format
is used again until no argument is left. A malformed number is told, counts as what it begins with,
and the status is 1. Floating point is refused.
"""

import sys

ESCAPES = {
    "\\": "\\",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
S = {"out": b"", "code": 0, "words": [], "used": False}


def tell(text):
    flush()
    sys.stderr.write(f"printf: {text}\n")
    S["code"] = 1


def flush():
    sys.stdout.buffer.write(S["out"])
    sys.stdout.flush()
    S["out"] = b""


def leave():
    flush()
    sys.exit(S["code"])


def escape(text, i, octal_zero):
    # (bytes, index after it) of the escape that begins at i; None as bytes: \c
    letter = text[i + 1 : i + 2]
    if letter == "c":
        return None, i + 2
    if letter in ESCAPES and letter:
        return ESCAPES[letter].encode(), i + 2
    digits, base, most, begin = "01234567", 8, 3, i + 1
    if letter == "x":
        digits, base, most, begin = "0123456789abcdefABCDEF", 16, 2, i + 2
    elif octal_zero and letter == "0":
        begin = i + 2
    end = begin
    while end < len(text) and end - begin < most and text[end] in digits:
        end += 1
    if letter == "x" and end == begin:
        tell("missing hexadecimal number in escape")
        leave()
    if end == begin:
        return (b"\0", end) if begin == i + 2 else (b"\\" + letter.encode(), i + 1 + len(letter))
    return bytes([int(text[begin:end], base) % 256]), end


def expanded(text):
    data = b""
    i = 0
    while i < len(text):
        if text[i] == "\\":
            part, i = escape(text, i, True)
            if part is None:
                return data, True
            data += part
        else:
            data += text[i].encode("utf-8", "replace")
            i += 1
    return data, False


def take(default):
    if not S["words"]:
        return default
    S["used"] = True
    return S["words"].pop(0)


def number(word):
    if word[:1] in ("'", '"') and len(word) > 1:
        return ord(word[1])
    text = word.strip()
    sign = -1 if text.startswith("-") else 1
    digits = text[1:] if text[:1] in ("-", "+") else text
    base, known = 10, "0123456789"
    if digits[:2] in ("0x", "0X"):
        base, known, digits = 16, "0123456789abcdefABCDEF", digits[2:]
    elif digits[:1] == "0" and len(digits) > 1:
        base, known = 8, "01234567"
    end = 0
    while end < len(digits) and digits[end] in known:
        end += 1
    if not end:
        if word:
            tell(f"‘{word}’: expected a numeric value")
        return 0
    if end < len(digits):
        tell(f"‘{word}’: value not completely converted")
    value = sign * int(digits[:end], base)
    if not -(2**63) <= value < 2**64:
        tell(f"‘{word}’: Numerical result out of range")
        value = 2**63 - 1 if value > 0 else -(2**63)
    return value


def shown_number(letter, value, flags, precision):
    if letter in "di":
        if value >= 2**63:
            value = 2**63 - 1
        digits = str(abs(value))
        sign = "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""
    else:
        value %= 2**64
        digits = {"u": f"{value}", "o": f"{value:o}", "x": f"{value:x}", "X": f"{value:X}"}[letter]
        sign = ""
        if "#" in flags and value:
            sign = {"o": "0", "x": "0x", "X": "0X"}.get(letter, "")
    if precision >= 0:
        digits = digits.rjust(precision, "0") if value or precision else ""
    return sign, digits


def conversion(form, i):
    # what the % at i makes; gives the index after it
    begin = i
    i += 1
    if form[i : i + 1] == "%":
        S["out"] += b"%"
        return i + 1
    flags = ""
    while form[i : i + 1] in ("-", "+", " ", "0", "#"):
        flags += form[i]
        i += 1
    sizes = [0, -1]
    for place in (0, 1):
        if place:
            if form[i : i + 1] != ".":
                break
            i += 1
            sizes[1] = 0
        if form[i : i + 1] == "*":
            sizes[place] = number(take("0"))
            i += 1
            continue
        digits = ""
        while form[i : i + 1].isdecimal():
            digits += form[i]
            i += 1
        sizes[place] = int(digits or "0")
    width, precision = sizes
    if width < 0:
        flags += "-"
        width = -width
    while form[i : i + 1] in ("l", "h", "j", "z", "t", "q"):
        i += 1
    letter = form[i : i + 1]
    if letter in "efgaEFGA" and letter:
        tell(f"{form[begin : i + 1]}: floating point is not emulated")
        leave()
    if letter not in "sbcdiuoxX" or not letter:
        tell(f"{form[begin : i + 1]}: invalid conversion specification")
        leave()
    ended = False
    if letter in "sbc":
        word = take("")
        if letter == "b":
            data, ended = expanded(word)
        else:
            data = word.encode("utf-8", "replace")[: 1 if letter == "c" else None]
        if precision >= 0 and letter != "c":
            data = data[:precision]
        text = data.ljust(width) if "-" in flags else data.rjust(width)
    else:
        sign, digits = shown_number(letter, number(take("")), flags, precision)
        if "-" in flags:
            text = (sign + digits).ljust(width).encode()
        elif "0" in flags and precision < 0:
            text = (sign + digits.rjust(width - len(sign), "0")).encode()
        else:
            text = (sign + digits).rjust(width).encode()
    S["out"] += text
    if ended:
        leave()
    return i + 1


def once(form):
    i = 0
    while i < len(form):
        if form[i] == "%":
            i = conversion(form, i)
        elif form[i] == "\\":
            part, i = escape(form, i, False)
            if part is None:
                leave()
            S["out"] += part
        else:
            S["out"] += form[i].encode("utf-8", "replace")
            i += 1


def main():
    words = sys.argv[1:]
    if words[:1] == ["--"]:
        words = words[1:]
    if not words:
        sys.stderr.write("printf: missing operand\nTry 'printf --help' for more information.\n")
        sys.exit(1)
    S["words"] = words[1:]
    once(words[0])
    while S["words"] and S["used"]:
        once(words[0])
    if S["words"]:
        flush()
        sys.stderr.write(
            f"printf: warning: ignoring excess arguments, starting with ‘{S['words'][0]}’\n"
        )
    leave()


if __name__ == "__main__":
    main()
