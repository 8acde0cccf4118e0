"""Who may execute: the class of the caller decides, root needs one x bit, folders must be open."""

import os
import time

base = f"/tmp/perm-{time.time_ns()}/"
SCRIPT = b"#!/bin/true\n"


def make(name, mode):
    fd = os.open(base + name, os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(fd, SCRIPT)
    os.close(fd)
    os.chmod(base + name, mode)


def attempt(path, uid):
    pid = os.fork()
    if pid == 0:
        if uid:
            os.setgid(uid)
            os.setuid(uid)
        try:
            os.execv(path, ["x"])
        except OSError as error:
            os._exit(error.errno)
    return os.waitpid(pid, 0)[1] >> 8


def attempts(title, prefix, uid):
    results = []
    for mode in MODES:
        results.append(attempt(f"{base}{prefix}-{mode:o}", uid))
    print(title, results)


os.mkdir(base, 0o777)
os.chmod(base, 0o777)
MODES = (0o000, 0o644, 0o744, 0o654, 0o645, 0o100, 0o010, 0o001, 0o111, 0o444, 0o555, 0o611)
for mode in MODES:
    make(f"root-{mode:o}", mode)
pid = os.fork()
if pid == 0:
    os.setgid(4321)
    os.setuid(4321)
    for mode in MODES:
        make(f"own-{mode:o}", mode)
    os._exit(0)
os.waitpid(pid, 0)
attempts("own files", "own", 4321)
attempts("those of root", "root", 4321)
attempts("root, own files", "root", 0)
attempts("root, those of others", "own", 0)
os.mkdir(base + "closed", 0o700)
make("closed/inside", 0o755)
for mode in (0o600, 0o711, 0o766, 0o000):
    os.chmod(base + "closed", mode)
    inside, missing = base + "closed/inside", base + "closed/none"
    print(f"{mode:o}", attempt(inside, 0), attempt(inside, 4321), attempt(missing, 4321))
