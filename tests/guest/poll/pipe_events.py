"""What poll says of both ends of a pipe: empty, with data, full, hung up, broken, closed."""

import os
import select

ALL = 0x3FFF


def show(what, fds):
    poll = select.poll()
    for fd in fds:
        poll.register(fd, ALL)
    events = poll.poll(0)
    print(what, [(fds.index(fd), f"{mask:x}") for fd, mask in events])


r, w = os.pipe2(os.O_NONBLOCK)
show("empty", [r, w])
os.write(w, b"x")
show("data", [r, w])
while True:
    try:
        os.write(w, bytes(4096))
    except BlockingIOError:
        break
show("full", [r, w])
os.read(r, 4095)
show("the odd byte and a part of a page read", [r, w])
os.read(r, 4096)
show("more pages free", [r, w])
os.close(w)
show("no writer", [r])
while os.read(r, 65536):
    pass
show("end", [r, w])
os.close(r)
show("closed", [r, w])
r, w = os.pipe()
os.close(r)
show("no reader", [w])
poll = select.poll()
poll.register(w, 0)
print([f"{mask:x}" for _, mask in poll.poll(0)])
null = os.open("/dev/null", os.O_RDONLY)
show("null", [null])
show("folder", [os.open("/tmp", os.O_RDONLY)])
