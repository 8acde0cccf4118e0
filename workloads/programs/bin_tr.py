"""``tr [-cdst] SET1 [SET2]``: translate, delete or squeeze bytes.

Sets as GNU's: ranges ``a-z``, ``[:CLASS:]``, escapes; ``[=x=]`` and ``[x*n]`` are refused.
"""

import os
import sys

PLAIN = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92}
CLASSES = {
    "digit": "0123456789",
    "lower": "abcdefghijklmnopqrstuvwxyz",
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "space": "\t\n\v\f\r ",
    "blank": "\t ",
    "xdigit": "0123456789ABCDEFabcdef",
    "punct": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
}
CLASSES["alpha"] = CLASSES["upper"] + CLASSES["lower"]
CLASSES["alnum"] = CLASSES["digit"] + CLASSES["alpha"]


def fail(text, hint):
    sys.stderr.write(f"tr: {text}\n")
    if hint:
        sys.stderr.write("Try 'tr --help' for more information.\n")
    sys.exit(1)


def members(text):
    # the bytes of a set, in order
    data = text.encode("utf-8", "replace")
    text = data.decode("latin-1")
    items = []
    i = 0
    while i < len(text):
        if text[i : i + 2] == "[:" and ":]" in text[i + 2 :]:
            end = text.index(":]", i + 2)
            if text[i + 2 : end] not in CLASSES:
                fail(f"invalid character class ‘{text[i + 2 : end]}’", False)
            items += [ord(letter) for letter in CLASSES[text[i + 2 : end]]]
            i = end + 2
            continue
        if text[i : i + 2] == "[=" or (text[i] == "[" and text[i + 2 : i + 3] == "*"):
            fail(f"{text[i : i + 3]} in a set is not emulated", False)
        value, i = letter_at(text, i)
        if text[i : i + 1] == "-" and i + 1 < len(text):
            last, after = letter_at(text, i + 1)
            if last < value:
                fail(
                    f"range-endpoints of '{chr(value)}-{chr(last)}' are in reverse collating"
                    " sequence order",
                    False,
                )
            items += list(range(value, last + 1))
            i = after
        else:
            items.append(value)
    return items


def letter_at(text, i):
    if text[i] != "\\" or i + 1 >= len(text):
        return ord(text[i]), i + 1
    letter = text[i + 1]
    end = i + 1
    while end < len(text) and end - i < 4 and text[end] in "01234567":
        end += 1
    if end > i + 1:
        return int(text[i + 1 : end], 8) % 256, end
    return PLAIN.get(letter, ord(letter)), i + 2


def main():
    words = sys.argv[1:]
    letters = ""
    while words and words[0].startswith("-") and len(words[0]) > 1:
        word = words.pop(0)
        if word == "--":
            break
        letters += word[1:].replace("C", "c")
    for letter in letters:
        if letter not in "cdst":
            fail(f"invalid option -- '{letter}'", True)
    delete, squeeze = "d" in letters, "s" in letters
    if not words:
        fail("missing operand", True)
    needed = 1 if delete != squeeze else 2
    if len(words) < needed:
        why = "Two strings must be given when translating."
        if delete:
            why = "Two strings must be given when both deleting and squeezing repeats."
        fail(f"missing operand after ‘{words[0]}’\n{why}", True)
    if len(words) > (1 if delete and not squeeze else 2):
        extra = words[1 if delete and not squeeze else 2]
        why = "\nOnly one string may be given when deleting without squeezing repeats."
        fail(f"extra operand ‘{extra}’{why if delete and not squeeze else ''}", True)
    first = members(words[0])
    if "c" in letters:
        first = [value for value in range(256) if value not in first]
    second = members(words[1]) if len(words) > 1 else []
    table = list(range(256))
    if len(words) > 1 and not delete:
        if not second:
            fail("when not truncating set1, string2 must be non-empty", False)
        for place, value in enumerate(first):
            if place < len(second) or "t" not in letters:
                table[value] = second[min(place, len(second) - 1)]
    squeezed = (second or first) if squeeze else []
    once = [value in squeezed for value in range(256)]
    gone = [delete and value in first for value in range(256)]
    before = -1
    while True:
        data = os.read(0, 65536)
        if not data:
            break
        out = bytearray()
        for value in data:
            if gone[value]:
                continue
            value = table[value]
            if value == before and once[value]:
                continue
            before = value
            out.append(value)
        sys.stdout.buffer.write(bytes(out))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
