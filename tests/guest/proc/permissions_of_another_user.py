"""Another user may read stat and status, but not list descriptors; some numbers are hidden."""

import os


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100000)
    os.close(fd)
    return data.decode()


def status_of(pid):
    keys = {}
    for line in read_file(f"/proc/{pid}/status").splitlines():
        name, _, value = line.partition(":\t")
        keys[name] = value
    return keys


def stat_of(pid):
    text = read_file(f"/proc/{pid}/stat")
    end = text.rindex(")")
    return [text[: text.index(" ")], text[text.index("(") + 1 : end]] + text[end + 2 :].split()


r, w = os.pipe()
root = os.fork()
if root == 0:
    os.close(w)
    os.read(r, 1)
    os._exit(0)


def attempt(what, path, flags):
    try:
        os.close(os.open(path, flags))
        print(what, "works")
    except OSError as error:
        print(what, error.errno)


pid = os.fork()
if pid == 0:
    os.setgid(1000)
    os.setuid(1000)
    fields = stat_of(root)
    print(
        "visible", fields[1] == stat_of(os.getppid())[1], fields[22] != "0", fields[25], fields[26]
    )
    print("uid", status_of(root)["Uid"].split(), status_of("self")["Uid"].split())
    for name in ["stat", "status", "comm", "cmdline", "statm", "limits", "oom_score_adj"]:
        attempt(name, f"/proc/{root}/{name}", os.O_RDONLY)
    attempt("write comm", f"/proc/{root}/comm", os.O_WRONLY)
    attempt("write oom", f"/proc/{root}/oom_score_adj", os.O_WRONLY)
    attempt("fd", f"/proc/{root}/fd", os.O_RDONLY)
    attempt("fd 0", f"/proc/{root}/fd/0", os.O_RDONLY)
    attempt("children", f"/proc/{root}/task/{root}/children", os.O_RDONLY)
    attempt("slabinfo", "/proc/slabinfo", os.O_RDONLY)
    attempt("pid_max", "/proc/sys/kernel/threads-max", os.O_WRONLY)
    keys = status_of("self")
    print("caps", keys["CapPrm"], keys["CapEff"], keys["CapInh"])
    os._exit(0)
os.waitpid(pid, 0)
os.close(w)
os.waitpid(root, 0)
