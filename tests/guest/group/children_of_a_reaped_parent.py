"""When a wait has returned a process, each of its children has its new parent already."""

import os

wrong = 0
for _ in range(30):
    report, gate = os.pipe(), os.pipe()
    parent = os.fork()
    if parent == 0:
        mine = os.getpid()
        for _ in (1, 2, 3):
            if os.fork() == 0:
                os.close(gate[1])
                os.close(report[0])
                os.read(gate[0], 1)
                os.write(report[1], b"-" if os.getppid() == mine else b"+")
                os._exit(0)
        os._exit(1)
    os.waitpid(parent, 0)
    os.close(gate[1])
    os.close(report[1])
    said = b""
    while True:
        piece = os.read(report[0], 10)
        if not piece:
            break
        said += piece
    if said != b"+++":
        wrong += 1
    os.close(gate[0])
    os.close(report[0])
print("wrong", wrong)
