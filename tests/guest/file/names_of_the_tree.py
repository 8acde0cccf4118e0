"""listdir, exists, join, basename; stat of a descriptor and of a path name the same inode."""

import os
import time

base = f"/tmp/names{time.time_ns()}"
os.mkdir(base)
os.chdir(base)
print(os.listdir("."), os.listdir())
for name in ("one", "two", ".hidden"):
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
os.mkdir("dir")
os.mkfifo("fifo")
print(sorted(os.listdir(base)))
for path in ("nothing", "one", "one/x", ""):
    try:
        os.listdir(path)
    except OSError as error:
        print(error.errno, error.filename)
for name in ("one", "nothing", "dir", "dir/", "one/", "", ".", "one/.."):
    print(name, os.path.exists(name), os.access(name, os.F_OK))
fd = os.open("one", os.O_RDWR)
print(os.path.exists(fd), os.path.exists(999))
a = os.stat("one")
b = os.fstat(fd)
print(a.st_ino == b.st_ino, a.st_dev == b.st_dev, a.st_ino != os.stat("two").st_ino)
os.rename("one", "dir/moved")
print(os.stat("dir/moved").st_ino == b.st_ino)
print(os.path.join("a", "b", "/c", "d"), os.path.join("a/", "b"), os.path.basename("/x/y/"))
