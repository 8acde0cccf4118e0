"""Scripts: which interpreter the first line of a file names.

The kernel looks at the first 256 bytes only, as a C buffer padded with NULs. What it reads there
are at most two words, the interpreter and one argument with all its blanks; what follows a NUL
does not count.

Source: fs/binfmt_script.c.
"""

from typing import Final

BINPRM_BUF_SIZE: Final = 256


def load_script(start: bytes) -> tuple[str, str] | None:
    """Return interpreter and argument of a script's first line; None if it is no script.

    The name ends at a blank or NUL, the argument at the end of the line or a NUL. Without a
    newline in the buffer the name must end inside it: it could be cut off.

    Args:
        start: the first BINPRM_BUF_SIZE bytes of the file, or all it has.

    Source: fs/binfmt_script.c:load_script().
    """
    if not start.startswith(b"#!"):
        return None
    buffer = start.ljust(BINPRM_BUF_SIZE, b"\0")
    newline = buffer.partition(b"\0")[0].find(b"\n")
    if newline < 0:
        line = buffer[2 : BINPRM_BUF_SIZE - 1]
        name = line.lstrip(b" \t")
        if not name or not any(end in name for end in (b" ", b"\t", b"\0")):
            return None
    else:
        line = buffer[2:newline]
    line = line.strip(b" \t")
    if not line:
        return None
    words = line.replace(b"\t", b" ").partition(b"\0")[0].split(b" ", 1)
    interpreter = words[0]
    option = line[len(interpreter) :].partition(b"\0")[0].lstrip(b" \t")
    return (
        interpreter.decode("utf-8", "surrogateescape"),
        option.decode("utf-8", "surrogateescape"),
    )
