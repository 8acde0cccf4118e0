"""A process moves, children are born where the parent is, the dead stay where they were."""

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


def where(pid):
    with open(f"/proc/{pid}/cgroup") as file:
        lines = [line for line in file if line.startswith("0::")]
    return lines[0].strip().replace(f"/smplab-{os.path.basename(BASE)[7:]}", "BASE")


def members(name):
    return [int(line) for line in read(f"{name}/cgroup.procs").split()]


def main():
    for name in ("", "/a", "/b"):
        os.mkdir(BASE + name)
    for text in (
        "x",
        "-1",
        "0x",
        " ",
        "99999999",
        "999999999999",
        "1 2",
        "\n",
        "2147483647",
        "1.0",
    ):
        attempt(f"procs {text!r}", write, "a/cgroup.procs", text)
    attempt("nothing", write, "a/cgroup.procs", "")
    print(members("a"), where("self"))
    go = os.pipe()
    children = []
    for _ in range(4):
        pid = os.fork()
        if not pid:
            os.close(go[1])
            os.read(go[0], 1)
            os._exit(0)
        children.append(pid)
    for number in (2, 0, 3, 1):
        write("a/cgroup.procs", str(children[number]))
    print([children.index(pid) for pid in members("a")])
    write("b/cgroup.procs", str(children[0]))
    write("a/cgroup.procs", f" {children[0]}\n")
    print([children.index(pid) for pid in members("a")])
    write("a/cgroup.procs", str(children[2]))
    print([children.index(pid) for pid in members("a")], where(children[0]))
    attempt("remove a", os.rmdir, f"{BASE}/a")
    print(
        repr(read("a/cgroup.events").splitlines()[0]), repr(read("cgroup.events").splitlines()[0])
    )
    for pid in children:
        write("b/cgroup.procs", hex(pid))
    attempt("remove a", os.rmdir, f"{BASE}/a")
    os.close(go[1])
    for pid in children:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    print(members("b"), where(children[1]), repr(read("b/cgroup.events").splitlines()[0]))
    attempt("move a zombie", lambda: write("cgroup.procs", str(children[1])) > 0)
    print(where(children[1]))
    attempt("remove b", os.rmdir, f"{BASE}/b")
    print(where(children[1]))
    for pid in children:
        os.waitpid(pid, 0)
    attempt("move who is gone", write, "cgroup.procs", str(children[1]))

    os.mkdir(f"{BASE}/c")
    pid = os.fork()
    if not pid:
        write("c/cgroup.procs", "0")
        print("child", where("self"), members("c") == [os.getpid()], flush=True)
        inner = os.fork()
        if not inner:
            print("grandchild", where("self"), len(members("c")), flush=True)
            os._exit(0)
        os.waitpid(inner, 0)
        thread = threading.Thread(target=lambda: print("thread", where("thread-self"), flush=True))
        thread.start()
        thread.join()
        os._exit(0)
    os.waitpid(pid, 0)
    os.rmdir(f"{BASE}/c")
    os.rmdir(BASE)
    print(where("self"))


main()
