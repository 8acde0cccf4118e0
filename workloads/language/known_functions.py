"""Functions of modules and builtins as values, and calls of them that only the run time can judge.

Most calls of a module's function are laid out when the program is compiled (``expressions``). What
is called through a variable, with * or **, or with arguments that do not fit, comes here.
"""

from typing import Any, Final

from workloads.language import builtins_library, conversions, tables
from workloads.language.bounded import tname
from workloads.language.errors import FatalRunError
from workloads.language.frames import CALL, RETURN, VALUE, Frame
from workloads.language.known_signatures import signature_error
from workloads.language.library import library
from workloads.language.tables import Param, Pure, Routine, Sys
from workloads.language.values import CALLABLE, Builtin, Partial, TypeValue

Values = list[Any]
Words = list[tuple[str, Any]]

_CONVERTERS: Final = {
    "i": conversions.as_int,
    "n": conversions.as_c_int,
    "m": conversions.as_pid_int,
    "s": conversions.as_cut_int,
    "u": conversions.as_id,
    "d": conversions.as_data,
}
TAKES_FD: Final = ("chdir", "execve")  # a descriptor would do for the path, in CPython
PYTHON_SEARCH: Final = ("execvp",)  # written in Python, which asks os.fspath()


def path_kinds(name: str, parameter: str) -> str:
    """Return how CPython begins its message about a path that is none."""
    kinds = "string, bytes{} os.PathLike{}".format(
        *((",", " or integer") if name in TAKES_FD else (" or", ""))
    )
    return f"{name}: {parameter} should be {kinds}"


def _result_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return L[0]


def _result_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, G[0].program.runtime.namespace_of("_" + L[1])(V))


#: [op, name of what converts its result]
RESULT: Final = library("result", (_result_call, -1), (_result_done, -1))


def call_builtin(G: Values, function: Builtin, args: tuple[Any, ...], words: Words) -> Any:
    """Return the op that calls a module's function or a builtin."""
    if function.module == "builtins":
        return _call_builtin(G, function.name, args, words)
    if function.module == "functools" and args:
        if type(args[0]) not in CALLABLE:
            raise TypeError("the first argument must be callable")
        G[0].program.runtime.bounded.charge(len(args) + 2 * len(words), "a partial function")
        return (VALUE, Partial(args[0], args[1:], dict(words)))
    entry = tables.MODULES[function.module][function.name]
    assert isinstance(entry, Pure | Sys | Routine)
    values = _fit(function, entry.params, args, words)
    values = _all_converted(function.name, entry.params, values)
    runtime = G[0].program.runtime
    if isinstance(entry, Pure):
        return (VALUE, runtime.namespace_of("_" + entry.helper)(G, *values))
    if isinstance(entry, Sys):
        op: Any = (entry.nr, *values)
    else:
        op = runtime.namespace_of("_" + entry.helper)(G, *values)
    if not entry.result:
        return op
    if op[0] == VALUE:
        return (VALUE, runtime.namespace_of("_" + entry.result)(op[1]))
    return (CALL, RESULT, [op, entry.result])


def _all_converted(name: str, params: tuple[Param, ...], given: Values) -> Values:
    values: Values = []
    for param, value in zip(params, given, strict=True):
        if param.rest:
            values.extend(value)
        else:
            values.append(_converted(name, param, value))
    return values


def _converted(name: str, param: Param, value: Any) -> Any:
    if value is None and not param.required and param.default is None:
        return None
    if param.kind == "p":
        if name in PYTHON_SEARCH:
            return conversions.as_path(value)
        return conversions.as_path(value, path_kinds(name, param.name))
    converter = _CONVERTERS.get(param.kind)
    return value if converter is None else converter(value)


def _fit(
    function: Builtin, params: tuple[Param, ...], args: tuple[Any, ...], words: Words
) -> Values:
    """Return one value for each parameter, or raise CPython's TypeError."""
    positional = [p for p in params if not p.keyword_only and not p.rest]
    rest = any(p.rest for p in params)
    names = {p.name for p in params if not p.rest}
    given = dict(zip([p.name for p in positional], args))
    wrong = len(args) > len(positional) and not rest
    for text, value in words:
        wrong = wrong or text not in names or text in given
        given[text] = value
    wrong = wrong or any(p.required and p.name not in given for p in params)
    if wrong:
        raise TypeError(signature_error(function, params, args, words))
    return [args[len(positional) :] if p.rest else given.get(p.name, p.default) for p in params]


