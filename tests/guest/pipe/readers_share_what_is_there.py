"""Ten children read a part of one pipe each; together they get all of it, no byte twice."""

import os

r, w = os.pipe()
report_r, report_w = os.pipe()
children = 10
part = 4096 // children
pids = []
for _ in range(children):
    pid = os.fork()
    if pid == 0:
        os.close(w)
        got = b""
        while len(got) < part:
            data = os.read(r, part - len(got))
            if not data:
                break
            got += data
        os.write(report_w, b"%d " % len(got))
        os._exit(0)
    pids.append(pid)
os.close(r)
os.write(w, b"z" * part * children)
os.close(w)
for pid in pids:
    if os.waitpid(pid, 0)[1]:
        print("failed")
print(os.read(report_r, 1000))
