"""``grep [-EFGcilLnqsvxhH] [-m N] [-e] PATTERN [FILE]...``: the lines in which a pattern matches.

Basic (with GNU's ``\\+ \\? \\|``) and extended expressions: ``. * + ? {m,n} [ ] ( ) | ^ $``,
character classes, ``\\w \\W \\s \\S``. Back references, ``\\b \\< \\>`` and the options -A -B -C
-o -r -w -f -P are refused with status 2. Named ``egrep`` or ``fgrep`` it is -E or -F.
"""

import os
import sys

CLASSES = {
    "digit": "0123456789",
    "lower": "abcdefghijklmnopqrstuvwxyz",
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "space": " \t\n\r\f\v",
    "blank": " \t",
    "xdigit": "0123456789abcdefABCDEF",
    "punct": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
}
CLASSES["alpha"] = CLASSES["lower"] + CLASSES["upper"]
CLASSES["alnum"] = CLASSES["alpha"] + CLASSES["digit"]
WORD = CLASSES["alnum"] + "_"


def fail(text):
    sys.stdout.flush()
    sys.stderr.write(f"grep: {text}\n")
    sys.exit(2)


# ---- patterns: ("set", negated, letters, ranges), ("begin",), ("end",), ("cat", [..]),
# ---- ("alt", [..]), ("rep", node, least, most or -1) ---------------------------------------------


def bracket(text, i):
    i += 1
    negated = text[i : i + 1] == "^"
    i += negated
    letters = ""
    ranges = []
    begin = i
    while i < len(text) and (text[i] != "]" or i == begin):
        if text[i : i + 2] == "[:":
            end = text.find(":]", i)
            name = text[i + 2 : end] if end > 0 else ""
            if name not in CLASSES:
                fail("invalid character class")
            letters += CLASSES[name]
            i = end + 2
        elif text[i : i + 2] in ("[.", "[="):
            fail(f"{text[i : i + 2]} in a pattern is not emulated")
        elif text[i + 1 : i + 2] == "-" and text[i + 2 : i + 3] not in ("", "]"):
            if text[i] > text[i + 2]:
                fail("Invalid range end")
            ranges.append((text[i], text[i + 2]))
            i += 3
        else:
            letters += text[i]
            i += 1
    if i >= len(text):
        fail("Unmatched [, [^, [:, [., or [=")
    return ("set", negated, letters, ranges), i + 1


def token(p):
    # (what, its text, index after it); what is "op" or "letter"
    text, i = p["text"], p["i"]
    letter = text[i]
    if letter == "\\":
        after = text[i + 1 : i + 2]
        if not after:
            fail("Trailing backslash")
        if after in "123456789bB<>`'":
            fail(f"\\{after} in a pattern is not emulated")
        if not p["extended"] and after in "(){}|+?":
            return "op", after, i + 2
        return ("escape" if after in "wWsS" else "letter"), after, i + 2
    if letter in "*.[":
        return "op", letter, i + 1
    if letter == "^":
        first = i == 0 or text[i - 2 : i] in ("\\(", "\\|")
        return "op" if p["extended"] or first else "letter", letter, i + 1
    if letter == "$":
        last = i == len(text) - 1 or text[i + 1 : i + 3] in ("\\)", "\\|")
        return "op" if p["extended"] or last else "letter", letter, i + 1
    return ("op" if p["extended"] and letter in "(){|+?" else "letter"), letter, i + 1


def parse_alt(p, depth):
    branches = [parse_cat(p, depth)]
    while p["i"] < len(p["text"]) and token(p)[:2] == ("op", "|"):
        p["i"] = token(p)[2]
        branches.append(parse_cat(p, depth))
    return branches[0] if len(branches) == 1 else ("alt", branches)


def parse_cat(p, depth):
    items = []
    while p["i"] < len(p["text"]):
        what, letter, after = token(p)
        if what == "op" and (letter == "|" or (letter == ")" and depth)):
            break
        p["i"] = after
        if what == "op" and letter == "(":
            node = parse_alt(p, depth + 1)
            if p["i"] >= len(p["text"]):
                fail("Unmatched ( or \\(")
            p["i"] = token(p)[2]
        elif what == "op" and letter == ")":
            if not p["extended"]:
                fail("Unmatched ) or \\)")
            node = ("set", False, ")", [])
        elif what == "op" and letter == "[":
            node, p["i"] = bracket(p["text"], after - 1)
        elif what == "op" and letter in "^$":
            node = ("begin",) if letter == "^" else ("end",)
        elif what == "op" and letter == ".":
            node = ("set", True, "", [])
        elif what == "escape":
            node = ("set", letter.isupper(), WORD if letter in "wW" else CLASSES["space"], [])
        elif what == "op" and letter in "*+?" and p["extended"] and not items:
            continue
        else:
            node = ("set", False, letter, [])
        items.append(repeated(p, node))
    return ("cat", items)


def repeated(p, node):
    while p["i"] < len(p["text"]):
        what, letter, after = token(p)
        if what != "op" or letter not in "*+?{":
            break
        if node[0] == "begin" and not p["extended"]:
            break
        least, most = {"*": (0, -1), "+": (1, -1), "?": (0, 1), "{": (0, 0)}[letter]
        if letter == "{":
            end = p["text"].find("}" if p["extended"] else "\\}", after)
            low, comma, high = p["text"][after:end].partition(",") if end > 0 else ("x", "", "")
            if not (low or comma) or (low + high).strip("0123456789"):
                if p["extended"]:
                    break
                fail("Invalid content of \\{\\}" if end > 0 else "Unmatched \\{")
            least = int(low or "0")
            most = (int(high) if high else -1) if comma else least
            if most > 32767 or least > 32767 or (most >= 0 and least > most):
                fail("Regular expression too big" if most <= 32767 else "Invalid content of \\{\\}")
            after = end + (1 if p["extended"] else 2)
        p["i"] = after
        node = ("rep", node, least, most)
    return node


