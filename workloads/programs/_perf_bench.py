"""perf bench sched pipe and perf bench syscall as a guest program; cluster.presets fills in TABLE.

Parameters, as name=value arguments (defaults after the equals sign):

report=full     full: print what the tool prints; plain: only what was done, without times
"""

import os
import sys
import threading
import time

DEFAULTS = {"report": "full"}
KINDS = {"report": "one of full plain"}

TABLE = None

WORD = b"\0\0\0\0"


def answer(source, output):
    for _ in range(TABLE["loops"]):
        assert len(os.read(source, 4)) == 4, "the other side has gone"
        os.write(output, WORD)


def ask(source, output):
    for _ in range(TABLE["loops"]):
        os.write(output, WORD)
        assert len(os.read(source, 4)) == 4, "the other side has gone"


def pipe_threads(here, there):
    threads = [
        threading.Thread(target=answer, args=(there[0], here[1])),
        threading.Thread(target=ask, args=(here[0], there[1])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def pipe():
    here = os.pipe()
    there = os.pipe()
    if TABLE["threads"]:
        pipe_threads(here, there)
        return
    pid = os.fork()
    if pid == 0:
        answer(there[0], here[1])
        os._exit(0)
    ask(here[0], there[1])
    assert os.waitpid(pid, 0)[1] == 0, "the child has failed"


def children(image):
    for _ in range(TABLE["loops"]):
        pid = os.fork()
        if pid == 0:
            if image:
                os.execv(image, [image])
            os._exit(1 if image else 0)
        assert os.waitpid(pid, 0)[1] == 0, "a child has failed"


def calls(kind):
    if kind == "basic":
        for _ in range(TABLE["loops"]):
            os.getppid()
    else:
        for _ in range(TABLE["loops"]):
            os.getpgid(0)


def main():
    report = "report=plain" not in sys.argv[1:]
    kind = TABLE["benchmark"]
    begin = time.monotonic_ns()
    if kind == "pipe":
        pipe()
    elif kind == "fork" or kind == "execve":
        children("/bin/true" if kind == "execve" else "")
    else:
        calls(kind)
    took = max(time.monotonic_ns() - begin, 1)
    for line in TABLE["head"]:
        print(line)
    if report:
        print(f"\n     Total time: {took / 1000000000:.6f} [sec]\n")
        print(f"{took / 1000 / TABLE['loops']:15.6f} usecs/op")
        print(f"{TABLE['loops'] * 1000000000 // took:15} ops/sec")


if __name__ == "__main__":
    main()
