import os
import json

class A:
    pass

x = lambda: 0
os.getlogin()
print(json, f'{x.y}')

# expect: 2:1: the module 'json' is not in the guest language; its modules are _thread, errno, fcntl, functools, math, mmap, os, queue, random, resource, select, signal, socket, sys, threading, time, traceback, workloads.guest
# expect: 4:1: class definitions are not supported; write functions over dicts or tuples
# expect: 8:1: 'os.getlogin' is not in the guest language; write os.getuid()
# expect: 9:7: the module 'json' is not a value; write json.<name>
# expect: 9:16: the attribute 'y' is not in the guest language; use the names of the language's tables
