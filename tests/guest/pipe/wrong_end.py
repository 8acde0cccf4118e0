"""Reading the write end and writing the read end are EBADF; so is every call on a closed end."""

import os

r, w = os.pipe()
for call in ("read", "write", "closed read", "closed write", "close twice", "dup"):
    try:
        if call == "read":
            os.read(w, 1)
        elif call == "write":
            os.write(r, b"x")
        elif call == "closed read":
            os.close(r)
            os.read(r, 1)
        elif call == "closed write":
            os.close(w)
            os.write(w, b"")
        elif call == "close twice":
            os.close(w)
        else:
            os.dup(w)
        print(call, "worked")
    except OSError as error:
        print(call, error.errno)
r, w = os.pipe()
try:
    os.read(w, 0)
except OSError as error:
    print(error.errno)
try:
    os.write(r, b"")
except OSError as error:
    print(error.errno)
