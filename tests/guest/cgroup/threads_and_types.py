"""Threads move apart only inside a threaded subtree; cgroup.type says what a group is."""

import errno
import os
import threading


def mount_point():
    with open("/proc/mounts") as mounts:
        for line in mounts:
            fields = line.split()
            if fields[2] == "cgroup2":
                return fields[1]
    raise SystemExit("no cgroup2 is mounted")


BASE = f"{mount_point()}/smplab-{os.getpid()}"


def attempt(what, call, *args):
    try:
        result = call(*args)
    except OSError as error:
        result = errno.errorcode[error.errno]
    print(f"{what}: {result}", flush=True)


def read(name):
    fd = os.open(f"{BASE}/{name}", os.O_RDONLY)
    try:
        return os.read(fd, 65536).decode()
    finally:
        os.close(fd)


def write(name, text):
    fd = os.open(f"{BASE}/{name}", os.O_WRONLY)
    try:
        return os.write(fd, text.encode())
    finally:
        os.close(fd)


def type_of(name):
    return read(f"{name}/cgroup.type").strip()


def types():
    print([type_of(name) for name in ("", "a", "b", "a/x")], flush=True)


def numbers(name):
    return sorted(int(line) for line in read(name).split())


def child(told, go):
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    os.write(told, str(thread.native_id).encode())
    os.read(go, 1)
    done.set()
    thread.join()
    os._exit(0)


def main():
    for name in ("", "/a", "/b", "/a/x"):
        os.mkdir(BASE + name)
    types()
    for text in ("domain", "", "x", "threaded x"):
        attempt(f"type {text!r}", write, "b/cgroup.type", text)
    told, go = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        os.close(go[1])
        child(told[1], go[0])
    tid = int(os.read(told[0], 20))
    attempt("by a thread's number", lambda: write("a/cgroup.procs", str(tid)) > 0)
    print(numbers("a/cgroup.procs") == [pid], numbers("a/cgroup.threads") == sorted([pid, tid]))
    attempt("a thread to another domain", write, "b/cgroup.threads", str(tid))
    attempt("a thread to where it is", lambda: write("a/cgroup.threads", str(tid)) > 0)
    attempt("a populated group", write, "a/cgroup.type", "threaded")
    attempt("beside a populated one", write, "b/cgroup.type", "threaded")
    types()
    attempt("below a populated one", write, "a/x/cgroup.type", " threaded\n")
    attempt("again", write, "a/x/cgroup.type", "threaded")
    attempt("back", write, "a/x/cgroup.type", "domain")
    types()
    attempt("a thread", lambda: write("a/x/cgroup.threads", str(tid)) > 0)
    print(numbers("a/x/cgroup.threads") == [tid], numbers("a/cgroup.threads") == [pid])
    print(numbers("a/cgroup.procs") == [pid])
    attempt("procs of a threaded group", read, "a/x/cgroup.procs")
    print(read("a/cgroup.events").split()[1], read("a/x/cgroup.events").split()[1])
    for each in (pid, tid):
        with open(f"/proc/{pid}/task/{each}/cgroup") as file:
            print(
                [line.split(BASE.rpartition("/")[2])[1].strip() for line in file if line[0] == "0"]
            )
    attempt("a process to a threaded group", lambda: write("a/x/cgroup.procs", str(tid)) > 0)
    print(len(numbers("a/x/cgroup.threads")), numbers("a/cgroup.threads"))
    os.mkdir(f"{BASE}/a/y")
    os.mkdir(f"{BASE}/a/y/z")
    print(type_of("a/y"), type_of("a/y/z"))
    attempt("a process to an invalid one", write, "a/y/cgroup.procs", str(pid))
    attempt("a thread to an invalid one", write, "a/y/cgroup.threads", str(tid))
    print(numbers("a/y/cgroup.procs"), numbers("a/y/cgroup.threads"))
    attempt("z threaded", write, "a/y/z/cgroup.type", "threaded")
    attempt("y threaded", write, "a/y/cgroup.type", "threaded")
    attempt("z threaded", write, "a/y/z/cgroup.type", "threaded")
    print(type_of("a/y"), type_of("a/y/z"))
    attempt("a thread down there", lambda: write("a/y/z/cgroup.threads", str(tid)) > 0)
    attempt("remove it", os.rmdir, f"{BASE}/a/y/z")
    attempt("kill a threaded group", write, "a/x/cgroup.kill", "1")
    attempt("the process out", lambda: write("b/cgroup.procs", str(tid)) > 0)
    print(len(numbers("b/cgroup.threads")), numbers("a/cgroup.threads"))
    types()
    for name in ("a/y/z", "a/y"):
        os.rmdir(f"{BASE}/{name}")
    types()
    os.rmdir(f"{BASE}/a/x")
    print(type_of("a"))
    os.close(go[1])
    os.waitpid(pid, 0)
    for name in ("/a", "/b", ""):
        os.rmdir(BASE + name)


main()
