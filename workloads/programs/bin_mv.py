"""``mv [-f] FROM... TO``, ``cp [-f] FROM... TO``: rename or copy files, or into a folder."""

import os
import sys

command = os.path.basename(sys.argv[0])


def fail(text, hint):
    sys.stderr.write(f"{command}: {text}\n")
    if hint:
        sys.stderr.write(f"Try '{command} --help' for more information.\n")
    sys.exit(1)


def tell(text):
    sys.stderr.write(f"{command}: {text}\n")
    return 1


def copy(source, target):
    found = os.stat(source)
    if found.st_mode & 0o170000 == 0o040000:
        return tell(f"-r not specified; omitting directory '{source}'")
    if os.path.exists(target):
        other = os.stat(target)
        if (other.st_dev, other.st_ino) == (found.st_dev, found.st_ino):
            return tell(f"'{source}' and '{target}' are the same file")
    try:
        reader = os.open(source, os.O_RDONLY)
    except OSError as error:
        return tell(f"cannot open '{source}' for reading: {error.strerror}")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        writer = os.open(target, flags, found.st_mode & 0o777)
    except OSError as error:
        return tell(f"cannot create regular file '{target}': {error.strerror}")
    while True:
        data = os.read(reader, 65536)
        if not data:
            break
        while data:
            data = data[os.write(writer, data) :]
    os.close(reader)
    os.close(writer)
    return 0


def one(source, target):
    try:
        os.stat(source)
    except OSError as error:
        return tell(f"cannot stat '{source}': {error.strerror}")
    try:
        if command == "cp":
            return copy(source, target)
        if os.path.exists(target) and os.stat(source).st_ino == os.stat(target).st_ino:
            return tell(f"'{source}' and '{target}' are the same file")
        os.rename(source, target)
    except OSError as error:
        return tell(f"cannot move '{source}' to '{target}': {error.strerror}")
    return 0


words = sys.argv[1:]
while words and words[0].startswith("-") and len(words[0]) > 1:
    word = words.pop(0)
    if word == "--":
        break
    if word != "-f":
        fail(f"the option {word} is not emulated", False)
if not words:
    fail("missing file operand", True)
if len(words) == 1:
    fail(f"missing destination file operand after '{words[0]}'", True)
target = words.pop()
folder = os.path.isdir(target)
if len(words) > 1 and not folder:
    reason = "Not a directory" if os.path.exists(target) else "No such file or directory"
    fail(f"target '{target}': {reason}", False)
code = 0
for source in words:
    place = f"{target.rstrip('/')}/{os.path.basename(source.rstrip('/'))}" if folder else target
    code = max(code, one(source, place))
sys.exit(code)
