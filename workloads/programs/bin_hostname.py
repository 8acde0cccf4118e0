"""``hostname``: the name of the caller's UTS namespace; setting it is refused."""

import sys

if sys.argv[1:] not in ([], ["-s"]):
    sys.stderr.write(f"hostname: {sys.argv[1]} is not emulated\n")
    sys.exit(1)
with open("/proc/sys/kernel/hostname") as file:
    name = file.read().rstrip("\n")
print(name.split(".")[0] if sys.argv[1:] else name)
