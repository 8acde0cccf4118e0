import os
import sys

LIMIT = 12


def classify(n, *, big=100):
    if n < 0:
        return "negative"
    elif n == 0:
        return "zero"
    elif n > big:
        os.getpid()
        return "big"
    return "small"


def loops():
    for i in range(3):
        for j in range(3):
            if j == i:
                continue
            if i == 2:
                break
            print(i, j)
        else:
            print("inner done", i)
    else:
        print("outer done")
    n = 0
    while n < LIMIT:
        n += 1
        if n % 2:
            continue
        if n > 8:
            break
        os.getpid()
    else:
        print("not reached")
    print("n", n)
    while n:
        n -= 1
    else:
        print("ran out", n)
    total = 0
    for i in range(1000):
        total += i
        if total > 100000:
            break
    print(i, total)


def tries(x):
    try:
        try:
            print("try", x)
            if x == 0:
                return "returned"
            if x == 1:
                raise ValueError("one")
            if x == 2:
                raise KeyError("two")
            if x == 3:
                1 // 0
            os.getpid()
        except ValueError as e:
            print("value", e, e.args)
            return "from handler"
        except (KeyError, IndexError) as e:
            print("key", e)
            raise RuntimeError("from key") from e
        else:
            print("else")
        finally:
            print("finally", x)
    except RuntimeError as e:
        print("outer", e)
    except Exception:
        print("bare")
        try:
            raise
        except ZeroDivisionError as again:
            print("again", again)
    return "end"


def breaks():
    for i in range(5):
        try:
            if i == 1:
                continue
            if i == 3:
                break
            print("body", i)
        finally:
            print("cleanup", i)
    while True:
        try:
            os.getpid()
            raise IndexError(3)
        except IndexError as e:
            print("leave", e)
            break
        finally:
            print("fin")


def override():
    try:
        return "first"
    finally:
        return "second"


def chain(a, b):
    return a < b < 10 and not a == b or a is None


def spread(a, b=2, c=3):
    return (a, b, c)


def deep(n):
    if n == 0:
        return 0
    return 1 + deep(n - 1)


if __name__ == "__main__":
    print(classify(-1), classify(0), classify(5), classify(500), classify(50, big=10))
    loops()
    for x in range(5):
        print(tries(x))
    breaks()
    print(override())
    print(chain(1, 2), chain(5, 5), chain(None, 3) if False else "skipped")
    print(spread(1), spread(1, c=9), spread(c=1, b=2, a=3))
    print(deep(300))
    a, (b, c) = 1, (2, [3])
    a, b = b, a
    print(a, b, c)
    x = y = [1]
    x += [2]
    print(y, x is y)
    print(os.getpid() > 0 and os.getpid() > 0 or "no", 1 if os.getpid() else 2)
    print(0 < os.getpid() < 10**9 < 10**10)
    del a
    try:
        print(a)
    except Exception as e:
        print("gone", e)
    assert b == 1, "fine"
    try:
        assert b == 2, f"b is {b}"
    except AssertionError as e:
        print(repr(e))
    sys.exit(7)
