"""``python3 FILE`` where FILE cannot be read: the interpreter's message and exit status.

exec hands over (the interpreter's name, the file's absolute path, the errno).

Source: CPython 3.11 Modules/main.c:pymain_run_file_obj(), pymain_run_module().
"""

import errno
import os
import sys

TEXTS = {
    errno.ENOENT: "No such file or directory",
    errno.EACCES: "Permission denied",
    errno.ENOTDIR: "Not a directory",
    errno.ENAMETOOLONG: "File name too long",
    errno.ELOOP: "Too many levels of symbolic links",
}

interpreter, path, number = sys.argv
if int(number) == errno.EISDIR:
    sys.stderr.write(f"{interpreter}: can't find '__main__' module in {path!r}\n")
    os._exit(1)
text = TEXTS.get(int(number), "Input/output error")
sys.stderr.write(f"{interpreter}: can't open file {path!r}: [Errno {number}] {text}\n")
os._exit(2)
