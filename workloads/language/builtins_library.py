"""Builtin functions that call functions of the program or walk iterators.

Their code is ``libraries/iteration.py``, in the guest language; here are what it calls in the
host's Python and how the calls begin.
"""

from typing import Any, Final

from workloads.language import binding
from workloads.language.bounded import tname
from workloads.language.errors import FatalRunError
from workloads.language.frames import CALL, RETURN, VALUE, Frame
from workloads.language.library import library
from workloads.language.sets import GuestSet
from workloads.language.values import PULLERS, UNBOUND
from workloads.language.views import Pull, View

Values = list[Any]


def call(G: Values, name: str, *args: Any) -> Any:
    """Return the op that calls a function of the library; of a generator function, the value."""
    code = G[0].program.runtime.library("iteration")[name]
    local = [*args, *(UNBOUND,) * (code.locals_count - len(args))]
    return binding.generator(code, local) if code.generator >= 0 else (CALL, code, local)


# ---- iterators ----------------------------------------------------------------------------------


def is_iterator(value: Any) -> bool:
    """Tell whether a value gives its items by being pulled."""
    return type(value) in PULLERS


def pull(G: Values, source: Pull) -> Any:
    """Return the op that gets the next item of what a loop walks."""
    return PULLERS[type(source.source)](G, source.source)


def pulled(source: Pull, got: Any) -> None:
    """Take in what ``pull`` has got."""
    if got is None:
        source.done = True
        source.item = None
    else:
        source.item = got[0]
        source.count += 1


def collected(G: Values, value: Any) -> Any:
    """Return the op that makes a list of an iterator; of anything else, the value."""
    return call(G, "collect", value) if is_iterator(value) else (VALUE, value)


def spread(G: Values, function: Any, value: Any) -> Any:
    """Return what stands for ``*value`` in a call."""
    if is_iterator(value):
        raise FatalRunError("an iterator reached a place where the compiler did not expect one")
    try:
        return G[0].program.runtime.bounded.iterate(value)
    except TypeError:
        what = binding.called_text(G, function)
        text = f"{what} argument after * must be an iterable, not {tname(value)}"
        raise TypeError(text) from None


def iterable(value: Any) -> Any:
    """Check the source of a generator expression where the expression stands."""
    if isinstance(value, View | str | bytes | bytearray | list | tuple | dict | GuestSet | range):
        return value
    if is_iterator(value):
        return value
    raise TypeError(f"'{tname(value)}' object is not iterable")


def iterator(G: Values, value: Any) -> Any:
    """Return ``iter(value)``."""
    return value if is_iterator(value) else call(G, "iterate", iterable(value))


def next_item(G: Values, source: Any, *default: Any) -> Any:
    """Begin ``next(source, default)``."""
    if not is_iterator(source):
        raise TypeError(f"'{tname(source)}' object is not an iterator")
    return (CALL, NEXT, [source, *default])


def _next_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return PULLERS[type(L[0])](G, L[0])


def _next_got(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if V is not None:
        return (RETURN, V[0])
    result = binding.result_of(L[0])
    if len(L) > 1:
        return (RETURN, L[1])
    raise StopIteration if result is None else StopIteration(result)


#: [iterator, default if there is one]
NEXT: Final = library("next", (_next_call, -1), (_next_got, -1))


def mapped(G: Values, function: Any, *sources: Any) -> Any:
    """Return ``map(function, *sources)``."""
    if len(sources) == 1:
        return call(G, "map_one", function, iterable(sources[0]))
    return call(G, "map_many", function, [iterator(G, source) for source in sources])


def filtered(G: Values, function: Any, source: Any) -> Any:
    """Return ``filter(function, source)``."""
    return call(G, "filter_", function, iterable(source))


def enumerated(G: Values, source: Any, start: Any = 0) -> Any:
    """Return ``enumerate(source, start)`` as an iterator."""
    return call(G, "enumerate_", iterable(source), start)


def zipped(G: Values, *sources: Any, strict: Any = False) -> Any:
    """Return ``zip(*sources)`` as an iterator."""
    return call(G, "zip_", [iterator(G, source) for source in sources], bool(strict))


# ---- builtins that are given iterators ----------------------------------------------------------


def _consume_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return call(G, "collect", L[1])


def _consume_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, G[0].program.runtime.namespace_of(L[0])(V, *L[2], **L[3]))


