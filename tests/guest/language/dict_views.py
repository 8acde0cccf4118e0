"""Views of a dict as values: they show it as it is, compare and combine as sets do, and fork."""

import os

d = {"a": 1, "b": 2, "c": 3}
k = d.keys()
v = d.values()
i = d.items()
print(k, v, i)
print(len(k), len(v), len(i))
d["d"] = 4
print(k, list(v), sorted(i))
print("a" in k, "z" in k, 4 in v, ("a", 1) in i, ("a", 2) in i)
print(k == {"a", "b", "c", "d"}, k == d.keys(), i == d.items(), v == d.values(), v == v)
print(k != {"a"}, {"a", "b", "c", "d"} == k, k == ["a"], k == 3)
print(sorted(k & {"a", "z"}), sorted(k | {"z"}), sorted(k - {"a"}), sorted(k ^ {"a", "q"}))
print(sorted(k & ["a", "b"]), sorted(["a", "q"] - k), sorted({"a", "q"} - k), sorted({"q"} | k))
print(sorted(i & {("a", 1)}), k.isdisjoint({"x"}), k.isdisjoint(["a"]))
print(k >= {"a"}, k > {"a", "b", "c", "d"}, k <= {"a", "b", "c", "d", "e"}, k < k)
e = {"x": 1}
try:
    for key in e.keys():
        e[key + "y"] = 2
except RuntimeError as error:
    print(error)
e = {"x": 1, "y": 2}
kept = e.keys()
try:
    for key in kept:
        del e[key]
except RuntimeError as error:
    print(error, kept)
both = e.items()
try:
    for key, value in both:
        e.pop(key)
        e["n"] = 1
        e["m"] = 1
except RuntimeError as error:
    print(error, both)
print(list(reversed(d)), list(reversed(k)), list(reversed(v)), list(reversed(i)))
print(type(k), type(v), type(i), type(k) == type(d.keys()), type(k).__name__)
print(isinstance(k, dict), isinstance(k, set))
for what in (
    lambda: {k: 1},
    lambda: k[0],
    lambda: k < 3,
    lambda: v < v,
    lambda: v | {1},
    lambda: k | 3,
    lambda: k + k,
    lambda: next(k),
    lambda: [] in k,
    lambda: f"{k:>10}",
    lambda: "".join(v),
    lambda: k(),
):
    try:
        print(what())
    except TypeError as error:
        print(error)
for what in (lambda: v.isdisjoint([]), lambda: k.add(1), lambda: [].keys(), lambda: k.items()):
    try:
        what()
    except AttributeError as error:
        print(error)
print(repr(k), str(v), f"{i}", "%s" % k, "{}".format(v))
print(set(k) == k, {*k} | k == k)
print(bool(k), bool({}.keys()), not v)
it = iter(k)
print(next(it), next(it), list(it))
print(sorted(k), min(k), max(v), sum(v), tuple(k))
a, b, c, e = k
print(a, b, c, e)
print([k, v], {"k": k}, (i,))
print(any(v), all(v), dict(i), list(zip(k, v)), list(map(str, k)), list(enumerate(v)))


def f(*args, **kw):
    return args, kw


print(f(*k, *v), [*i], [x for x in k], {x: y for x, y in i}, list(x for x in v))
print({}.keys(), {}.values(), {}.items())
s = {"a"}
s |= k
print(sorted(s))
s &= k
print(sorted(s))
kk = d.keys()
kk &= {"a"}
print(kk, type(kk))
print(k.isdisjoint(k), i.isdisjoint([("a", 1)]), {}.keys().isdisjoint({}.keys()))
print(sorted(i - {("a", 1)}), sorted(i | {1: 2}.items(), key=str), sorted(i ^ d.items()))
print(
    "a" in d.keys(),
    3 in d.values(),
    len(d.items()),
    d.keys() & {"b"},
    list(d.keys() - {"b", "c"}).sort(),
)
own = {}
own["me"] = own.values()
print(own)
own["us"] = [own.keys(), own.items()]
print(own)
numbers = {8: 1, 16: 2, 1: 3, 0: 4}
n = numbers.keys()
print(
    n & {0, 1, 8, 9},
    n | {32, 5},
    n - {8},
    n ^ {1, 99},
    {0, 8, 16, 1, 7} & n,
    {0, 7} | n,
    {0, 7} ^ n,
    set(n),
)
print(n & [16, 8, 0, 5], [3, 16, 0] & n, [3, 16] | n, n & range(20), n | "a" if False else 0)
print(
    {1: 2, 3: 4}.items() | {(1, 2), (5, 6)},
    {1: 2}.items() & [(1, 2), (3, 4)],
    numbers.items() ^ {(8, 1), (3, 3)},
)
mixed = {"list": [1]}.items()
print(("list", [1]) in mixed, ("list",) in mixed, 1 in mixed, mixed == {"list": [1]}.items())
try:
    mixed | set()
except TypeError as error:
    print(error)
nan = float("nan")
odd = {"n": nan}
print(("n", nan) in odd.items(), nan in odd.values(), float("nan") in odd.values())


# a forked child's view is of the child's dict
shared = {"n": 1}
seen = [shared.keys(), shared.items(), shared]
pid = os.fork()
if not pid:
    shared["child"] = 2
    print("child", seen, seen[0] == shared.keys(), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
print("parent", seen)
shared["parent"] = 3
print(seen[0], seen[1])

# other iterables that functions with a key walk
three = {3, 1, 2}
print(
    sorted(three, key=str), min(three, key=lambda x: -x), list(map(str, three)), next(iter(three))
)
print(list(filter(None, three)), sorted(k, key=len), max(i, key=lambda pair: pair[1]))
