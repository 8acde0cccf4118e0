"""Calls of function values: which argument goes to which parameter, and what is said if it cannot.

Source: CPython Python/ceval.c:initialize_locals(), missing_arguments(), too_many_positional().
"""

from typing import Any

from workloads.language.bounded import tname
from workloads.language.frames import CALL, RERAISE, RETURN, VALUE, Code, Frame
from workloads.language.values import (
    CALLABLE,
    DEFAULT_INT_HANDLER,
    ENDED,
    PULLERS,
    RUNNING,
    UNBOUND,
    BoundMethod,
    Builtin,
    Closure,
    Function,
    Generator,
    Partial,
    TypeValue,
)

Values = list[Any]


def bind(G: Values, function: Any, args: tuple[Any, ...], words: tuple[str, ...]) -> Any:
    """Return the op that calls a function value; ``words`` name the last of ``args``.

    Raises:
        TypeError: not a function, or the arguments do not fit; CPython's own messages.
    """
    given = len(args) - len(words)
    return call_value(G, function, args[:given], list(zip(words, args[given:], strict=True)))


def bind_words(
    G: Values, function: Any, args: tuple[Any, ...], pairs: tuple[tuple[str | None, Any], ...]
) -> Any:
    """As ``bind``; ``pairs`` are names and values, or None and what stood after ``**``."""
    words: list[tuple[str, Any]] = []
    seen: set[str] = set()
    for name, value in pairs:
        if name is not None:
            items = [(name, value)]
        elif type(value) is dict:
            items = list(value.items())
        else:
            what = called_text(G, function)
            raise TypeError(f"{what} argument after ** must be a mapping, not {tname(value)}")
        for text, item in items:
            if type(text) is not str:
                raise TypeError("keywords must be strings")
            if text in seen:
                what = called_text(G, function)
                raise TypeError(f"{what} got multiple values for keyword argument '{text}'")
            seen.add(text)
            words.append((text, item))
    return call_value(G, function, args, words)


def called_text(G: Values, function: Any) -> str:
    """Return how CPython names what is called. Source: Objects/object.c:_PyObject_FunctionStr()."""
    kind = type(function)
    if kind in (Function, Closure):
        return f"__main__.{code_of(G, function).qualname}()"
    if kind is Builtin:
        return f"{function.qualname}()"
    return f"{function!r}" if kind in CALLABLE else tname(function) + " object"


def code_of(G: Values, function: Any) -> Code:
    """Return the code of a function value."""
    code: Code = G[0].program.code(function.index)
    return code


def call_value(
    G: Values, function: Any, args: tuple[Any, ...], words: list[tuple[str, Any]]
) -> Any:
    """Return the op that calls ``function`` with positional and named arguments."""
    kind = type(function)
    if kind is Function:
        if function.index == DEFAULT_INT_HANDLER.index:
            raise KeyboardInterrupt
        code = code_of(G, function)
        values = {text: G[slot] for text, slot in code.defaults.items()}
        cells: tuple[Any, ...] = ()
    elif kind is Closure:
        code = code_of(G, function)
        values = dict(zip(code.optional, function.defaults, strict=True))
        cells = function.cells
    else:
        return _call_other(G, function, args, words)
    local = laid_out(code, args, words, values)
    first = len(code.parameters)
    local[first : first + len(cells)] = cells
    if code.generator >= 0:
        return (VALUE, generator(code, local))
    return (CALL, code, local)


def _call_other(
    G: Values, function: Any, args: tuple[Any, ...], words: list[tuple[str, Any]]
) -> Any:
    kind = type(function)
    runtime = G[0].program.runtime
    if kind is Builtin:
        return runtime.call_builtin(G, function, args, words)
    if kind is TypeValue:
        return runtime.call_type(G, function, args, words)
    if kind is Partial:
        given = {text for text, _ in words}
        kept = [(text, value) for text, value in function.words.items() if text not in given]
        return call_value(G, function.function, (*function.args, *args), [*kept, *words])
    if kind is BoundMethod:
        names = tuple([name for name, _ in words])
        values = (*args, *[value for _, value in words])
        return runtime.handle_method(G, function.receiver, function.name, values, names)
    raise TypeError(f"'{tname(function)}' object is not callable")


