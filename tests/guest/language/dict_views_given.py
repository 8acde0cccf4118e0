"""Views of a dict as arguments, where CPython takes any iterable, and where it does not."""

import math
import os
import random
import select
import signal
import sys
import threading

d = {0: 1, 1: 2}
k, v, i = d.keys(), d.values(), d.items()
os.sched_setaffinity(0, {0: 1}.keys())
print(os.sched_getaffinity(0))
print(
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1: 1}.keys()),
    signal.pthread_sigmask(signal.SIG_BLOCK, []),
)
print(math.fsum(v), math.prod(v), sum(v, 5), bytes(v), bytearray(k))
sys.stdout.writelines({"x\n": 1}.keys())
sys.stdout.flush()
print(
    set().union(k),
    {0}.issubset(k),
    {0, 1, 2}.difference(v),
    {0}.issuperset(k),
    {0, 1, 5}.intersection(k),
    {0}.symmetric_difference(k),
    {9}.isdisjoint(v),
)
s = {7}
s.update(k, v)
print(s)
l = [9]
l += k
l.extend(v)
l[1:1] = v
l[:0] = i
print(l)
print(dict(zip(k, v)), 3, [*zip(i, k)])


def gen():
    yield from k
    yield from i


print(list(gen()), [x for x in v if x], {x for x in k}, any(x for x in v))
t = threading.Thread(target=lambda *a: print("thread", a), args=tuple(v))
t.start()
t.join()
print(select.select({}.keys(), set(), range(0), 0))
try:
    select.select(3, [], [], 0)
except TypeError as error:
    print(error)
try:
    os.execv("/bin/true", {"a": 1}.keys())
except TypeError as error:
    print(error)
try:
    random.choice(k)
except TypeError as error:
    print(error)
try:
    random.sample(k, 1)
except TypeError as error:
    print(error)
print("%s %s" % tuple(k), "{0} {1}".format(*v), ", ".join({"p": 1, "q": 2}.keys()))
print(len(k) == len(v), k == {0, 1}, list(filter(None, v)), list(map(lambda a, b: a + b, k, v)))
print(isinstance(k, (list, dict)), bool(k and v), k if k else 0, k is k, k is d.keys())
for n, (a, b) in enumerate(i):
    print(n, a, b)
x, y = v
(p, q), r = i
print(x, y, p, q, r)
assert k, "empty"
print(
    sorted(i, reverse=True),
    sorted(v, key=lambda z: -z),
    max(i, key=lambda z: z[1]),
    min({}.keys(), default=3),
)
while d.keys():
    d.popitem()
print(k, v, i)
try:
    a, b = k
except ValueError as error:
    print(error)
print(iter([]) is not None, list(reversed(k)))
try:
    raise ValueError(k, v)
except ValueError as error:
    print(error, repr(error), error.args)
print({"k": k}.get("k"), [k].index(k), [k].count(set()), k in [k], k in [[1], {5}])
