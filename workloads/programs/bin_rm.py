"""``rm [-f] FILE...``: remove files."""

import os
import sys

words = sys.argv[1:]
force = False
while words and words[0].startswith("-") and len(words[0]) > 1:
    if words[0] != "-f":
        sys.stderr.write(f"rm: the option {words[0]} is not emulated\n")
        sys.exit(1)
    force = True
    words = words[1:]
if not words and not force:
    sys.stderr.write("rm: missing operand\nTry 'rm --help' for more information.\n")
    sys.exit(1)
code = 0
for name in words:
    try:
        os.unlink(name)
    except FileNotFoundError as error:
        if not force:
            sys.stderr.write(f"rm: cannot remove '{name}': {error.strerror}\n")
            code = 1
    except OSError as error:
        sys.stderr.write(f"rm: cannot remove '{name}': {error.strerror}\n")
        code = 1
sys.exit(code)
