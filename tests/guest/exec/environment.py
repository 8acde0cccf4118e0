"""execve hands over exactly the environment it is given."""

import os
import sys

if len(sys.argv) == 1:
    os.execve(sys.executable, [sys.executable, __file__, "again"], {"SMPLAB_COLOUR": "green"})
print(os.environ.get("SMPLAB_COLOUR"), os.environ.get("HOME"), os.getenv("SMPLAB_SHAPE", "round"))
