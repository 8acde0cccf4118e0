"""Binary files: buffered, unbuffered, both ways, and descriptors shared with os."""

import os

path = f"/tmp/bytes-{os.getpid()}"


def attempt(function, *args):
    try:
        return function(*args)
    except (OSError, ValueError, TypeError) as error:
        return type(error).__name__, str(error).replace(path, "PATH")


with open(path, "wb") as file:
    print(file.write(b"0123456789" * 1000), file.tell(), attempt(file.read), attempt(file.readline))
    print(os.stat(path).st_size, file.flush(), os.stat(path).st_size)
for buffering in (-1, 0, 16):
    with open(path, "rb", buffering) as file:
        print(file.read(3), file.tell(), os.lseek(file.fileno(), 0, 1), file.seek(-5, 2))
        print(file.read(), file.read(), file.seek(5), file.read(2), attempt(file.write, b"x"))
        print(file.readable(), file.writable(), file.seekable(), file.isatty(), file.mode)
with open(path, "r+b") as file:
    print(file.read(5), file.write(b"ab"), file.read(3), file.tell(), file.seek(0), file.read(12))
    print(file.seek(9998), file.write(b"wxyz"), file.seek(-6, 1), file.read())
    print(file.truncate(4), file.seek(0), file.read())
    print(file.readlines(), file.writelines([b"l1\n", b"l2\n"]), file.seek(0), list(file))
print(attempt(file.read), attempt(file.write, b""), attempt(file.seek, 0), attempt(file.flush))
with open(path, "ab") as file:
    print(file.tell(), file.seek(0), file.write(b"end"), file.tell())
reader, writer = os.pipe()
with os.fdopen(writer, "wb") as out, os.fdopen(reader, "rb") as into:
    out.write(b"a\nb\nrest")
    out.flush()
    print(into.readline(), into.read1(100), attempt(into.seek, 0), into.seekable())
    os.set_blocking(into.fileno(), False)
    print(into.read(5), into.read())
    out.close()
    print(into.read(), out.closed)
open(path, "w").write("dropped at once")
print(open(path).read())
os.unlink(path)
