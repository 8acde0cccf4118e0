"""zip(strict=True) of lists, views and iterators, walked and as a value; pow() with named arguments."""


def numbers(count):
    for n in range(count):
        yield n


def walk(label, make):
    seen = []
    try:
        for pair in make():
            seen.append(pair)
    except ValueError as error:
        print(label, seen, error)
    else:
        print(label, seen)


def main():
    three = [1, 2, 3]
    two = "ab"
    table = {"x": 1, "y": 2, "z": 3}
    walk("same", lambda: zip(three, table, strict=True))
    walk("shorter", lambda: zip(three, two, strict=True))
    walk("longer", lambda: zip(two, three, strict=True))
    walk("third", lambda: zip(three, table, two, strict=True))
    walk("third longer", lambda: zip(two, (5, 6), three, strict=True))
    walk("none", lambda: zip(strict=True))
    walk("one", lambda: zip(three, strict=True))
    walk("empty", lambda: zip([], [], strict=True))
    walk("empty first", lambda: zip([], two, three, strict=True))
    walk("off", lambda: zip(three, two, strict=False))
    walk("iterators", lambda: zip(numbers(3), three, strict=True))
    walk("shorter iterator", lambda: zip(three, numbers(2), strict=True))
    walk("longer iterator", lambda: zip(numbers(1), numbers(2), strict=True))
    walk("third iterator", lambda: zip(numbers(2), two, numbers(1), strict=True))
    try:
        for a, b in zip(three, two, strict=True):
            print(a, b)
    except ValueError as error:
        print(error)
    for a, b in zip(three, numbers(3), strict=len(three) == 3):
        print(a, b, end=" ")
    print()
    try:
        print(list(zip(three, two, strict=True)))
    except ValueError as error:
        print(error)
    print(dict(zip(two, (1, 2), strict=True)))
    pairs = zip(two, "cd", strict=True)
    print(next(pairs), list(pairs))
    chosen = zip
    print(list(chosen(three, three, strict=True)))
    print(pow(2, exp=5), pow(base=2, exp=10), pow(3, 4, mod=5), pow(mod=7, exp=3, base=5))
    power = pow
    print(power(base=2, exp=3), power(2, 3, mod=None))


main()
