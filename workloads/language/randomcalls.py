"""The module ``random``: CPython's generator, kept as its state with the address space.

A process draws its seed from getrandom(2) when it first needs one; a forked child does so again, as
``os.register_at_fork`` has it in CPython. After ``random.seed(x)`` the numbers are CPython's.

Source: CPython Lib/random.py, Modules/_randommodule.c.
"""

from random import Random
from typing import Any, Final

from kernel.uapi import syscalls as nr
from workloads.language.bounded import tname
from workloads.language.frames import CALL, RETURN, VALUE, Frame, own_process
from workloads.language.library import library
from workloads.language.tables import RANDOM_FUNCTIONS

Values = list[Any]

_SEED_BYTES: Final = 2500  # what random.seed() takes from os.urandom()
_SEQUENCES: Final = (list, tuple, str, bytes, bytearray, range)
_SEEDS: Final = (type(None), int, float, str, bytes, bytearray, bool)

#: functions that draw again while what they drew is rejected, and the units of one draw
_REJECTING: Final = frozenset({"gammavariate", "betavariate", "vonmisesvariate"})
_DRAW_UNITS: Final = 8

_WORDS: Final = {"choices": ("weights", "cum_weights", "k"), "sample": ("k", "counts")}


def _draw(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if G[0].random is None:
        F.pc = 1
        return (nr.NR_GETRANDOM, _SEED_BYTES, 0)
    return (RETURN, _call(G, L[0], L[1]))


def _seeded(F: Frame, L: Values, G: Values, V: Any) -> Any:
    own_process(G).random = Random(int.from_bytes(V, "big"))
    return 2 if L[0] == "seed" else 0


def _nothing(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, None)


#: [function, arguments]; "seed" with none seeds anew
_RANDOM: Final = library("random", (_draw, -1), (_seeded, -1), (_nothing, -1))


def _call(G: Values, name: str, args: tuple[Any, ...]) -> Any:
    """Return what a function of the generator gives."""
    bounded = G[0].program.runtime.bounded
    if name in ("choice", "shuffle", "choices", "sample"):
        _check_sequence(name, args[0])
        if name == "shuffle":  # a loop of Python; of choices the weights are walked
            bounded.charge(4 * len(args[0]), "random.shuffle()")
    if name in ("getrandbits", "randbytes") and isinstance(args[0], int):
        bounded.charge(args[0] >> 3 if name == "getrandbits" else args[0], "random bits")
    words: dict[str, Any] = {}
    if name in _WORDS:
        words = dict(zip(_WORDS[name], args[1:], strict=True))
        args = args[:1]
        if isinstance(words["k"], int):  # a small sample of a large population copies no more
            bounded.charge(
                (4 if name == "choices" else 16) * max(words["k"], 0), f"random.{name}()"
            )
        words = {text: _listed(bounded, value) for text, value in words.items()}
    given = [value for value in args if value is not ...]
    if name in _REJECTING:
        return _rejected(bounded, G[0].random, name, given)
    return getattr(G[0].random, name)(*given, **words)


def _rejected(bounded: Any, generator: Random, name: str, args: list[Any]) -> Any:
    """Call a function that draws until a number fits: of NaN or huge arguments none ever does."""
    draw = generator.random

    def charged() -> float:
        bounded.charge(_DRAW_UNITS, f"random.{name}()")
        return draw()

    generator.random = charged  # type: ignore[method-assign]
    try:
        return getattr(generator, name)(*args)
    finally:
        del generator.random


def _listed(bounded: Any, value: Any) -> Any:
    return value if value is None or isinstance(value, int) else list(bounded.iterate(value))


def _check_sequence(name: str, value: Any) -> None:
    if type(value) in _SEQUENCES:
        return
    if name == "sample":
        raise TypeError("Population must be a sequence.  For dicts or sets, use sorted(d).")
    if isinstance(value, int | float) or value is None:
        raise TypeError(f"object of type '{tname(value)}' has no len()")
    raise TypeError(f"'{tname(value)}' object is not subscriptable")


def _routine(name: str) -> Any:
    def function(G: Values, *args: Any) -> Any:
        if G[0].random is None:
            return (CALL, _RANDOM, [name, args])
        own_process(G)
        return (VALUE, _call(G, name, args))

    return function


HELPERS: Final = {f"random_{name}": _routine(name) for name in RANDOM_FUNCTIONS}


def random_seed(G: Values, a: Any, version: Any) -> Any:
    """Begin ``random.seed``."""
    if type(a) not in _SEEDS:
        raise TypeError(
            "The only supported seed types are: None,\nint, float, str, bytes, and bytearray."
        )
    bounded = G[0].program.runtime.bounded
    if isinstance(a, int):
        bounded.charge(a.bit_length() >> 8, "a seed")
    elif isinstance(a, str | bytes | bytearray):
        bounded.charge(len(a) >> 3, "a seed")
    process = own_process(G)
    process.random = None
    if a is None:
        return (CALL, _RANDOM, ["seed", ()])
    process.random = Random(a)
    return (VALUE, None)


HELPERS["random_seed"] = random_seed


def os_urandom(G: Values, size: int) -> Any:
    """Begin ``os.urandom``."""
    if size < 0:
        raise ValueError("negative argument not allowed")
    return (nr.NR_GETRANDOM, size, 0)


def packed(state: Random | None) -> Any:
    """Return the state of a generator as plain data."""
    if state is None:
        return None
    version, numbers, gauss = state.getstate()
    return [version, list(numbers), gauss]


def unpacked(data: Any) -> Random | None:
    """Return the generator that ``packed`` described."""
    if data is None:
        return None
    made = Random(0)
    made.setstate((data[0], tuple(data[1]), data[2]))
    return made
