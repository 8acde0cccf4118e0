"""``whoami``: the name of the effective user; only 0 has one, root."""

import os
import sys

if len(sys.argv) > 1:
    sys.stderr.write(f"whoami: extra operand ‘{sys.argv[1]}’\n")
    sys.stderr.write("Try 'whoami --help' for more information.\n")
    sys.exit(1)
if os.geteuid():
    sys.stderr.write(f"whoami: cannot find name for user ID {os.geteuid()}\n")
    sys.exit(1)
print("root")