def _call_builtin(G: Values, name: str, args: tuple[Any, ...], words: Words) -> Any:
    runtime = G[0].program.runtime
    if name == "print":
        return runtime.print_call(G, args, words)
    if name in tables.STREAM_BUILTINS:
        values = (*args, *[value for _, value in words])
        begin = runtime.namespace_of(tables.STREAM_BUILTINS[name])
        return begin(G, values, tuple([text for text, _ in words]))
    helper, least, most = tables.BUILTINS[name]
    allowed = tables.BUILTIN_WORDS.get(name, frozenset())
    unknown = name not in tables.ANY_WORDS and any(text not in allowed for text, _ in words)
    given = len(args) + (len(words) if name in tables.NAMED else 0)
    if unknown or not least <= given <= most:
        if name == "type" and len(args) == 3 and not words:
            _refuse_class(*args)
        raise TypeError(builtin_error(name, args, words))
    if name in tables.KEYED and any(text == "key" for text, _ in words):
        return builtins_library.keyed(G, name, args, words)
    if name == "next":
        return builtins_library.next_item(G, *args)
    if name in ("min", "max") and len(args) > 1:
        return (VALUE, runtime.namespace_of(helper)(*args, **dict(words)))
    if name in tables.CONSUMERS and args:
        return builtins_library.consume(G, helper, args[0], args[1:], words)
    if name in tables.WITH_GLOBALS:
        return (VALUE, runtime.namespace_of(helper)(G, *args, **dict(words)))
    if name in tables.LAZY:
        made: dict[str, Any] = {
            "enumerate": builtins_library.enumerated,
            "zip": builtins_library.zipped,
        }
        if name in made:
            return (VALUE, made[name](G, *args, **dict(words)))
        view = runtime.namespace_of(helper)(G, *args)
        return (VALUE, builtins_library.iterator(G, view))
    return (VALUE, runtime.namespace_of(helper)(*args, **dict(words)))


def _refuse_class(name: Any, bases: Any, names: Any) -> None:
    """``type(name, bases, names)``, which makes a class, where the compiler could not see it.

    Source: CPython Objects/typeobject.c:type_new_init(), for what does not get as far.
    """
    wanted = ((name, str, "str"), (bases, tuple, "tuple"), (names, dict, "dict"))
    for place, (value, kind, text) in enumerate(wanted, 1):
        if type(value) is not kind:
            what = f"argument {place} must be {text}, not {tname(value)}"
            raise TypeError(f"type.__new__() {what}")
    raise FatalRunError(
        "type() with three arguments makes a class, and there are none in the guest"
        " language; write functions over dicts or tuples"
    )


def builtin_error(name: str, args: tuple[Any, ...], words: Words) -> str:
    """Return CPython's text about a call of a builtin whose arguments do not fit."""
    _, least, most = tables.BUILTINS[name]
    if words and name not in tables.BUILTIN_WORDS and name not in tables.ANY_WORDS:
        return f"{name}() takes no keyword arguments"
    bad = [text for text, _ in words if text not in tables.BUILTIN_WORDS.get(name, ())]
    if bad and name not in tables.ANY_WORDS:
        return f"'{bad[0]}' is an invalid keyword argument for {name}()"
    given = len(args)
    if name == "type":
        return "type() takes 1 or 3 arguments"
    if least == most == 1 and name not in ("sorted",):
        return f"{name}() takes exactly one argument ({given} given)"
    if least == most:
        return f"{name} expected {least} argument{'s' if least != 1 else ''}, got {given}"
    edge, bound = ("at least", least) if given < least else ("at most", most)
    return f"{name} expected {edge} {bound} argument{'s' if bound != 1 else ''}, got {given}"


def call_type(G: Values, kind: TypeValue, args: tuple[Any, ...], words: Words) -> Any:
    """Return the op that calls a type: makes a value or an exception."""
    if kind.name in tables.BUILTINS:
        return _call_builtin(G, kind.name, args, words)
    if kind.kind is None or not issubclass(kind.kind, BaseException):
        raise TypeError(f"cannot create '{kind.name}' instances")
    if words:
        raise TypeError(f"{kind.name}() takes no keyword arguments")
    return (VALUE, kind.kind(*args))
