import subprocess

subprocess.run(['true'])

# expect: 1:1: the module 'subprocess' is not in the guest language; its modules are _thread, errno, fcntl, functools, math, mmap, os, queue, random, resource, select, signal, socket, sys, threading, time, traceback, workloads.guest
