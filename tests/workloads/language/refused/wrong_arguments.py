import os

os.waitpid(1)
os.kill(1, 2, 3)
os.mkdir('x', permissions=3)


def f(a, b=1):
    return a


f()
f(1, 2, 3)
f(1, c=3)

# expect: 3:1: os.waitpid() needs the argument 'options'; add it
# expect: 4:1: os.kill() takes at most 2 positional arguments; it takes pid, signal
# expect: 5:27: os.mkdir() takes no argument 'permissions' here in the guest language; it takes path, mode
# expect: 12:1: f() needs the argument 'a'; add it
# expect: 13:1: f() takes at most 2 positional arguments; it takes a, b
# expect: 14:8: f() takes no argument 'c' here in the guest language; it takes a, b
