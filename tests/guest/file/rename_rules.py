"""rename: what it replaces, and which errno wins; the error carries both names."""

import os
import time

base = f"/tmp/rename{time.time_ns()}"
os.mkdir(base)
os.chdir(base)


def make(name, text=b""):
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.write(fd, text)
    os.close(fd)


def tried(old, new):
    try:
        os.rename(old, new)
        print("ok", old, new)
    except OSError as error:
        print(error.errno, error.filename, error.filename2)


make("f", b"file")
make("g", b"other")
os.mkdir("d")
os.mkdir("e")
os.mkdir("full")
make("full/x")
tried("f", "h")
tried("h", "g")
fd = os.open("g", os.O_RDONLY)
print(os.read(fd, 10), sorted(os.listdir(".")))
os.close(fd)
tried("g", "g")
tried("d", "e")
tried("e", "full")
tried("full", "e")
tried("g", "e")
tried("e", "g")
tried("e", "e/inside")
tried("e/x", "e/x/y")
tried("e/x", "e")
tried("nothing", "z")
tried("nothing/x", "z")
tried("g", "nothing/z")
tried("g/x", "z")
tried("g", "g/z")
tried("g/", "z")
tried("g", "z/")
tried("e", "k/")
tried("k/", "e")
tried(".", "z")
tried("e/.", "z")
tried("e/..", "z")
tried("g", ".")
tried("g", "/")
tried("", "z")
tried("g", "")
tried("g/x", "")
tried("nothing/x", "")
tried("g", "n" * 256)
os.mkdir("a")
os.mkdir("a/b")
tried("a/b", "up")
print(os.stat("a").st_nlink, os.stat(".").st_nlink)
tried("up", "a/b")
print(os.stat("a").st_nlink, sorted(os.listdir("a")), sorted(os.listdir(".")))
