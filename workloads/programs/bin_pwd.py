"""``pwd``: the name of the working directory."""

import os
import sys

try:
    print(os.getcwd())
except OSError as error:
    sys.stderr.write(f"pwd: {error.strerror}\n")
    sys.exit(1)
