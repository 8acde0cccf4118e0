"""Code, call frames, and what the run time keeps per address space: what a context is made of.

A frame is data only: ``(code, pc, locals)``. ``pc`` numbers a block of the code. A block is a host
function ``block(F, L, G, V)`` of its frame, the locals, the globals and the value the frame was
waiting for. It returns

- an int: go on with that block of the same frame;
- ``(nr, …)`` with nr >= 0: a system call; it has set ``F.pc`` to the block that takes the result;
- ``(CALL, code, locals)``: call; likewise;
- ``(RETURN, value)``: the frame is done;
- ``(VALUE, value)``: what might have been a system call was none; here is its result;
- ``(RERAISE, exception)``: go on unwinding with an exception caught earlier in this frame.

An exception in a block, or as the result of a call, continues at the block named in
``code.handlers[pc]`` with the exception as V, or unwinds the frame if that is negative. The block
that takes a call's result lies in the same ``try`` as the call, so one number serves both.

Globals are a list; slot 0 holds the ``Process``: what the run time itself keeps per address space.
"""

from collections.abc import Callable
from typing import Any, Final

Op = tuple[Any, ...]
Block = Callable[["Frame", list[Any], list[Any], Any], Any]

CALL: Final = -1
RETURN: Final = -2
VALUE: Final = -4
RERAISE: Final = -5


class Code:
    """One function, compiled: its blocks and what is known of each of them.

    Attributes:
        index: the position in ``Program.codes``; negative for library code.
        blocks: the host functions.
        handlers: per block, the block that handles its exceptions, or -1.
        slots: per block, the local that holds the exception being handled there, or -1.
        interruptible: handlers may be called when an op of it has come back.
        looks_first: handlers are called before it begins: Python's own functions, and ``print``,
            which turns a value into text before it writes.
        sites: per block, the source range (line, end line, column, end column) of the call it
            takes the result of, or None.
    """

    __slots__ = (
        "blocks",
        "defaults",
        "free_count",
        "generator",
        "handlers",
        "index",
        "interruptible",
        "locals_count",
        "looks_first",
        "name",
        "names",
        "optional",
        "parameters",
        "positional_only",
        "qualname",
        "sites",
        "slots",
        "stars",
    )

    def __init__(self, index: int, name: str) -> None:
        self.index = index
        self.name = name
        self.qualname = name
        self.blocks: list[Block] = []
        self.handlers: list[int] = []
        self.slots: list[int] = []
        self.sites: list[tuple[int, int, int, int] | None] = []
        self.interruptible = True
        self.looks_first = index >= 0
        self.locals_count = 0
        self.names: tuple[str, ...] = ()  # of the locals, temporaries excluded
        self.parameters: tuple[tuple[str, bool], ...] = ()  # name, keyword-only; * and ** last
        self.stars = (False, False)  # whether there is a * parameter, a ** parameter
        self.positional_only = 0
        self.optional: tuple[str, ...] = ()  # those with a default, in order of evaluation
        self.defaults: dict[str, int] = {}  # parameter -> hidden global, of the module's functions
        self.free_count = 0  # cells that come after the parameters
        self.generator = -1  # the local that holds the generator, of a generator function


class Frame:
    """One call in progress."""

    __slots__ = ("blocks", "code", "locals", "pc")

    def __init__(self, code: Code, pc: int, values: list[Any]) -> None:
        self.code = code
        self.blocks = code.blocks
        self.pc = pc
        self.locals = values


class Process:
    """What the run time keeps per address space.

    Attributes:
        program: the compiled program.
        path: ``__file__``, as the program was started.
        env: the environment at start; ``environ`` and ``c_environ`` are None until the program
            changes it (``os.environ``, and what the C library's ``environ`` holds).
        handlers: what ``signal.signal`` was given, by signal; never changed in place.
        tripped: the signals noted and not yet handled, bit n-1 for signal n.
        attention: some were noted since the main thread last looked.
        random: the generator of the module ``random``, None until it has a seed; not forked.
        wakeup_fd: what ``signal.set_wakeup_fd`` was given; ``wakeups``: signals to write there.
        main: the index in ``threads`` of the main thread, -1 unless a thread has forked.
        threads: one ``thread_record`` per ``Thread`` object ever made.
        current: the thread whose frames run now; -1 is the main thread.
        locks: how many locks have been made.
        named: how many threads have got a default name.
        pristine: nothing above has changed since the start.
        shared: a forked process uses this very object; ``own_process`` copies it before a change.
    """

    __slots__ = (
        "attention",
        "c_environ",
        "current",
        "env",
        "environ",
        "handlers",
        "locks",
        "main",
        "named",
        "path",
        "pristine",
        "program",
        "random",
        "shared",
        "threads",
        "tripped",
        "wakeup_fd",
        "wakeups",
    )

    def __init__(self, program: Any, path: str, env: tuple[tuple[str, str], ...]) -> None:
        self.program = program
        self.path = path
        self.env = env
        self.environ: dict[str, str] | None = None
        self.c_environ: dict[str, str] | None = None
        self.handlers: dict[int, Any] = {}
        self.tripped = 0
        self.attention = False
        self.wakeup_fd = -1
        self.random: Any = None
        self.wakeups: tuple[int, ...] = ()
        self.main = -1
        self.threads: list[list[Any]] = []
        self.current = -1
        self.locks = 0
        self.named = 0
        self.pristine = True
        self.shared = False

    def copied(self, survivor: int) -> "Process":
        """Return the record for a forked child, in which only thread ``survivor`` lives on.

        Signals that its parent has yet to handle are not the child's.
        """
        copy = Process(self.program, self.path, self.env)
        copy.environ = None if self.environ is None else dict(self.environ)
        copy.c_environ = None if self.c_environ is None else dict(self.c_environ)
        copy.current = self.current
        copy.locks = self.locks
        copy.named = self.named
        copy.pristine = self.pristine
        copy.handlers = self.handlers
        copy.main = survivor
        copy.wakeup_fd = self.wakeup_fd
        for index, record in enumerate(self.threads):
            record = record[:]
            if index != survivor and record[4] > 0:
                record[4] = -1
            copy.threads.append(record)
        return copy


def own_process(G: list[Any]) -> Process:
    """Return the process record for a change that no forked relative may see."""
    process: Process = G[0]
    if process.shared:
        process = G[0] = process.copied(-1)
    process.pristine = False
    return process
