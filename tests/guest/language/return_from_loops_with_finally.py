"""return from inside a loop runs every finally around it once and gives its value."""


def main():
    try:
        for _ in range(3):
            return 7
    finally:
        print("f")


def m2():
    for _ in range(3):
        return 8


def m3():
    try:
        for _ in range(3):
            return 9
            break
    finally:
        print("g")


def m4(a):
    for _, a in enumerate([1, "w"]):
        try:
            for _ in range(3):
                return a
                break
            else:
                print(a)
            break
        finally:
            print(a)


print(main())
print(m2())
print(m3())
print(m4(3))
