"""Generators: what they return, yield from's value, send(), throw(), close()."""


def inner():
    got = yield 1
    print("inner got", got)
    return ("result", got)


def outer():
    value = yield from inner()
    print("outer got", value)
    nothing = yield from [10, 11]
    print("of a list", nothing)
    for key in {"k": 1}:
        yield key
    yield from zip("xy", (1, 2))
    yield from {"x": 1, "y": 2}
    return 99


def counter(start):
    n = start
    while True:
        try:
            step = yield n
        except ValueError as error:
            print("caught", error)
            step = 100
        except KeyError:
            return "done"
        n += 1 if step is None else step


def stubborn():
    while True:
        try:
            yield "still here"
        except ValueError:
            return
        except BaseException as error:
            print("ignores", type(error).__name__)


def stop_of(source):
    try:
        print("item", next(source))
    except StopIteration as stop:
        print("stop", stop.args, stop.value)


def attempt(label, call):
    try:
        print(label, call())
    except (ValueError, TypeError, RuntimeError, KeyError, StopIteration) as error:
        print(label, type(error).__name__, error)


def tuples():
    yield 0
    return (5, 6)


def main():
    print(list(outer()), [item for item in outer()])
    g = outer()
    for _ in range(8):
        stop_of(g)
    stop_of(g)
    stop_of(g)
    t = tuples()
    print(list(t))
    stop_of(t)
    t = tuples()
    next(t)
    stop_of(t)
    stop_of(t)

    c = counter(5)
    attempt("too early", lambda: c.send(3))
    print(c.send(None), next(c), c.send(10), next(c))
    print(c.throw(ValueError("a value")), c.throw(ValueError))
    attempt("thrown", lambda: c.throw(KeyError("k")))
    attempt("after", lambda: c.send(1))
    attempt("after", lambda: next(c))
    attempt("thrown late", lambda: c.throw(ValueError("late")))

    c = counter(1)
    attempt("not begun", lambda: c.throw(ValueError("early")))
    attempt("ended", lambda: next(c))
    c = counter(1)
    print(c.close(), c.close())
    c = counter(1)
    next(c)
    print(c.close(), list(c))
    s = stubborn()
    next(s)
    attempt("close", lambda: s.close())
    attempt("let go", lambda: s.throw(ValueError))
    attempt("no exception", lambda: counter(1).throw(5))
    attempt("uncaught", lambda: raising())


def raising():
    c = counter(1)
    next(c)
    return c.throw(TypeError("passes through"))


main()
