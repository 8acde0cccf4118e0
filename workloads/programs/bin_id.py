"""``id [-u|-g]``: who the caller is, by numbers; 0 is root."""

import os
import sys

words = sys.argv[1:]
if words == ["-u"]:
    print(os.geteuid())
elif words == ["-g"]:
    print(os.getegid())
elif words:
    sys.stderr.write("id: only id, id -u and id -g are emulated\n")
    sys.exit(1)
else:
    user, group = os.getuid(), os.getgid()
    named = [f"{number}(root)" if not number else str(number) for number in (user, group)]
    print(f"uid={named[0]} gid={named[1]} groups={named[1]}")
