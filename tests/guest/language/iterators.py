"""Generators, generator expressions, comprehensions that call, map, filter, keys of sorted."""

import os
import threading
import time


def numbers(n, label):
    print("begin", label)
    for i in range(n):
        yield i
        time.sleep(0.001)
    print("end", label)


def pairs():
    try:
        yield 1, "a"
        yield 2, "b"
    except ValueError:
        print("never")
    print("end of pairs")


def nested(depth):
    if depth:
        yield depth
        yield from nested(depth - 1)


def status(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def child(code):
    pid = os.fork()
    if pid == 0:
        os._exit(code)
    return pid


def over_fork():
    source = numbers(4, "fork")
    print(next(source), next(source))
    pid = os.fork()
    if pid == 0:
        os._exit(sum(source) + 20)
    print(status(pid), list(source), next(source, "none"))
    try:
        next(source)
    except StopIteration as e:
        print("stop", e.args)


def in_threads():
    out = []

    def work(name):
        out.extend(x * 2 for x in numbers(3, name))

    threads = [threading.Thread(target=work, args=(name,)) for name in ("t",)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(out)


def comprehensions():
    pids = [child(k) for k in range(3)]
    print([status(p) for p in pids])
    print({k: status(child(k)) for k in (5, 6)}, {status(child(1)) for _ in range(2)})
    print([(x, y) for x in range(3) if x for y in numbers(2, "inner") if y < x])
    print(sum(status(child(k)) for k in range(4)))
    print(any(status(child(k)) for k in (0, 1, 2)), all(status(child(k)) == 0 for k in (0, 1)))
    print(" ".join(str(status(child(k))) for k in (1, 2)), [x := 3, x + 1])
    total = 0
    print([total := total + v for v in range(4)], total)


def keys():
    words = ["pear", "fig", "apple", "kiwi"]
    print(sorted(words, key=len), sorted(words, key=lambda w: (-len(w), w)))
    print(sorted(words, key=len, reverse=True), max(words, key=len), min(words, key=len))
    words.sort(key=lambda w: w[-1])
    print(words, max([], key=len, default="none"), sorted(words, key=None))
    print(sorted(words, key=str.upper), str.upper("x"), min(3, 1, 2, key=lambda x: -x))
    table = {"a": 3, "b": 1}
    print(sorted(table.items(), key=lambda item: item[1]), sorted(table, key=table.get))
    try:
        max([], key=len)
    except ValueError as e:
        print(e)
    try:
        sorted([1, "a"], key=lambda x: x)
    except TypeError as e:
        print(e)


def builtins():
    print(list(map(int, "1 2 3".split())), list(map(lambda a, b: a + b, [1, 2], (3, 4, 5))))
    print(list(filter(lambda x: x % 2, range(5))), list(filter(None, [0, 1, "", "x"])))
    a, b = map(str, (1, 2))
    print(a + b, dict(zip("ab", numbers(2, "zip"))), list(enumerate(pairs(), 1)))
    print([*map(abs, [-1, 2])], (*range(2), *"xy"), {**{"k": 1}, "l": 2}, [*zip("ab", [1, 2])])
    print(list(reversed([1, 2, 3])), list(iter("abc")), list(nested(3)), 2 in nested(3))
    it = iter([1, 2, 3])
    for x in it:
        print("it", x, next(it, None))
    for i, (n, s) in enumerate(pairs(), start=10):
        print(i, n, s)
    print(max(numbers(3, "max")), sorted(numbers(2, "sorted"), reverse=True), tuple(nested(2)))
    for f in (len, abs, str, bool, list, os.getpid, print):
        print(callable(f), f is not None)
    print(list(map(type, [1, "a", None, 1.5, b"", [], {}, len, ValueError("x")])))
    print(*[1, 2, 3], sep="-", end="!\n")
    print(*numbers(2, "star"))


def early_end():
    for x in numbers(5, "left"):
        if x == 1:
            break
    else:
        print("never")
    try:
        for n, s in pairs():
            raise KeyError(n)
    except KeyError as e:
        print("key", e)
    print([next(g) for g in [nested(2)] for _ in range(2)])


def errors():
    def bad():
        yield 1
        raise ValueError("inside")

    try:
        print(list(bad()))
    except ValueError as e:
        print(e)
    for thunk in (
        lambda: list(map(int, 5)),
        lambda: next([1]),
        lambda: [*5],
        lambda: (x for x in 5),
    ):
        try:
            thunk()
        except TypeError as e:
            print(e)
    source = (1 // x for x in (1, 0))
    print(next(source))
    next(source)


if __name__ == "__main__":
    over_fork()
    in_threads()
    comprehensions()
    keys()
    builtins()
    early_end()
    errors()
