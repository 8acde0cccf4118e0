"""``env [-i] [NAME=VALUE]... [COMMAND [ARG]...]``: print the environment, or run in it."""

import os
import sys

words = sys.argv[1:]
environ = os.environ.copy()
if words and words[0] in ("-i", "-"):
    environ = {}
    words = words[1:]
while words and "=" in words[0]:
    name, _, value = words[0].partition("=")
    environ[name] = value
    words = words[1:]
if words and words[0].startswith("-"):
    sys.stderr.write(f"env: the option {words[0]} is not emulated\n")
    sys.exit(125)
if not words:
    for name in environ:
        print(f"{name}={environ[name]}")
    sys.exit(0)
paths = [words[0]]
if "/" not in words[0]:
    folders = environ.get("PATH", "/bin:/usr/bin").split(":")
    paths = [f"{folder}/{words[0]}" for folder in folders]
found = None
for path in paths:
    try:
        os.execve(path, words, environ)
    except OSError as error:
        if found is None or error.errno != 2:
            found = error
sys.stderr.write(f"env: ‘{words[0]}’: {found.strerror}\n")
sys.exit(127 if found.errno == 2 else 126)
