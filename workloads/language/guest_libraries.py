"""Libraries in the guest language: what CPython does in Python, or in C with calls of the program.

They are compiled as programs are, once, when a run time first needs them, and bound to that run
time. Each has 10,000 indices of codes of its own, below those of the hand-written library
(``library``). Their functions leave no traceback entries.
"""

import ast
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from workloads.language import kept_programs
from workloads.language.frames import Code
from workloads.language.library import GUEST_LIBRARY_CODES
from workloads.language.program import Program
from workloads.language.scopes import ProgramScopes

if TYPE_CHECKING:
    from workloads.language.runtime import Runtime


class GuestLibrary(NamedTuple):
    """One library.

    Attributes:
        files: its texts, compiled as one.
        interruptible: the program's signal handlers may be called between two of its calls.
    """

    files: tuple[str, ...]
    interruptible: bool


#: By name, in the order of their indices: a new one goes to the end.
LIBRARIES: Final = {
    "threading": GuestLibrary(("threading.py", "queue.py"), True),
    "iteration": GuestLibrary(("iteration.py",), True),
    "io": GuestLibrary(("buffered.py", "text.py", "system.py"), False),
}
_NAMES: Final = tuple(LIBRARIES)


@functools.cache
def _compiled(name: str) -> Program:
    """Return a library as a program that is bound to no run time yet."""
    folder = Path(__file__).with_name("libraries")
    files = LIBRARIES[name].files
    source = "\n".join((folder / file).read_text("utf-8") for file in files)
    kept = kept_programs.load(source, name)
    if kept is not None:
        return Program.from_plain(files[0], source, kept)
    tree = ast.parse(source, files[0])
    program = Program(files[0], source)
    program.compile(tree, ProgramScopes(tree))
    kept_programs.save(source, name, program.to_plain())
    return program


def bind_library(name: str, runtime: "Runtime") -> tuple[Code, ...]:
    """Return the functions of a library in the order of their indices, bound to ``runtime``."""
    codes = _compiled(name).bind(runtime, f"<{name}>").codes[1:]
    first = GUEST_LIBRARY_CODES * (_NAMES.index(name) + 1)
    for number, code in enumerate(codes):
        code.index = first - number
        code.sites = [None] * len(code.sites)
        code.interruptible = LIBRARIES[name].interruptible
    return tuple(codes)


def library_of(index: int) -> tuple[str, int]:
    """Return the library that has the code with this index, and which of its functions it is."""
    number, place = divmod(index, GUEST_LIBRARY_CODES)
    return _NAMES[number - 1], -place
