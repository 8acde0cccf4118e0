"""The namespace that compiled blocks see: helpers, and no builtins."""

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from workloads.language import (
    binding,
    block_helpers,
    builtins_library,
    calls,
    clocks,
    clones,
    conversions,
    environment,
    file_states,
    filecalls,
    handle_methods,
    ipc,
    known_functions,
    mathcalls,
    memory_calls,
    open_files,
    paths,
    process_calls,
    queues,
    randomcalls,
    resources,
    shell_calls,
    signals,
    spawning,
    streams,
    sync,
    tables,
    text_codec,
    thread_calls,
    traceback_calls,
    type_values,
)
from workloads.language.bounded import Bounded, Work, tname
from workloads.language.charges import BUILTINS, Rules, ruled
from workloads.language.dict_views import LIVE_VIEWS
from workloads.language.exception_values import IMPORTED_EXCEPTIONS
from workloads.language.frames import CALL, RETURN, VALUE, Code
from workloads.language.guest_libraries import bind_library, library_of
from workloads.language.methods import attribute, make_caller, make_methods
from workloads.language.sets import GuestSet
from workloads.language.values import (
    CALLABLE,
    UNBOUND,
    BoundMethod,
    Builtin,
    FileHandle,
    SyncHandle,
    ThreadHandle,
    function_name,
)
from workloads.language.views import (
    DictView,
    EnumerateView,
    Pull,
    ReversedView,
    StrictZipView,
    View,
    ZipView,
)
from workloads.language.weights import DEFAULT_MEMORY, HOST_RECURSION, SMALL

_HELPER_MODULES = (
    conversions,
    queues,
    text_codec,
    file_states,
    open_files,
    shell_calls,
    traceback_calls,
    randomcalls,
    spawning,
    paths,
    clocks,
    builtins_library,
    signals,
    ipc,
    resources,
    filecalls,
    clones,
    sync,
    streams,
    calls,
    environment,
    memory_calls,
    process_calls,
    thread_calls,
)  # where the names of ``tables`` are looked for
_WHAT = {"keys": 0, "values": 1, "items": 2}

# What a program sees of limits is CPython's default, not this process's: values are refused at a
# depth of their own (see ``weights``) that the host must allow.
if sys.getrecursionlimit() < HOST_RECURSION:
    sys.setrecursionlimit(HOST_RECURSION)
sys.set_int_max_str_digits(4300)


@cache
def _names_of_tables() -> dict[str, Any]:
    """Return what follows from the tables of modules, built-ins, types and exceptions."""
    space: dict[str, Any] = {}
    for module_name, names in tables.MODULES.items():
        prefix = f"k_{module_name.replace('.', '_')}__"
        for text, entry in names.items():
            if isinstance(entry, tables.Pure | tables.Sys | tables.Routine):
                space[prefix + text] = Builtin(module_name, text)
            elif isinstance(entry, tables.Value):
                space["s" + prefix[1:] + text] = entry.value
    for text in (*tables.BUILTINS, *tables.STREAM_BUILTINS, "print"):
        space["k_builtins__" + text] = Builtin("builtins", text)
    for text in (*tables.TYPES, *tables.EXCEPTIONS):
        space["y_" + text] = type_values.named_type(text)
    space.update(("t_" + name, kind) for name, kind in tables.TYPES.items())
    space.update(("x_" + name, kind) for name, kind in tables.EXCEPTIONS.items())
    for kind in IMPORTED_EXCEPTIONS:
        space["x_" + kind.__name__] = kind
    for module in [*tables.MODULES.values(), *tables.LIBRARY_MODULES.values()]:
        for entry in module.values():
            if isinstance(entry, tables.Pure | tables.Routine | tables.Made):
                space["_" + entry.helper] = _helper(entry.helper)
            if isinstance(entry, tables.Sys | tables.Routine) and entry.result:
                space["_" + entry.result] = _helper(entry.result)
    return space


