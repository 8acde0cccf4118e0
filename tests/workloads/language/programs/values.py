import errno
import os
import sys

words = ["pear", "fig", "apple"]
counts = {}
state = {"n": 0}


def bump(by=1, log=[]):
    global words
    state["n"] += by
    words = words + ["x"]
    log.append(by)
    return log


def apply(f, x):
    return f(x)


def double(x):
    return x * 2


for w in words:
    for ch in w:
        counts[ch] = counts.get(ch, 0) + 1
print(sorted(counts.items()))
print(sorted(words), sorted(words, reverse=True), [w.upper() for w in words if "p" in w])
print({w: len(w) for w in words}, len({w[0] for w in words}))
print([(i, w) for i, w in enumerate(words, 1)], list(zip(words, range(2))))
for i, (w, n) in enumerate(zip(words, [1, 2, 3])):
    print(i, w, n, end=";")
print()
for k, v in {"a": 1, "b": 2}.items():
    print(k, v, os.getpid() > 0)
for w in reversed(words):
    print(w, end=" ")
print()
print(bump(), bump(5), bump(by=2), state, len(words))
print(apply(double, 21), apply(double, "ab"))
print(f"{3.14159:.2f}|{42:>6}|{42:<6}|{255:#x}|{'s'!r:>5}|{1e10:g}|{state['n']:03d}")
width = 8
print(f"{'mid':^{width}}|{{}}")
print("%d %s %5.1f %r %x %%" % (1, "two", 3.0, "four", 255))
print("%-5s|%05d" % ("ab", 42), "%s" % [1, 2])
print("a,b,,c".split(","), " x ".strip(), "-".join(["a", "b"]), "abc".replace("b", "BB"))
print("abc"[1:], "abc"[::-1], "abc"[-1], [1, 2, 3, 4][1:3], (1, 2, 3)[:2])
print(
    "ab" * 3,
    [0] * 3,
    2**10,
    7 // 2,
    -7 // 2,
    7 % 3,
    -7 % 3,
    1 << 5,
    255 >> 4,
    6 & 3,
    6 | 1,
    6 ^ 2,
    ~5,
)
print(7 / 2, 1e3, 2**0.5, abs(-3), min(3, 1, 2), max([4, 9, 2]), sum([1, 2, 3]), sum(range(5), 10))
print(
    divmod(17, 5),
    ord("a"),
    chr(98),
    hex(255),
    any([0, 1]),
    all([]),
    bool([]),
    int("12"),
    int("ff", 16),
)
print(
    float("1.5"), str(1.0), repr("q'\"\n"), list("abc"), tuple([1, 2]), dict([("a", 1)]), len("héé")
)
print(
    bytes([65, 66]), bytearray(b"xy"), b"ab" + b"cd", b"abc"[0], "é".encode(), b"\xc3\xa9".decode()
)
print(isinstance(1, int), isinstance("a", (int, str)), isinstance(True, int), isinstance([], dict))
data = bytearray(4)
data[1] = 255
data[2:4] = b"zz"
print(data, data[1], list(data))
items = [5, 3, 9]
items.append(1)
items.sort()
items.insert(0, 7)
print(items, items.pop(), items.index(5), items.count(3))
items[1:2] = [10, 11, 12]
del items[0]
del items[-1:]
print(items, 10 in items, 99 not in items)
d = {"x": [1], "y": {}}
d["x"].append(2)
d.setdefault("z", []).append(3)
d["y"]["k"] = None
print(d, d.get("q"), d.pop("z"), "x" in d, list(d), list(d.values()), sorted(d.keys()))
s = {1, 2}
s.add(3)
s |= {4}
print(len(s), sorted(s - {1}), s == {1, 2, 3, 4}, 2 in s, sorted(s & {2, 9}))
print(
    errno.ENOENT,
    errno.EAGAIN,
    os.devnull,
    os.path.basename("/a/b.py"),
    os.path.join("a", "b", "/c", "d"),
)
print(
    os.environ.get("HOME"),
    os.environ["HOME"],
    os.getenv("NOPE"),
    os.getenv("NOPE", "d"),
    "HOME" in os.environ,
)
print(sys.argv[1:], None, True, 1 == 1.0, "a" < "b", [1, 2] < [1, 3], (1,) == (1,), None is None)
print(0x7FFFFFFFFFFFFFFF + 1, 10**30, -(2**70), 3 * 10**20)
nested = [[1, [2]], {"a": (1, [2])}]
alias = nested[0]
alias[1].append(3)
print(nested)
for e in (
    OSError(2, "No such file or directory", "/x"),
    OSError(13, "Permission denied"),
    KeyError("k"),
):
    print(e, repr(e), e.args)
try:
    os.stat("/definitely/not/here")
except FileNotFoundError as e:
    print(e, e.errno, e.strerror, e.filename)
try:
    os.close(77)
except OSError as e:
    print(e, e.errno == errno.EBADF, e.filename)
try:
    {}["missing"]
except KeyError as e:
    print("KeyError", e)
for bad in ("x", "1.5", ""):
    try:
        print(int(bad))
    except ValueError as e:
        print(e)
for i in range(3, 0, -1):
    print(i, end=" ")
print()
sys.stdout.write("written\n")
print(sys.stdout.write(""), file=sys.stderr)
text = ""
n = 0
while True:
    text += str(n)
    n += 1
    if len(text) > 300:
        break
print(text)
d = {1: 2}
try:
    for k in d:
        d[k + 1] = 1
except RuntimeError as e:
    print(e)