def laid_out(
    code: Code, args: tuple[Any, ...], words: list[tuple[str, Any]], defaults: dict[str, Any]
) -> Values:
    """Return the locals of a new frame of ``code``, parameters filled in."""
    local: Values = [UNBOUND] * code.locals_count
    has_rest, has_words = code.stars
    count = len(code.parameters) - has_rest - has_words
    named = code.parameters[:count]
    positional = [text for text, keyword_only in named if not keyword_only]
    taken = min(len(args), len(positional))
    local[:taken] = args[:taken]
    if has_rest:
        local[count] = args[taken:]
    if has_words:
        local[count + has_rest] = {}
    if words:
        _name_arguments(code, local, words, count)
    if len(args) > len(positional) and not has_rest:
        raise TypeError(_too_many(code, len(args), positional, named, local, defaults))
    missing: dict[bool, list[str]] = {False: [], True: []}
    for i, (text, keyword_only) in enumerate(named):
        if local[i] is UNBOUND:
            if text in defaults:
                local[i] = defaults[text]
            else:
                missing[keyword_only].append(f"'{text}'")
    for keyword_only, names in missing.items():
        if names:
            kind = "keyword-only" if keyword_only else "positional"
            raise TypeError(
                f"{code.qualname}() missing {len(names)} required {kind} argument"
                f"{'s' if len(names) > 1 else ''}: {_listed(names)}"
            )
    return local


def _name_arguments(code: Code, local: Values, words: list[tuple[str, Any]], count: int) -> None:
    """Put named arguments where they belong."""
    has_rest, has_words = code.stars
    hidden = code.positional_only
    places = {text: i for i, (text, _) in enumerate(code.parameters[hidden:count], hidden)}
    for text, value in words:
        place = places.get(text)
        if place is None:
            if has_words:
                local[count + has_rest][text] = value
                continue
            first = {name for name, _ in code.parameters[:hidden]}
            wrong = [f"{name}" for name, _ in words if name in first]
            if wrong:
                raise TypeError(
                    f"{code.qualname}() got some positional-only arguments passed as keyword"
                    f" arguments: '{', '.join(wrong)}'"
                )
            raise TypeError(f"{code.qualname}() got an unexpected keyword argument '{text}'")
        if local[place] is not UNBOUND:
            raise TypeError(f"{code.qualname}() got multiple values for argument '{text}'")
        local[place] = value


def _too_many(
    code: Code,
    given: int,
    positional: list[str],
    named: tuple[tuple[str, bool], ...],
    local: Values,
    defaults: dict[str, Any],
) -> str:
    most = len(positional)
    least = len([text for text in positional if text not in defaults])
    takes = f"{most}" if least == most else f"from {least} to {most}"
    plural = "" if takes == "1" else "s"
    only = sum(
        1 for i, (_, keyword_only) in enumerate(named) if keyword_only and local[i] is not UNBOUND
    )
    extra = ""
    if only:
        extra = f" positional argument{'s' if given != 1 else ''} (and {only} keyword-only argument"
        extra += f"{'s' if only != 1 else ''})"
    was = "was" if given == 1 and not only else "were"
    return (
        f"{code.qualname}() takes {takes} positional argument{plural}"
        f" but {given}{extra} {was} given"
    )


def _listed(names: list[str]) -> str:
    if len(names) < 3:
        return " and ".join(names)
    return ", ".join(names[:-1]) + ", and " + names[-1]


# ---- functions and generators that the program makes --------------------------------------------


def closure(code: Code, defaults: tuple[Any, ...], cells: tuple[Any, ...]) -> Closure:
    """Return a new function value."""
    return Closure(code.index, code.qualname, defaults, cells)


def generator(code: Code, local: Values) -> Generator:
    """Return a generator that has not begun."""
    made = Generator(code.index, code.qualname, 1, local)
    local[code.generator] = made
    return made


def resume(G: Values, source: Generator) -> Any:
    """Begin to get the next item of a generator: the op gives ``(item,)``, or None at the end."""
    if source.pc == RUNNING:
        raise ValueError("generator already executing")
    if source.pc == ENDED:
        source.result = None
        return (VALUE, None)
    return (CALL, G[0].program.code(source.index), source.locals)


def resumed(F: Frame, source: Generator) -> Any:
    """Go on where a generator stands, with what it is sent."""
    pc, source.pc = source.pc, RUNNING
    sent = source.sent
    if sent is None:
        return pc
    source.sent = None
    F.pc = pc
    return (RERAISE if sent[0] else VALUE, sent[1])


def yielded(source: Generator, block: int, value: Any) -> Any:
    """Leave the frame of a generator with a value."""
    source.pc = block
    return (RETURN, (value,))


def ended(source: Generator) -> None:
    """A generator has returned or failed."""
    source.pc = ENDED


def finished(source: Generator, value: Any) -> Any:
    """Leave the frame of a generator for good, with what it returns."""
    source.result = value
    return (RETURN, None)


def result_of(source: Any) -> Any:
    """Return what a generator that has ended returned, once; None of anything else."""
    if type(source) is not Generator:
        return None
    value, source.result = source.result, None
    return value


PULLERS[Generator] = resume
