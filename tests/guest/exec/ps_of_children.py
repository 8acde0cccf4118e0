"""ps shows a zombie, a stopped and a sleeping child, alone and by lists, and says what is wrong."""

import os
import signal
import sys
import time


def ps(*words):
    # its lines without pids and times, its status
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        os.execvp("ps", ["ps"] + list(words))
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    if "PID" in text:
        text = text.replace("\n", "\n ")
        # columns of pids are as wide as the machine's pid_max asks
        for name in known:
            text = text.replace(f" {known[name]} ", f" {name} ")
        while "  " in text:
            text = text.replace("  ", " ")
    return text, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def state(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")")[1].split()[0]


def child(kind):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        if kind == "group":
            os.setpgid(0, 0)
        if kind == "leader":
            os.setsid()
        if kind == "nice":
            os.nice(5)
        os.write(writer, b"x")
        if kind == "zombie":
            os._exit(3)
        if kind == "named":
            os.execv("/bin/sleep", ["a name", "600"])
        while True:
            time.sleep(1000)
    os.read(reader, 1)
    os.close(reader)
    os.close(writer)
    wanted = {"zombie": "Z", "stopped": "T"}.get(kind, "S")
    if kind == "stopped":
        os.kill(pid, signal.SIGSTOP)
    while state(pid) != wanted:
        time.sleep(0.001)
    if kind == "named":
        while open(f"/proc/{pid}/cmdline").read() != "a name\x00600\x00" or state(pid) != "S":
            time.sleep(0.001)
    return pid


known = {"PARENT": os.getpid()}
KINDS = ["zombie", "stopped", "group", "leader", "nice", "named"]
pids = {}
for kind in KINDS:
    pids[kind] = child(kind)
for kind in KINDS:
    pid = str(pids[kind])
    known = {"KIND": pids[kind], "MINE": os.getpid()}
    print(kind, ps("-o", "stat=", "-p", pid))
    print(kind, ps("-o", "s,comm", "-p", pid))
    print(kind, ps("-o", "pid,ppid,stat,comm", "-p", pid))
    print(kind, ps("-o", "comm=", "-o", "ni=", "-p", pid))
known = {}
print(ps("-o", "args=", "-p", str(pids["zombie"])))
print(ps("-o", "args", "-p", str(pids["named"])))
print(ps("-o", "cmd,stat", "-p", str(pids["named"])))
print(ps("-ho", "stat,nlwp,uid,user", str(pids["stopped"])))
print(ps("--no-headers", "-o", "stat:6,comm:4,s", "-p", str(pids["named"])))
print(ps("-o", "stat=HOW,comm=NAME", "-p", str(pids["zombie"])))
print(ps("-o", "cls,rtprio,time,f,ucmd,comm", "-p", str(pids["named"])))
print(ps("-o", "stat", "--ppid", str(os.getpid()), "--sort", "pid"))
print(ps("-o", "stat=", "--ppid", str(os.getpid()), "--sort=-pid"))
print(ps("-o", "s=", "-p", f"{pids['zombie']},{pids['stopped']}"))
print(ps("-o", "foo"))
print(ps("-p", "x"))
print(ps("-p", "999999", "-o", "pid="))
print(ps("-p", "999999"))
print(ps("-Q"))
for kind in KINDS:
    os.kill(pids[kind], signal.SIGKILL)
    os.waitpid(pids[kind], 0)
sys.exit(0)
