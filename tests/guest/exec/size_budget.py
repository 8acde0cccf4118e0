"""One string may have 131071 bytes; all of them a quarter of the stack limit, pointers included."""

import os

LONGEST = "a" * 131071


def attempt(name, arguments, environment):
    pid = os.fork()
    if pid == 0:
        try:
            os.execve("/bin/true", ["true"] + arguments, environment)
        except OSError as error:
            os._exit(error.errno)
    print(name, os.waitpid(pid, 0)[1] >> 8)


attempt("longest argument", [LONGEST], {})
attempt("one byte more", [LONGEST + "a"], {})
attempt("bytes count, not letters", ["\u00e4" * 65535], {})
attempt("bytes count, not letters", ["\u00e4" * 65536], {})
attempt("longest variable", [], {"N": LONGEST[2:]})
attempt("one byte more", [], {"N": LONGEST[1:]})
attempt("fifteen of the longest", [LONGEST] * 15, {})
attempt("seventeen of the longest", [LONGEST] * 17, {})
attempt("both kinds count", [LONGEST] * 9, {f"N{i}": LONGEST[5:] for i in range(8)})
attempt("many small ones", [""] * 200000, {})
attempt("too many small ones", [""] * 240000, {})
