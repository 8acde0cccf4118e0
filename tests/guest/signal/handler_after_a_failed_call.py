"""After a failed call: when the handler of the signal that it sent runs."""

import os
import signal


def h(n, f):
    print("handler", n)


signal.signal(signal.SIGPIPE, h)
r, w = os.pipe()
os.close(r)
xs = []


def quiet():
    try:
        os.write(w, b"x")
    except OSError:
        os.write(1, b"A quiet\n")
    os.write(1, b"A2\n")


quiet()
try:
    os.write(w, b"x")
except OSError:
    xs.append(1)
    os.write(1, b"B after append\n")
try:
    os.write(w, b"x")
except OSError as e:
    s = f"{e.errno}"
    os.write(1, b"C after fstring\n")
try:
    os.write(w, b"x")
except OSError as e:
    s = "%d" % e.errno  # noqa: UP031
    os.write(1, b"D after percent\n")
try:
    os.write(w, b"x")
except OSError as e:
    s = str(e.errno)
    os.write(1, b"E after str\n")
try:
    os.write(w, b"x")
except OSError as e:
    s = e.errno + len(xs)
    os.write(1, b"F after len\n")
for _ in range(2):
    try:
        os.write(w, b"x")
    except OSError:
        pass
    os.write(1, b"G in loop\n")
for _ in range(2):
    try:
        os.write(w, b"x")
    except OSError:
        continue
os.write(1, b"H after loop\n")
try:
    os.write(w, b"x")
except OSError:
    b = b"x" + b"y"
    c = [i * 2 for i in range(3)]
    os.write(1, b"I comp\n")
try:
    os.write(w, b"x")
except OSError as e:
    if e.errno == 32 and "x" in "xyz":
        os.write(1, b"J if\n")
try:
    os.write(w, b"x")
except OSError as e:
    os.write(1, b"%s\n" % str(e).encode())
try:
    os.write(w, b"x")
except OSError as e:
    s = f"{e!r} {e}"
    os.write(1, b"K\n")
try:
    os.write(w, b"x")
except OSError:
    try:
        int("x")
    except ValueError:
        os.write(1, b"M\n")
try:
    os.write(w, b"x")
except OSError:
    pass
try:
    os.write(w, b"x")
finally:
    os.write(1, b"O\n")
