"""Text files: modes, newlines, encodings, positions, and what goes wrong."""

import os

path = f"/tmp/text-{os.getpid()}"


def attempt(function, *args, **words):
    try:
        return function(*args, **words)
    except (OSError, ValueError, TypeError, LookupError) as error:
        return type(error).__name__, str(error).replace(path, "PATH")


with open(path, "w") as file:
    print(file.write("one\ntwo\r\nthree\rfour"), file.tell(), file.closed, file.mode)
    print(attempt(file.read), attempt(file.readline))
print(file.closed, attempt(file.write, "x"), attempt(file.flush), attempt(file.fileno))
for newline in (None, "", "\n", "\r", "\r\n"):
    with open(path, newline=newline) as file:
        print(repr(newline), file.readlines())
with open(path) as file:
    print(repr(file.read(5)), file.tell(), repr(file.readline()), file.tell(), repr(file.read()))
    print(file.seek(4), repr(file.readline(2)), repr(file.readline()), repr(file.read(100)))
    print(attempt(file.seek, 1, 1), attempt(file.seek, -1), attempt(file.write, "x"))
    file.seek(0)
    for line in file:
        print(repr(line), attempt(file.tell))
        break
with open(path, "r+") as file:
    print(repr(file.read(3)), file.write("XY"), file.seek(0), repr(file.read()))
    print(file.truncate(5), file.seek(0), repr(file.read()))
with open(path, "a") as file:
    print(file.tell(), file.write("ä€\n"), file.tell())
with open(path, "rb") as file:
    print(file.read())
for encoding in ("ascii", "latin-1", "utf-8"):
    for errors in ("strict", "replace", "ignore", "backslashreplace"):
        file = open(path, encoding=encoding, errors=errors)
        print(encoding, errors, attempt(file.read))
        file.close()
print(attempt(open, path, "x"), attempt(open, path, "rw"), attempt(open, path, "q"))
print(attempt(open, path, "rb", encoding="ascii"), attempt(open, path, "w", 0))
print(attempt(open, path, newline="x"), attempt(open, path, encoding="nothing"))
print(attempt(open, "/tmp"), attempt(open, "/nowhere/x"), attempt(open, 77), attempt(open, -1))
os.unlink(path)
