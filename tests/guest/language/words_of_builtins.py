"""Arguments of builtins given by their names."""


def shown(function, *args, **words):
    try:
        print(function(*args, **words))
    except (TypeError, ValueError) as error:
        print(type(error) is TypeError, error)


print(int("7", base=8), int("0x1f", base=0), round(2.55, ndigits=1), sum([1], start=3))
print(str(b"x", encoding="utf-8"), str(b"y", errors="strict"), repr(str(errors="strict")))
print(bytes("x", encoding="ascii"), bytearray("y", encoding="ascii", errors="strict"))
print(max([], default=3), min([], default=None), max([4, 5], default=3), min((7, 6), default=3))
print(sorted([1, 2], reverse=True), list(enumerate("a", start=2)))
shown(int, base=8)
shown(int, 3, base=8)
shown(int, "9", base=8)
shown(bytes, 3, encoding="ascii")
shown(bytes, "x", errors="strict")
shown(bytearray, b"x", encoding="ascii")
shown(max, 1, 2, default=3)
shown(min, [])
try:
    print(int(7, base=8))
except TypeError as error:
    print(error)
try:
    print(bytes(7, encoding="ascii"), bytes(encoding="ascii"))
except TypeError as error:
    print(error)
print(dict(a=1, b=2), dict([("x", 1)], y=2), dict({"q": 1}, q=3), dict(**{"k": 4}), dict(dict=1))
shown(dict, {}, {}, a=1)
print(pow(2, 3), pow(2, 3, 5), pow(2, 3, mod=5), pow(3, -1, 7), pow(10**30, 10**20, 10**9 + 7))
shown(pow, 2, 3, 0)
shown(pow, 2, -1, 4)
shown(pow, 2.5, 2, 3)
