"""Runs a guest program natively with a clock: from when all are ready to when it has ended.

Run by path: ``python3 stage.py GATE READY NOTES TIMED PROGRAM ARG...``. The interpreter starts,
imports what the program will import, and compiles it; it says so on READY, the write end of a pipe,
and waits until GATE, the read end of another, says that everybody is. So what is measured is the
program, as on the emulated machine, whose programs are compiled before its time begins. Nor does
the interpreter's own end count.

NOTES is a file that grows by whole records: a letter and a number. If TIMED is 1 each call that
makes or awaits a process leaves one; the calls of a child's other half do not.

====== =====================================
F      ns that a call took which made a child
W      ns that a wait took
E      CLOCK_MONOTONIC of the program's end
C      ns of CPU time, descendants included
S      switches, descendants included
====== =====================================
"""

import ast
import contextlib
import fcntl
import importlib
import os
import resource
import sys
import time
from collections.abc import Callable
from struct import Struct
from typing import Any, Final

RECORD: Final = Struct("<cq")
_FD: Final = 200  # out of the way of the program's own descriptors
_MAKERS: Final = ("fork", "posix_spawn")
_WAITS: Final = ("wait", "waitpid", "wait3", "wait4", "waitid")


def timed(call: Callable[..., Any], kind: bytes, note: Callable[[bytes, int], None]) -> Any:
    """Return ``call`` with a note of how long it took, where it returns to its caller."""
    clock = time.monotonic_ns

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        begin = clock()
        result = call(*args, **kwargs)
        if result != 0:
            note(kind, clock() - begin)
        return result

    return wrapped


def import_ahead(tree: ast.Module) -> None:
    """Import what a program imports; what is missing it will tell itself."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


def used() -> tuple[int, int]:
    """Return CPU time and switches of this process and of those it has waited for."""
    cpu_ns, switches = time.process_time_ns(), 0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        switches += usage.ru_nvcsw + usage.ru_nivcsw
        if who == resource.RUSAGE_CHILDREN:
            cpu_ns += round((usage.ru_utime + usage.ru_stime) * 1e9)
    return cpu_ns, switches


def main() -> None:
    """Run the program; see the module header."""
    gate, ready = int(sys.argv[1]), int(sys.argv[2])
    notes, with_calls, program = sys.argv[3:6]
    file = os.open(notes, os.O_WRONLY | os.O_APPEND)
    output = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _FD)
    os.close(file)
    write = os.write

    def note(kind: bytes, number: int) -> None:
        write(output, RECORD.pack(kind, number))

    sys.argv = sys.argv[5:]
    sys.path[0] = os.path.dirname(program)
    with open(program, encoding="utf-8") as text:
        tree = ast.parse(text.read(), program)
    import_ahead(tree)
    code = compile(tree, program, "exec")
    del tree  # thousands of objects, which each process below would go through for garbage
    if with_calls == "1":
        for names, kind in ((_MAKERS, b"F"), (_WAITS, b"W")):
            for name in names:
                setattr(os, name, timed(getattr(os, name), kind, note))
    os.write(ready, b"r")
    os.close(ready)
    os.read(gate, 1)
    os.close(gate)
    me = os.getpid()
    cpu_ns, switches = used()
    status = 0
    try:
        exec(code, {"__name__": "__main__", "__file__": program})
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    sys.stdout.flush()
    if os.getpid() == me:
        end_ns = time.monotonic_ns()
        cpu_end_ns, switches_end = used()
        note(b"E", end_ns)
        note(b"C", cpu_end_ns - cpu_ns)
        note(b"S", switches_end - switches)
    os._exit(status)


if __name__ == "__main__":
    main()
