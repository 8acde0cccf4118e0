"""execvp tries the folders of PATH in order; a refusal is told if nothing else is found."""

import os
import time

base = f"/tmp/path-{time.time_ns()}/"
os.mkdir(base, 0o755)
for folder in ("one", "two", "three"):
    os.mkdir(base + folder, 0o755)


def make(name, data, mode):
    fd = os.open(base + name, os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(fd, data)
    os.close(fd)
    os.chmod(base + name, mode)


def attempt(name, path, spawn):
    os.environ["PATH"] = path
    pid = os.fork()
    if pid == 0:
        try:
            if spawn:
                inner = os.posix_spawnp(name, [name], {})
                os._exit(os.waitpid(inner, 0)[1] >> 8)
            os.execvp(name, [name])
        except OSError as error:
            os._exit(100 + error.errno)
    return os.waitpid(pid, 0)[1] >> 8


make("one/hidden", b"#!/bin/false\n", 0o644)
make("two/hidden", b"#!/bin/true\n", 0o755)
make("one/plain", b"#!/bin/false\n", 0o644)
make("two/format", b"text", 0o755)
make("three/format", b"#!/bin/true\n", 0o755)
make("one/none", b"#!/no/such\n", 0o755)
make("two/none", b"#!/bin/true\n", 0o755)
os.chdir(base + "two")
for path in (
    f"{base}one:{base}two:{base}three",
    f"{base}three:{base}two:{base}one",
    f"/no/such:{base}one/hidden:{base}one",
    f"{base}one:",
    "",
):
    results = []
    for name in ("hidden", "plain", "format", "none", "nowhere", "./hidden"):
        results.append(attempt(name, path, False))
    print(path.replace(base, ""), results)
try:
    os.execvp("nowhere", ["x"])
except FileNotFoundError as error:
    print(error, error.filename)
try:
    os.execve("/nowhere", ["x"], {})
except FileNotFoundError as error:
    print(error, error.filename)
try:
    os.execv("/nowhere", ["x"])
except FileNotFoundError as error:
    print(error, error.filename)
