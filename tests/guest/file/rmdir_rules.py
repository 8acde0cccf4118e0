"""rmdir: only empty directories, not . and ..; a removed working directory has no path any more."""

import os
import time

base = f"/tmp/rmdir{time.time_ns()}"
os.mkdir(base)
os.chdir(base)


def tried(path):
    try:
        os.rmdir(path)
        print("ok", path)
    except OSError as error:
        print(error.errno, path)


os.mkdir("d")
os.mkdir("d/sub")
os.close(os.open("f", os.O_WRONLY | os.O_CREAT))
for path in ("d", "d/", "f", "f/", "nothing", "nothing/x", "f/x", "", ".", "d/.", "d/..", "/"):
    tried(path)
tried("d/sub/")
print(os.stat("d").st_nlink)
os.chdir("d")
tried("../d")
try:
    os.getcwd()
except FileNotFoundError as error:
    print("getcwd:", error.errno)
for path in ("x", "./x", "../f"):
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
        print("made", path)
    except OSError as error:
        print(error.errno, path)
try:
    os.mkdir("y")
except OSError as error:
    print(error.errno)
print(os.stat(".").st_nlink, os.listdir("."))
if os.fork() == 0:
    try:
        os.getcwd()
    except FileNotFoundError:
        print("nor has a child")
    os.chdir("..")
    print(os.getcwd() == base)
    os._exit(0)
os.wait()
os.chdir("..")
print(os.getcwd() == base)