def has(node, letter):
    found = letter in node[2]
    for low, high in node[3]:
        found = found or low <= letter <= high
    return found != node[1]


def ends(node, text, places):
    # where a match that begins at one of the places may end
    kind = node[0]
    if kind == "set":
        return [i + 1 for i in places if i < len(text) and has(node, text[i])]
    if kind == "begin":
        return [i for i in places if i == 0]
    if kind == "end":
        return [i for i in places if i == len(text)]
    if kind == "cat":
        for item in node[1]:
            places = ends(item, text, places)
            if not places:
                break
        return places
    if kind == "alt":
        found = {}
        for item in node[1]:
            for i in ends(item, text, places):
                found[i] = True
        return sorted(found)
    found = {}
    times = 0
    while True:
        if times >= node[2]:
            places = [i for i in places if i not in found]
            for i in places:
                found[i] = True
        if not places or times == node[3]:
            break
        places = ends(node[1], text, places)
        times += 1
    return sorted(found)


def compiled(pattern, letters):
    if "i" in letters:
        pattern = pattern.lower()
    plain = "F" in letters
    if not plain:
        plain = True
        for letter in ".*[]^$\\" + ("+?(){}|" if "E" in letters else ""):
            plain = plain and letter not in pattern
    if plain:
        return pattern
    p = {"text": pattern, "i": 0, "extended": "E" in letters}
    return parse_alt(p, 0)


def matches(pattern, line, whole):
    if type(pattern) is str:
        return pattern == line if whole else pattern in line
    if whole:
        return len(line) in ends(pattern, line, [0])
    return bool(ends(pattern, line, list(range(len(line) + 1))))


# ---- the command --------------------------------------------------------------------------------


def usage():
    sys.stderr.write("Usage: grep [OPTION]... PATTERNS [FILE]...\n")
    sys.stderr.write("Try 'grep --help' for more information.\n")
    sys.exit(2)


def options(words):
    o = {"letters": "", "patterns": [], "files": [], "most": -1}
    while words:
        word = words.pop(0)
        if word == "--":
            o["files"] += words
            break
        if not word.startswith("-") or word == "-":
            o["files"].append(word)
            continue
        if word in ("--color=auto", "--color=never", "--line-buffered"):
            continue
        if word.startswith("--"):
            fail(f"the option {word} is not emulated")
        for place, letter in enumerate(word[1:], 2):
            if letter in "em":
                value = word[place:]
                if not value:
                    if not words:
                        sys.stderr.write(f"grep: option requires an argument -- '{letter}'\n")
                        usage()
                    value = words.pop(0)
                if letter == "e":
                    o["patterns"] += value.split("\n")
                elif value.isdecimal():
                    o["most"] = int(value)
                else:
                    fail("invalid max count")
                break
            if letter in "ABCorRwfPazZbTUuydD":
                fail(f"the option -{letter} is not emulated")
            if letter not in "EFGcilLnqsvxhH":
                sys.stderr.write(f"grep: invalid option -- '{letter}'\n")
                usage()
            o["letters"] += letter
    if not o["patterns"]:
        if not o["files"]:
            usage()
        o["patterns"] = o["files"].pop(0).split("\n")
    return o


def search(o, patterns, name, named):
    # how many lines of a file are selected
    letters = o["letters"]
    count = number = 0
    file = sys.stdin.buffer if name == "-" else open(name, "rb")
    shown = "(standard input)" if name == "-" else name
    quiet = bool(set("cqlL") & set(letters))
    while count != o["most"]:
        line = file.readline()
        if not line:
            break
        number += 1
        line = line.rstrip(b"\n")
        text = line.decode("utf-8", "replace")
        text = text.lower() if "i" in letters else text
        found = False
        for pattern in patterns:
            found = found or matches(pattern, text, "x" in letters)
        if found == ("v" in letters):
            continue
        count += 1
        if "q" in letters:
            sys.exit(0)
        if not quiet:
            head = f"{shown}:" if named else ""
            place = f"{number}:" if "n" in letters else ""
            sys.stdout.buffer.write((head + place).encode("utf-8", "replace") + line + b"\n")
    if "l" in letters or "L" in letters:
        if (count > 0) == ("l" in letters):
            sys.stdout.buffer.write(f"{shown}\n".encode())
    elif "c" in letters:
        sys.stdout.buffer.write((f"{shown}:{count}\n" if named else f"{count}\n").encode())
    return count


def main():
    o = options(sys.argv[1:])
    called = os.path.basename(sys.argv[0])
    letters = o["letters"] + {"egrep": "E", "fgrep": "F"}.get(called, "")
    patterns = [compiled(pattern, letters) for pattern in o["patterns"]]
    named = ("H" in letters or len(o["files"]) > 1) and "h" not in letters
    code = 1
    bad = False
    for name in o["files"] or ["-"]:
        try:
            if search(o, patterns, name, named):
                code = 0
        except OSError as error:
            bad = True
            if "s" not in letters:
                sys.stdout.flush()
                what = ": " + error.strerror
                if error.errno == 21:
                    sys.stderr.write(f"grep: {name}: Is a directory\n")
                else:
                    sys.stderr.write(f"grep: {name}{what}\n")
    sys.stdout.flush()
    sys.exit(2 if bad else code)


if __name__ == "__main__":
    main()
