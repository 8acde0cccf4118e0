"""``mkdir [-p] [-m MODE] FOLDER...``: make folders; MODE is octal."""

import os
import sys


def fail(text, hint):
    sys.stderr.write(f"mkdir: {text}\n")
    if hint:
        sys.stderr.write("Try 'mkdir --help' for more information.\n")
    sys.exit(1)


words = sys.argv[1:]
parents = False
mode = None
while words and words[0].startswith("-") and len(words[0]) > 1:
    word = words.pop(0)
    if word == "--":
        break
    if word in ("-p", "--parents"):
        parents = True
    elif word.startswith("-m"):
        if not word[2:] and not words:
            fail("option requires an argument -- 'm'", True)
        text = word[2:] or words.pop(0)
        if not text or text.strip("01234567") or len(text) > 4:
            fail(f"invalid mode ‘{text}’", False)
        mode = int(text, 8)
    else:
        fail(f"invalid option -- '{word[1:]}'", True)
if not words:
    fail("missing operand", True)
code = 0
for name in words:
    try:
        if parents:
            done = "/" if name.startswith("/") else ""
            for part in [part for part in name.split("/") if part]:
                done += part
                if not os.path.isdir(done):
                    os.mkdir(done)
                done += "/"
        else:
            os.mkdir(name)
        if mode is not None:
            os.chmod(name, mode)
    except OSError as error:
        sys.stderr.write(f"mkdir: cannot create directory ‘{name}’: {error.strerror}\n")
        code = 1
sys.exit(code)
