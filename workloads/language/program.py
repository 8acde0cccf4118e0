"""A compiled guest program: how its functions become blocks, and how a process of it starts.

All blocks of all functions become one host module of ``def b<code>_<block>(F, L, G, V)``, compiled
once under the guest file's name with the guest's positions. Its globals hold the helpers of one
``Runtime`` and nothing else: ``__builtins__`` is empty. What does not depend on a run time is made
once; a program of a machine is a copy bound to its run time.
"""

import ast
import copy
import warnings
from collections.abc import Callable
from types import CodeType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from workloads.language import tables
from workloads.language.constant_tables import constant_tables
from workloads.language.context import Context
from workloads.language.frames import Code, Frame, Process
from workloads.language.function_nodes import FunctionNode, parameters
from workloads.language.functions import made_names
from workloads.language.library import (
    CHECK,
    GUEST_LIBRARY_CODES,
    LIBRARY,
    MAIN,
    MAIN_START,
    RAISE,
    RETRY,
    WAKEUP,
)
from workloads.language.open_files import DROP, END, FLUSH, anything_open, dropped
from workloads.language.scopes import FILES, FIXED_GLOBALS, START, ProgramScopes, Scope
from workloads.language.statements import FunctionCompiler
from workloads.language.thread_frames import THREAD
from workloads.language.values import DEFAULT_INT_HANDLER, UNBOUND, function_value

if TYPE_CHECKING:
    from workloads.language.runtime import Runtime

# helpers that stand for calls of C, or turn values into text
_LOOKING: Final = frozenset(
    {
        *(entry[0] for entry in tables.BUILTINS.values()),
        *(
            "_" + entry.helper
            for module in tables.MODULES.values()
            for entry in module.values()
            if isinstance(entry, tables.Pure)
        ),
        *("_method", "_dict_view", "_reversed", "_enumerate", "_zip"),
        *("_format", "_modulo", "_exception"),
    }
)

# what compiling finds out about a function; its blocks are made when it is bound
_COMPILED: Final = tuple([name for name in Code.__slots__ if name != "blocks"])

T = TypeVar("T")


