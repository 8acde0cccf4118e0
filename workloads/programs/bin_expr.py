"""``expr EXPRESSION``: ``| & < <= = == != >= > + - * / %``, ``length substr index``, parentheses.

Exits 0 for a result that is neither null nor 0, 1 otherwise, 2 for a malformed expression. ``:``
and ``match`` are refused.
"""

import sys

LEVELS = [["|"], ["&"], ["<", "<=", "=", "==", "!=", ">=", ">"], ["+", "-"], ["*", "/", "%"]]
p = {"words": sys.argv[1:], "i": 0}


def fail(text):
    sys.stderr.write(f"expr: {text}\n")
    sys.exit(2)


def more():
    return p["i"] < len(p["words"])


def take():
    if not more():
        fail(f"syntax error: missing argument after ‘{p['words'][p['i'] - 1]}’")
    p["i"] += 1
    return p["words"][p["i"] - 1]


def is_number(text):
    digits = text[1:] if text.startswith("-") else text
    return digits.isdecimal() and digits.isascii()


def number(text):
    if not is_number(text):
        fail("non-integer argument")
    return int(text)


def is_null(text):
    return text == "" or (is_number(text) and int(text) == 0)


def primary():
    word = take()
    if word == "(":
        value = level(0)
        if not more():
            fail(f"syntax error: expecting ')' after ‘{p['words'][p['i'] - 1]}’")
        if take() != ")":
            fail(f"syntax error: expecting ')' instead of ‘{p['words'][p['i'] - 1]}’")
        return value
    if word == ")":
        fail("syntax error: unexpected ')'")
    if word == "match":
        fail("match is not emulated")
    if word == "+":
        return take()
    if word == "length":
        return str(len(primary()))
    if word == "index":
        text, letters = primary(), primary()
        for place, letter in enumerate(text, 1):
            if letter in letters:
                return str(place)
        return "0"
    if word == "substr":
        text, begin, size = primary(), primary(), primary()
        if not is_number(begin) or not is_number(size) or int(begin) < 1 or int(size) < 1:
            return ""
        return text[int(begin) - 1 : int(begin) - 1 + int(size)]
    return word


def compare(operator, left, right):
    a, b = left, right
    if is_number(left) and is_number(right):
        a, b = int(left), int(right)
    return {
        "<": a < b,
        "<=": a <= b,
        "=": a == b,
        "==": a == b,
        "!=": a != b,
        ">=": a >= b,
        ">": a > b,
    }[operator]


def apply(operator, left, right):
    if operator == "|":
        return right if is_null(left) and not is_null(right) else "0" if is_null(left) else left
    if operator == "&":
        return "0" if is_null(left) or is_null(right) else left
    if operator in LEVELS[2]:
        return str(int(compare(operator, left, right)))
    a, b = number(left), number(right)
    if operator in "/%" and b == 0:
        fail("division by zero")
    if operator in "/%":
        quotient = abs(a) // abs(b)
        if (a < 0) != (b < 0):
            quotient = -quotient
        return str(quotient if operator == "/" else a - quotient * b)
    return str({"+": a + b, "-": a - b, "*": a * b}[operator])


def level(depth):
    if depth == len(LEVELS):
        value = primary()
        if more() and p["words"][p["i"]] == ":":
            fail(": is not emulated")
        return value
    left = level(depth + 1)
    while more() and p["words"][p["i"]] in LEVELS[depth]:
        operator = take()
        left = apply(operator, left, level(depth + 1))
    return left


if p["words"][:1] == ["--"]:
    p["words"] = p["words"][1:]
if not p["words"]:
    sys.stderr.write("expr: missing operand\nTry 'expr --help' for more information.\n")
    sys.exit(2)
result = level(0)
if more():
    fail(f"syntax error: unexpected argument ‘{p['words'][p['i']]}’")
print(result)
sys.exit(1 if is_null(result) else 0)