#: [helper, iterator, further arguments, named arguments]: collects, then calls the helper
CONSUME: Final = library("consume", (_consume_call, -1), (_consume_done, -1))


def consume(G: Values, helper: str, source: Any, args: tuple[Any, ...], words: Any) -> Any:
    """Begin a builtin function that walks ``source``, which may be an iterator."""
    if not is_iterator(source):
        return (VALUE, G[0].program.runtime.namespace_of(helper)(source, *args, **dict(words)))
    if helper in ("_any_of", "_all_of"):
        return call(G, "any_" if helper == "_any_of" else "all_", source)
    return (CALL, CONSUME, [helper, source, args, dict(words)])


def consume_method(G: Values, receiver: Any, name: str, source: Any) -> Any:
    """Begin a method that walks its argument, which may be an iterator."""
    if not is_iterator(source):
        return (VALUE, G[0].program.runtime.call_method(receiver, name, source))
    return (CALL, CONSUME_METHOD, [receiver, name, source])


def _method_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return call(G, "collect", L[2])


def _method_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, G[0].program.runtime.call_method(L[0], L[1], V))


#: [receiver, method, iterator]
CONSUME_METHOD: Final = library("consume", (_method_call, -1), (_method_done, -1))


# ---- sorted, min, max with a key ----------------------------------------------------------------


def keyed(G: Values, name: str, args: tuple[Any, ...], words: Any) -> Any:
    """Begin ``sorted``, ``min`` or ``max`` with a key.

    Args:
        words: names and values of the named arguments.
    """
    named = dict(words)
    if name == "sorted":
        return call(G, "sorted_", iterable(args[0]), named.get("key"), named.get("reverse", False))
    if not args:
        raise TypeError(f"{name} expected at least 1 argument, got 0")
    source = args[0] if len(args) == 1 else args
    default = (named["default"],) if "default" in named else ()
    if default and len(args) > 1:
        raise TypeError(f"Cannot specify a default for {name}() with multiple positional arguments")
    return call(G, "extreme", iterable(source), named.get("key"), name == "max", default)


def list_sort(G: Values, receiver: Any, words: Any) -> Any:
    """Begin ``receiver.sort(key=…)``."""
    if type(receiver) is not list:
        raise AttributeError(f"'{tname(receiver)}' object has no attribute 'sort'")
    named = dict(words)
    return call(G, "sort", receiver, named.get("key"), named.get("reverse", False))


# ---- what only libraries/iteration.py calls -----------------------------------------------------


def iteration_order(G: Values, items: Values, keys: Values, reverse: Any) -> Values:
    """Return ``items`` sorted by ``keys``, which are in the same order."""
    bounded = G[0].program.runtime.bounded
    bounded.sorting(keys)
    order = sorted(range(len(items)), key=keys.__getitem__, reverse=bool(reverse))
    return [items[i] for i in order]


def iteration_extreme(
    G: Values, items: Values, keys: Values, largest: bool, default: tuple[Any, ...]
) -> Any:
    """Return the first of ``items`` whose key is the largest or the smallest."""
    bounded = G[0].program.runtime.bounded
    if not items:
        if default:
            return default[0]
        raise ValueError(f"{'max' if largest else 'min'}() arg is an empty sequence")
    bounded.charge(bounded.heaviest(keys) * len(keys), "a comparison")
    pick = max if largest else min
    return items[pick(range(len(items)), key=keys.__getitem__)]


def iteration_next(G: Values, source: Any) -> Any:
    """Begin to get ``(item,)``, or None at the end."""
    return PULLERS[type(source)](G, source)
