"""``touch FILE...``: make empty files; the times of those that are there stay as they are."""

import os
import sys

code = 0
for name in sys.argv[1:]:
    try:
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o666))
    except OSError as error:
        sys.stderr.write(f"touch: cannot touch '{name}': {error.strerror}\n")
        code = 1
sys.exit(code)
