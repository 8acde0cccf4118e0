"""readlink of self, exe, cwd, root and descriptors; the links lead to the things themselves."""

import os


def attempt(path):
    try:
        print(path, os.readlink(path))
    except OSError as error:
        print(path, error.errno)


def kind(text):
    return text[: text.index("[")] if "[" in text else text


pid = os.getpid()
print("self", os.readlink("/proc/self") == str(pid))
print("thread-self", os.readlink("/proc/thread-self") == f"{pid}/task/{pid}")
print("cwd", os.readlink("/proc/self/cwd") == os.getcwd())
print("root", os.readlink("/proc/self/root"), os.readlink(f"/proc/{pid}/task/{pid}/root"))
os.chdir("/tmp")
print(
    "cwd", os.readlink("/proc/self/cwd"), os.stat("/proc/self/cwd").st_ino == os.stat("/tmp").st_ino
)
r, w = os.pipe()
print("pipe", kind(os.readlink(f"/proc/self/fd/{r}")))
print("same pipe", os.readlink(f"/proc/self/fd/{r}") == os.readlink(f"/proc/self/fd/{w}"))
path = "/tmp/smplab-link"
fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
print(os.readlink(f"/proc/self/fd/{fd}"))
os.unlink(path)
print(os.readlink(f"/proc/self/fd/{fd}"))
print(kind(os.readlink(f"/proc/self/fd/{os.eventfd(0)}")))
print(os.readlink(f"/proc/self/fd/{os.open('/dev/null', os.O_RDONLY)}"))
for name in [
    "/proc/self/fd/987",
    "/proc/self/stat",
    "/proc/self/nothing",
    "/proc",
    "/tmp",
    "/nothing",
]:
    attempt(name)
child = os.fork()
if child == 0:
    os._exit(0)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
for name in ["exe", "cwd", "root"]:
    try:
        print(name, os.readlink(f"/proc/{child}/{name}"))
    except OSError as error:
        print(name, error.errno)
os.waitpid(child, 0)
stranger = os.fork()
if stranger == 0:
    os.setuid(1000)
    for name in ["exe", "cwd", "root"]:
        try:
            print(name, os.readlink(f"/proc/{pid}/{name}"))
        except OSError as error:
            print(name, error.errno)
    os._exit(0)
os.waitpid(stranger, 0)
child = os.fork()
if child == 0:
    os.execv("/bin/sleep", ["sleep", "60"])
while not os.readlink(f"/proc/{child}/exe").endswith("sleep"):
    os.sched_yield()
print("exe", os.readlink(f"/proc/{child}/exe")[-10:])
os.kill(child, 9)
os.waitpid(child, 0)
