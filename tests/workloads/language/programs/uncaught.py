import os


def inner(values, i):
    return values[i] + 1


def middle(n):
    try:
        return inner([1, 2], n)
    except IndexError as e:
        raise ValueError(f"bad index {n}") from e


def outer():
    try:
        middle(9)
    except ValueError:
        os.getpid()
        {}["key"]


pid = os.fork()
if pid == 0:
    outer()
print(os.waitpid(pid, 0)[1] >> 8)
for i in range(3):
    pid = os.fork()
    if pid == 0:
        if i == 0:
            raise SystemExit("message to stderr")
        if i == 1:
            raise SystemExit
        if i == 2:
            os.kill(2**22 + 5, 9)
    print(os.waitpid(pid, 0)[1] >> 8)


def recurse(n):
    return recurse(n + 1)


pid = os.fork()
if pid == 0:
    x = "a" + 1
print(os.wait()[1] >> 8)
pid = os.fork()
if pid == 0:
    print(undefined_later)
print(os.wait()[1] >> 8)
undefined_later = 1
pid = os.fork()
if pid == 0:
    "abc".index("z")
print(os.wait()[1] >> 8)
try:
    recurse(0)
except RuntimeError as e:
    print(e)
recurse(0)
