"""Prints how good the running Python is for .venv: rank, executable and words, with tabs between.

Nothing is printed, and the exit code is 1, where smplab cannot run or no environment be made. Run
by ``make_venv``, with whatever python3 there is: one too old to read this is passed over.
"""

import importlib.util
import os
import shutil
import sys
import sysconfig


def is_optimised():
    """Return whether this interpreter was built with a profile of itself (PGO)."""
    if sysconfig.get_config_var("Py_DEBUG"):
        return False
    if "'--enable-optimizations'" in (sysconfig.get_config_var("CONFIG_ARGS") or ""):
        return True
    flags = " ".join(str(v) for n, v in sysconfig.get_config_vars().items() if "CFLAGS" in n)
    if "-fprofile-use" in flags or "-fprofile-instr-use" in flags:
        return True
    # Debian's build passes the profile to make, so that sysconfig does not know of it; but all
    # distributions build theirs with one
    return sys.base_prefix == "/usr"


def can_be_compiled_for():
    """Return whether there are Python's C headers and a C compiler."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    header = os.path.join(sysconfig.get_path("include"), "Python.h")
    return os.path.isfile(header) and shutil.which(compiler) is not None


def main():
    """Print the line."""
    if sys.version_info < (3, 11) or not sys.executable:
        return 1
    if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
        return 1
    headers, optimised = can_be_compiled_for(), is_optimised()
    rank = 4 * (sys.version_info[:2] == (3, 11)) + 2 * headers + optimised
    how = "with" if optimised else "without"
    lacking = "" if headers else "; the core cannot be compiled for it"
    version = sys.version.split()[0]
    words = f"Python {version}, {sys.executable}, built {how} optimisations{lacking}"
    print(f"{rank}\t{sys.executable}\t{words}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
