"""``echo [-neE] [STRING]...``: write the strings, with blanks between, to standard output.

As GNU's: -n leaves the newline out, -e interprets backslash escapes (a b c e f n r t v, 0 and up
to three octal digits, x and up to two hexadecimal ones), -E (the default) does not. An argument
not made of these letters ends the options.
"""

import os
import sys

PLAIN = {
    "\\": 92,
    "a": 7,
    "b": 8,
    "e": 27,
    "f": 12,
    "n": 10,
    "r": 13,
    "t": 9,
    "v": 11,
}


def is_options(text):
    if len(text) < 2 or text[0] != "-":
        return False
    return not text[1:].strip("neE")


def number(text, start, most, digits):
    # The number that begins at start, of at most so many digits: (value, end).
    end = start
    while end < len(text) and end - start < most and text[end] in digits:
        end += 1
    if end == start:
        return -1, end
    return int(text[start:end], 16 if len(digits) > 8 else 8) % 256, end


def interpret(text):
    # (bytes, whether \c ended the output)
    out = bytearray()
    index = 0
    while index < len(text):
        letter = text[index]
        index += 1
        if letter != "\\" or index == len(text):
            out += letter.encode("utf-8")
            continue
        letter = text[index]
        index += 1
        if letter == "c":
            return bytes(out), True
        if letter in PLAIN:
            out.append(PLAIN[letter])
            continue
        value = -1
        end = index
        if letter == "x":
            value, end = number(text, index, 2, "0123456789abcdefABCDEF")
        elif letter == "0":
            value, end = number(text, index, 3, "01234567")
            value = max(value, 0)
        elif letter in "1234567":
            value, end = number(text, index - 1, 3, "01234567")
        if value < 0:
            out += b"\\" + letter.encode("utf-8")
        else:
            out.append(value)
            index = end
    return bytes(out), False


def main():
    newline = True
    escapes = False
    words = sys.argv[1:]
    while words and is_options(words[0]):
        for letter in words[0][1:]:
            if letter == "n":
                newline = False
            else:
                escapes = letter == "e"
        words = words[1:]
    text = " ".join(words)
    ended = False
    if escapes:
        data, ended = interpret(text)
    else:
        data = text.encode("utf-8")
    if newline and not ended:
        data += b"\n"
    try:
        while data:
            data = data[os.write(1, data) :]
    except OSError as error:
        sys.stderr.write(f"echo: write error: {error.strerror}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
