import os
import subprocess
from os import frok


class MyError(Exception):
    pass


def outer():
    def inner():
        return 1

    return inner()


def starred(*rest, **words):
    return rest, words


try:
    frok()
    raise MyError("once")
except MyError as error:
    print(error)
except subprocess.CalledProcessError:
    print("never")

process = subprocess.Popen(["ls"])
print(process.communicate(), process.returncode)
with os.popn("ls") as stream:
    print(stream.readlines())
squares = map(int, ["1"])

# expect: 2:1: the module 'subprocess' is not in the guest language; its modules are _thread, errno, fcntl, functools, math, mmap, os, queue, random, resource, select, signal, socket, sys, threading, time, traceback, workloads.guest
# expect: 3:16: 'os.frok' is not in the guest language; did you mean fork?
# expect: 6:1: class definitions are not supported; write functions over dicts or tuples
# expect: 31:6: 'os.popn' is not in the guest language; did you mean popen?
