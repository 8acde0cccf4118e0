import os

s = {3, 1, 2}
print(s, {100, 7, 8, 64, 16, 0}, set([5, 40, 8, 16]), {x * 8 % 37 for x in range(12)})
for x in {9, 1, 17, 33, 2}:
    print(x, end=" ")
print()
a = {1, 9, 17, 25}
a.discard(9)
a.add(33)
if os.fork() == 0:
    a.add(41)
    print(a, list(a), a.pop(), a)
    os._exit(0)
os.wait()
a.add(49)
print(a)
b, c, d = {1, 2, 3}
print(b, c, d, {1.5, 2.5, 100, -1, -2}, set(), {(1, 2), (3, 4), 5})
t = set()
t.add("x")
print(t, len(t), "x" in t, "y" in t, {1} in t, t == {"x"}, t != {"x"}, t < {"x", "y"})
print(sum({1, 2, 3}), max({1, 5}), sorted({3, 2}), isinstance(t, set), bool(set()), not t)
t = {1}
t |= {1, 2}
t -= {1}
t.add(1)
print(t, {1, 2} - {1}, {1, 2} ^ {2, 3}, {1, 2} & {2}, {1, 2} | {7})
print(",".join({"q"}), str(ValueError({1, 8, 0})), repr([{4, 1}]), f"{ {2, 1} }", "%s" % ({5, 4},))
try:
    for x in a:
        a.add(x + 1000)
except RuntimeError as e:
    print(e)
try:
    {1} + 1
except TypeError as e:
    print(e)
try:
    {[]}
except TypeError as e:
    print(e)
try:
    {t: 1}
except TypeError as e:
    print(e)
try:
    t[0]
except TypeError as e:
    print(e)
try:
    {1} | [2]
except TypeError as e:
    print(e)
try:
    {1} < 2
except TypeError as e:
    print(e)
try:
    set().pop()
except KeyError as e:
    print(e)
try:
    {1}.remove(2)
except KeyError as e:
    print(e)
try:
    a.join("x")
except AttributeError as e:
    print(e)
print({1, 2}.union([5, 3], (9,)), {1, 2, 3}.difference([1]), {1}.isdisjoint({2}), {1} <= {1, 2})
print({1 // 0 for x in [1]})
