"""sys.exit unwinds through finally and can be caught; os._exit does neither."""

import os
import sys


def clean(way):
    try:
        try:
            if way == "sys":
                sys.exit(4)
            os._exit(5)
        finally:
            print("cleaned up", way)
    except SystemExit as error:
        print("caught", error.code)
        sys.exit(6)


for way in ("sys", "os"):
    pid = os.fork()
    if pid == 0:
        clean(way)
    print(way, os.waitpid(pid, 0)[1] >> 8)
print("end of the program")
sys.exit(11)
