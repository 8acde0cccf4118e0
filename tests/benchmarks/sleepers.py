"""Guest program: argv[1] children that sleep, and a parent that sleeps with them."""

import os
import sys
import time

for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        time.sleep(1000)
        os._exit(0)
time.sleep(1000)