class Runtime:
    """Helpers bound to one block budget; shared by all programs of a loader."""

    def __init__(
        self, block_budget: int, cpus: int = 0, guest_memory: int = DEFAULT_MEMORY
    ) -> None:
        self.cpus = cpus  # of the machine; 0: not known
        self.work = Work(block_budget, guest_memory)
        self.bounded = Bounded(self.work)
        self.call_method = make_caller(make_methods(self.bounded))
        self._namespace = self._build()
        self._libraries: dict[str, dict[str, Code]] = {}  # see ``guest_libraries``

    def namespace(self) -> dict[str, Any]:
        """Return a fresh namespace for the blocks of one program."""
        return dict(self._namespace)

    def library(self, name: str) -> dict[str, Code]:
        """Return the functions of a library in the guest language by name, made at first use."""
        codes = self._libraries.get(name)
        if codes is None:
            bound = bind_library(name, self)
            codes = self._libraries[name] = {code.name: code for code in bound}
        return codes

    def library_code(self, index: int) -> Code:
        """Return the function with this index of a library in the guest language."""
        name, place = library_of(index)
        return list(self.library(name).values())[place]

    def namespace_of(self, helper: str) -> Any:
        """Return one helper of the blocks."""
        return self._namespace[helper]

    def _build(self) -> dict[str, Any]:
        return {
            **self._operators(),
            **self._makers(),
            **self._methods(),
            **self._steps(),
            **self._others(),
            **_names_of_tables(),
        }

    def _operators(self) -> dict[str, Any]:
        """Return what operators and small built-ins become."""
        b = self.bounded
        return {
            "__builtins__": {},
            "_W": self.work,
            "_U": UNBOUND,
            "_RETURN_NONE": (RETURN, None),
            "_len": memory_calls.length,
            "_slice": slice,
            "_bool": bool,
            "_float": self._ruled("float", float),
            "_abs": b.absolute,
            "_ord": ord,
            "_chr": chr,
            "_hex": self._ruled("hex", hex),
            "_divmod": b.divided,
            "_isinstance": isinstance,
            "_caught": isinstance,  # of except
            "_weigh": b.weigh,
            "_container": b.container,
            "_contains": b.contains,
            "_part": b.part,
            "_big": b.big,
            "_SMALL": SMALL,
            "_subtract": b.subtract,
            "_floor_divide": b.floor_divide,
            "_true_divide": b.true_divide,
            "_rshift": b.rshift,
            "_bit_or": b.bit_or,
            "_bit_and": b.bit_and,
            "_bit_xor": b.bit_xor,
            "_negative": b.negative,
            "_positive": b.positive,
            "_inverted": b.inverted,
            "_add": b.add,
            "_mul": b.mul,
            "_modulo": b.modulo,
            "_power": b.power,
            "_lshift": b.lshift,
            "_inplace_add": b.inplace_add,
            "_inplace_mul": b.inplace_mul,
            "_inplace": b.inplace,
        }

    def _makers(self) -> dict[str, Any]:
        """Return what makes values and goes through them."""
        b = self.bounded
        return {
            "_new_tuple": b.new_tuple,
            "_iterate": b.iterate,
            "_loop_source": b.loop_source,
            "_pull_source": b.pull_source,
            "_unpack": b.unpack,
            "_format": b.format,
            "_join_text": b.join_text,
            "_set_slice": b.set_slice,
            "_key": b.stored_key,
            "_range": b.new_range,
            "_new_int": b.new_int,
            "_new_str": b.new_str,
            "_new_bytes": b.new_bytes,
            "_new_bytearray": b.new_bytearray,
            "_new_list": b.new_list,
            "_new_tuple_of": b.new_tuple_of,
            "_new_dict": b.new_dict,
            "_new_set": b.new_set,
            "_set_of": b.set_of,
            "_set_of_constants": b.set_of_constants,
            "_constant_set": b.constant_set,
            "_smallest": b.smallest,
            "_largest": b.largest,
            "_total": b.total,
            "_ordered": b.ordered,
            "_repr": b.representation,
            "_any_of": b.any_of,
            "_all_of": b.all_of,
        }

    def _methods(self) -> dict[str, Any]:
        """Return what calls methods, and files."""
        b = self.bounded
        return {
            "_reversed": self._reversed,
            "_enumerate": self._enumerate,
            "_zip": self._zip,
            "_dict_view": self._dict_view,
            "_live_view": self._live_view,
            "_method": self.call_method,
            "_handle_method": self.handle_method,
            "_attribute": _attribute,
            "_print": self.print_values,
            "_stdio": file_states.stdio,
            "_open": streams.open_call,
            "_input": streams.input_call,
            "_mapping_load": lambda target, key: memory_calls.mapping_load(b, target, key),
            "_mapping_store": lambda target, key, value: memory_calls.mapping_store(
                b, target, key, value
            ),
        }

    def _steps(self) -> dict[str, Any]:
        """Return what calls functions, and drives generators and iterators."""
        b = self.bounded
        return {
            "_bind": binding.bind,
            "_bind_words": binding.bind_words,
            "_closure": binding.closure,
            "_generator": binding.generator,
            "_resumed": binding.resumed,
            "_yielded": binding.yielded,
            "_ended": binding.ended,
            "_finished": binding.finished,
            "_result_of": binding.result_of,
            "_Pull": Pull,
            "_pull": builtins_library.pull,
            "_pulled": builtins_library.pulled,
            "_collected": builtins_library.collected,
            "_spread": builtins_library.spread,
            "_unpacked": b.unpacked,
            "_iterable": builtins_library.iterable,
            "_iter": builtins_library.iterator,
            "_next": builtins_library.next_item,
            "_map": builtins_library.mapped,
            "_filter": builtins_library.filtered,
            "_enumerated": builtins_library.enumerated,
            "_zipped": builtins_library.zipped,
            "_consume": builtins_library.consume,
            "_consume_method": builtins_library.consume_method,
            "_keyed": builtins_library.keyed,
            "_list_sort": builtins_library.list_sort,
            "_type_of": type_values.type_of,
            "_types_of": type_values.types_of,
            "_is_instance": type_values.is_instance,
            "_matches": type_values.matches,
            "_bound_method": BoundMethod,
            "_callable": _callable,
        }

    def _others(self) -> dict[str, Any]:
        """Return names, conversions and what else blocks need."""
        b = self.bounded
        return {
            "_mapping": b.mapping,
            "_round": b.rounded,
            "_pow": b.pow,
            "_bin": b.binary_text,
            "_oct": b.octal_text,
            "_ascii": b.ascii_text,
            "_free": block_helpers.free,
            "_assigned": block_helpers.assigned,
            "_site_exit": calls.site_exit,
            "_local": block_helpers.local,
            "_global": block_helpers.global_,
            "_global_or": block_helpers.global_or,
            "_exception": block_helpers.exception,
            "_raisable": block_helpers.raisable,
            "_caused": block_helpers.caused,
            "_enter": handle_methods.enter,
            "_leave": handle_methods.leave,
            "_as_int": conversions.as_int,
            "_as_c_int": conversions.as_c_int,
            "_as_pid_int": conversions.as_pid_int,
            "_as_cut_int": conversions.as_cut_int,
            "_as_id": conversions.as_id,
            "_as_path": self._as_path,
            "_as_data": self._as_data,
            "_as_walked": b.walked,
            "_environ_get": environment.environ_get,
            "_environ_set": environment.environ_set,
            "_environ_copy": environment.environ_copy,
        }

    def _as_path(self, value: Any, *should: str) -> str:
        return conversions.as_path(self.bounded.walked(value), *should)

    def _as_data(self, value: Any) -> bytes:
        return conversions.as_data(self.bounded.walked(value))

    def _ruled(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        return ruled(Rules(self.work), BUILTINS[name], function)

    def _reversed(self, G: list[Any], value: Any) -> View:
        if type(value) is GuestSet:
            raise TypeError("'set' object is not reversible")
        if isinstance(value, EnumerateView | ZipView | ReversedView):
            kind = type(value).__name__.removesuffix("View").removeprefix("Strict").lower()
            raise TypeError(f"'{kind}' object is not reversible")
        source = self.bounded.loop_source(value)
        return ReversedView(source, len(source) - 1)

    def _enumerate(self, G: list[Any], value: Any, start: Any = 0) -> Any:
        if builtins_library.is_iterator(value):
            return builtins_library.enumerated(G, value, conversions.as_int(start))
        return EnumerateView(self.bounded.loop_source(value), conversions.as_int(start))

    def _zip(self, G: list[Any], *values: Any, strict: Any = False) -> Any:
        if any(builtins_library.is_iterator(value) for value in values):
            return builtins_library.zipped(G, *values, strict=strict)
        sources = [self.bounded.loop_source(value) for value in values]
        return StrictZipView(*sources) if strict else ZipView(*sources)

    def _dict_view(self, value: Any, name: str) -> View:
        if type(value) is not dict:
            raise AttributeError(f"'{tname(value)}' object has no attribute '{name}'")
        self.bounded.charge(len(value), "an iteration inside one block")
        return DictView(value, tuple(value), _WHAT[name])

    def _live_view(self, value: Any, name: str) -> View:
        if type(value) is not dict:
            raise AttributeError(f"'{tname(value)}' object has no attribute '{name}'")
        return LIVE_VIEWS[_WHAT[name]](value)

    call_builtin = staticmethod(known_functions.call_builtin)
    call_type = staticmethod(known_functions.call_type)

    def print_call(self, G: list[Any], args: tuple[Any, ...], words: list[tuple[str, Any]]) -> Any:
        """Begin ``print(*args, **words)``."""
        named = dict(words)
        for text in named:
            if text not in ("sep", "end", "flush", "file"):
                raise TypeError(f"'{text}' is an invalid keyword argument for print()")
        words_of = [named.get(word) for word in ("sep", "end", "flush")]
        return self.print_values(G, named.get("file"), args, *words_of)

    def handle_method(self, G: list[Any], receiver: Any, name: str, args: Any, words: Any) -> Any:
        """Begin a method call, of a handle or of anything else."""
        return handle_methods.handle_method(self.call_method, G, receiver, name, args, words)

    def print_values(
        self, G: list[Any], file: Any, values: tuple[Any, ...], sep: Any, end: Any, flush: Any
    ) -> Any:
        """Begin ``print(*values, file=, sep=, end=, flush=)``."""
        for word, value in (("sep", sep), ("end", end)):
            if value is not None and type(value) is not str:
                raise TypeError(f"{word} must be None or a string, not {tname(value)}")
        if self.work.print_later:
            return (CALL, streams.PRINT_LATER, [file, values, sep, end, flush])
        text = self.bounded.text
        if file is None:
            file = file_states.stdio(G, 1)
            if file is None:
                return (VALUE, None)
        between = " " if sep is None else sep
        pieces: list[str] = []
        for value in values:
            if pieces:
                pieces.append(between)
            pieces.append(text(value))
        pieces.append("\n" if end is None else end)
        return streams.print_pieces(G, file, tuple(pieces), bool(flush))

    def report(self, G: list[Any], lines: list[str]) -> Any:
        """Return the op that writes lines to sys.stderr, None if it is closed."""
        return streams.report(G, lines)


def _helper(name: str) -> Callable[..., Any]:
    """Return the function that an entry of ``tables`` names."""
    if name in randomcalls.HELPERS:
        drawn: Callable[..., Any] = randomcalls.HELPERS[name]
        return drawn
    if name in mathcalls.FUNCTIONS:
        made: Callable[..., Any] = mathcalls.FUNCTIONS[name]
        return made
    for module in _HELPER_MODULES:
        found: Callable[..., Any] | None = getattr(module, name, None)
        if found is not None:
            return found
    raise AttributeError(f"no helper is called {name}")


def _callable(value: Any) -> bool:
    return type(value) in CALLABLE


def _attribute(G: list[Any], value: Any, name: str) -> Any:
    if name == "args" and isinstance(value, BaseException):
        return G[0].program.runtime.bounded.new_tuple(value.args)
    if name == "__class__":
        return type_values.type_of(value)
    if name == "__name__" and type(value) in CALLABLE:
        return function_name(value)
    if type(value) is SyncHandle:
        if value.kind in queues.KINDS:
            return queues.attribute(value, name)
        return sync.attribute(value, name)
    if type(value) is FileHandle:
        return streams.attribute(value, name)
    if type(value) is ThreadHandle:
        if value.index < 0:
            return thread_calls.main_thread_attribute(name)
        record = G[0].threads[value.index]
        if name == "daemon":
            return record[3]
        if name == "name":
            return record[2]
        if name in ("native_id", "ident"):
            return record[4] if record[4] > 0 else None
    return attribute(value, name)
