"""os.dup2() of a negative number is EBADF, whatever failed before it."""

import os

for pair in ((1, -1), (-1, 1), (-1, -1), (-5, 3)):
    try:
        os.stat("/nowhere")
    except OSError as error:
        print(error.errno)
    try:
        print(os.dup2(pair[0], pair[1]))
    except OSError as error:
        print(pair, error.errno)