class Program:
    """A compiled guest program: its functions, and how a process of it starts.

    Attributes:
        key: the name the loader knows it by.
        path: the file name in messages of the compiler.
        lines: the source, for tracebacks.
        codes: the module body (index 0) and the functions in source order.
        unchanging: the slots of globals that a forked process may share: ``constant_tables``.
    """

    unchanging: tuple[int, ...] = ()

    runtime: "Runtime"  # set by bind()
    _module: CodeType

    def __init__(self, path: str, source: str) -> None:
        self.key = path
        self.path = path
        self.lines = source.splitlines()
        self.codes: list[Code] = [Code(0, "<module>")]
        self._globals: dict[str, int] = {text: i for i, text in enumerate(FIXED_GLOBALS)}
        self._codes: dict[FunctionNode, Code] = {}

    # ---- while compiling ------------------------------------------------------------------

    def global_slot(self, text: str) -> int:
        """Return the index of a global, made on first use."""
        return self._globals.setdefault(text, len(self._globals))

    def default_slot(self, code: Code, parameter: str) -> int:
        """Return the hidden global that holds the default of a parameter."""
        slot = self.global_slot(f"{code.index}={parameter}")
        code.defaults[parameter] = slot
        return slot

    def code_of(self, node: FunctionNode) -> Code:
        """Return the code of a function, empty until it is compiled."""
        return self._codes[node]

    def compile(self, tree: ast.Module, scopes: ProgramScopes) -> None:
        """Compile every function of a checked module."""
        scopes_of = {node: scope for node, scope in scopes.scopes.items() if not scope.native}
        for node, scope in scopes_of.items():
            code = Code(len(self.codes), scope.name)
            self.codes.append(code)
            self._codes[node] = code
            code.qualname = scope.qualname
            code.free_count = len(scope.free)
            _describe(code, node)
            for text in made_names(node):
                scope.bind(text)
        module = ast.Module([], [])
        parts = [(self.codes[0], scopes.module)]
        parts += [(self._codes[node], scope) for node, scope in scopes_of.items()]
        for code, scope in parts:
            self._lower(code, scope, scopes, module)
        self._module = _name_sets(quietly(lambda: compile(module, self.path, "exec")))
        self._codes = {}  # nobody asks any more, and it holds the whole tree
        self.unchanging = tuple([self._globals[text] for text in constant_tables(tree)])

    def to_plain(self) -> tuple[Any, ...]:
        """Return what was compiled as data and a code object, for ``kept_programs``."""
        codes = [tuple([getattr(code, name) for name in _COMPILED]) for code in self.codes]
        return (self._globals, self._module, self.uses_argv, self.unchanging, codes)

    @classmethod
    def from_plain(cls, path: str, source: str, plain: tuple[Any, ...]) -> "Program":
        """Return the program that ``to_plain`` described."""
        program = cls(path, source)
        program._globals, program._module, program.uses_argv, program.unchanging, codes = plain
        program.codes = []
        for values in codes:
            code = Code(0, "")
            for name, value in zip(_COMPILED, values, strict=True):
                setattr(code, name, value)
            program.codes.append(code)
        return program

    def bind(self, runtime: "Runtime", key: str) -> "Program":
        """Return this program, ready to run, with the helpers and the budget of ``runtime``."""
        program = copy.copy(self)
        program.runtime = runtime
        program.key = key
        program._started_with = ()
        program.codes = [copy.copy(code) for code in self.codes]
        program._link()
        return program

    def _link(self) -> None:
        """Make the blocks of every function."""
        namespace = self.runtime.namespace()
        exec(self._module, namespace)
        for code in self.codes:
            code.blocks = [namespace[f"b{code.index}_{i}"] for i in range(len(code.handlers))]
            namespace[f"f_{code.index}"] = code
            namespace[f"v_{code.index}"] = function_value(code.index, code.name)
            given = len(code.parameters) + code.free_count
            namespace[f"u_{code.index}"] = (UNBOUND,) * (code.locals_count - given)

    def _lower(self, code: Code, scope: Scope, scopes: ProgramScopes, module: ast.Module) -> None:
        lowering = FunctionCompiler(scopes, scope, self)
        lowering.compile()
        code.handlers = lowering.handlers
        code.slots = lowering.exception_slots
        code.sites = lowering.sites
        code.locals_count = lowering.locals_count
        code.names = tuple(lowering.slots)
        arguments = ast.arguments([], [ast.arg(text) for text in "FLGV"], None, [], [], None, [])
        for number, body in enumerate(lowering.blocks):
            function = ast.FunctionDef(
                f"b{code.index}_{number}",
                arguments,
                body or [ast.Return(ast.Constant(None))],
                [],
            )
            module.body.append(ast.fix_missing_locations(function))

    # ---- contexts -------------------------------------------------------------------------

    def start(
        self, argv: tuple[str, ...], env: tuple[tuple[str, str], ...], start: int = 0
    ) -> Context:
        """Return a fresh context; ``argv`` is what ``sys.argv`` will be."""
        if self._started_with != (argv, env):
            self._prepare_start(argv, env)
        values = self._first_values[:]
        if self.uses_argv:
            values[2] = list(argv)
        values[START] = start
        if self._is_command:  # nothing of the process changes before the program changes it
            main = self.codes[0]
            frames = [Frame(MAIN, 0, [0, 0]), Frame(main, 0, [UNBOUND] * main.locals_count)]
        else:
            values[0] = Process(self, values[1], env)
            frames = [Frame(MAIN, MAIN_START, [0, 0])]
        return Context(self.runtime.work, values, frames, -1)

    def _prepare_start(self, argv: tuple[str, ...], env: tuple[tuple[str, str], ...]) -> None:
        """Make what all processes begin with that are started with these arguments."""
        path = argv[0] if argv else self.path
        values: list[Any] = [UNBOUND] * len(self._globals)
        process = values[0] = Process(self, path, env)
        process.shared = True
        values[1] = path
        # a list, so a fork must copy it: only where the program asks for it
        values[2] = None
        values[3] = "/usr/bin/python3"
        values[4] = DEFAULT_INT_HANDLER
        values[FILES] = None
        self._first_values = values
        # an image of /bin stands for a C program, which does not ask where it is
        self._is_command = path.startswith("/") or self.key.startswith("bin_")
        self._started_with = (argv, env)

    # of the last start; a program is mostly started with the same arguments as before
    _started_with: tuple[Any, ...] = ()
    _first_values: list[Any]
    _is_command: bool

    uses_argv = True
    check_code = CHECK
    retry_code = RETRY
    wakeup_code = WAKEUP
    thread_code = THREAD
    drop_code = DROP
    end_code = END
    flush_code = FLUSH
    dropped = staticmethod(dropped)
    anything_open = staticmethod(anything_open)
    raise_code = RAISE

    def looks(self, code: Code, block: int) -> bool:
        """Say whether CPython would call signal handlers somewhere in a block, before its op.

        It does at the end of each call of C, and where a value is turned into text.
        """
        if code.index < 0:
            return False
        plain = code.blocks[block].__code__
        return not _LOOKING.isdisjoint(plain.co_names) or any(
            isinstance(value, CodeType) for value in plain.co_consts
        )

    def thread_frames(self, index: int) -> list[Frame]:
        """Return the first frames of thread ``index``, which is ready to call its function."""
        return [Frame(THREAD, 0, [UNBOUND, index])]

    def code(self, index: int) -> Code:
        """Return the code with this index; negative ones are the library's."""
        if index <= GUEST_LIBRARY_CODES:
            return self.runtime.library_code(index)
        return LIBRARY[-index - 1] if index < 0 else self.codes[index]


def _describe(code: Code, node: FunctionNode) -> None:
    """Fill in the parameters of a function."""
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        args = node.args
        keyword_only = {arg.arg for arg in args.kwonlyargs}
        code.stars = (args.vararg is not None, args.kwarg is not None)
        code.positional_only = len(args.posonlyargs)
        positional = [*args.posonlyargs, *args.args]
        optional = positional[len(positional) - len(args.defaults) :]
        code.optional = (
            *[arg.arg for arg in optional],
            *[a.arg for a, d in zip(args.kwonlyargs, args.kw_defaults) if d is not None],
        )
    else:
        keyword_only = set()
    code.parameters = tuple([(a.arg, a.arg in keyword_only) for a in parameters(node)])


def _name_sets(code: CodeType) -> CodeType:
    """Name the comprehensions of sets: the host compiled them as those of dicts (value ``...``)."""
    inner = [_name_sets(part) if type(part) is CodeType else part for part in code.co_consts]
    name = code.co_name
    if name == "<dictcomp>" and Ellipsis in inner:
        name = "<setcomp>"
    return code.replace(co_consts=tuple(inner), co_name=name)


def quietly(work: Callable[[], T]) -> T:
    """Run a host compilation without its warnings: CPython would print them at every start."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return work()
