"""The module ``math``: functions of numbers, the host's own.

Deviation: the last bit of sin, exp and their like is that of the host's C library.
"""

import math
from typing import Any, Final

from workloads.language.bounded import tname

Values = list[Any]

#: name -> parameters, of what neither walks nor makes anything large
_PLAIN: Final = {
    "sqrt": "x", "ceil": "x", "floor": "x", "trunc": "x", "fabs": "x", "exp": "x", "expm1": "x",
    "log2": "x", "log10": "x", "log1p": "x", "sin": "x", "cos": "x", "tan": "x", "asin": "x",
    "acos": "x", "atan": "x", "sinh": "x", "cosh": "x", "tanh": "x", "atan2": "yx",
    "degrees": "x", "radians": "x", "isnan": "x", "isinf": "x", "isfinite": "x", "fmod": "xy",
    "copysign": "xy", "modf": "x", "frexp": "x", "erf": "x", "erfc": "x", "gamma": "x",
    "lgamma": "x", "pow": "xy", "cbrt": "x", "exp2": "x", "remainder": "xy",
}  # fmt: skip
CONSTANTS: Final = {name: getattr(math, name) for name in ("pi", "e", "tau", "inf", "nan")}


def _make(name: str) -> Any:
    host = getattr(math, name)

    def function(G: Values, *args: Any) -> Any:
        return host(*args)

    return function


FUNCTIONS: Final = {f"math_{name}": _make(name) for name in _PLAIN}
PARAMETERS: Final = {
    name: " ".join(f"{part}:x" for part in parts) for name, parts in _PLAIN.items()
}


def math_log(G: Values, x: Any, base: Any) -> float:
    """Return ``math.log``."""
    return math.log(x) if base is ... else math.log(x, base)


def math_isqrt(G: Values, n: Any) -> int:
    """Return ``math.isqrt``."""
    _squared(G, (n,))
    return math.isqrt(n)


def _squared(G: Values, integers: tuple[Any, ...]) -> None:
    """Charge work that grows with the square of how long integers are."""
    bits = [value.bit_length() for value in integers if isinstance(value, int)]
    work = len(integers) + sum(size * size >> 18 for size in bits if size > 60)
    G[0].program.runtime.bounded.charge(work, "an operation with large numbers")


def math_gcd(G: Values, *integers: Any) -> int:
    """Return ``math.gcd``."""
    _squared(G, integers)
    return math.gcd(*integers)


def math_lcm(G: Values, *integers: Any) -> int:
    """Return ``math.lcm``."""
    bits = sum(value.bit_length() for value in integers if isinstance(value, int))
    _bits(G, bits)
    _products(G, bits, bits, 18)
    return math.lcm(*integers)


def math_hypot(G: Values, *coordinates: Any) -> float:
    """Return ``math.hypot``."""
    G[0].program.runtime.bounded.charge(len(coordinates), "math.hypot()")
    return math.hypot(*coordinates)


def _bits(G: Values, bits: int) -> None:
    """Charge an int of so many bits that is to be made."""
    bounded = G[0].program.runtime.bounded
    bounded.lshift(1, bits)
    bounded.charge(bits >> 3, "a large number")


def _products(G: Values, bits: int, factors: int, shift: int) -> None:
    """Charge so many multiplications into a number that grows to so many bits."""
    G[0].program.runtime.bounded.charge(bits * factors >> shift, "a product of many numbers")


def math_factorial(G: Values, n: Any) -> int:
    """Return ``math.factorial``, charged for the size of the result first."""
    if isinstance(n, int) and n > 1:
        _bits(G, n * n.bit_length())
        G[0].program.runtime.bounded.charge(n * n.bit_length() >> 6, "a factorial")
    return math.factorial(n)


def math_comb(G: Values, n: Any, k: Any) -> int:
    """Return ``math.comb``, charged for the size of the result first."""
    if isinstance(n, int) and isinstance(k, int) and 0 <= k <= n:
        factors = min(k, n - k)
        _bits(G, factors * n.bit_length())
        _products(G, factors * n.bit_length(), factors, 12)
    return math.comb(n, k)


def math_perm(G: Values, n: Any, k: Any) -> int:
    """Return ``math.perm``, charged for the size of the result first."""
    if isinstance(n, int) and (k is None or isinstance(k, int)):
        factors = max(n if k is None else min(n, k), 0)
        _bits(G, factors * max(n, 0).bit_length())
        _products(G, factors * max(n, 0).bit_length(), factors, 14)
    return math.perm(n, k)


def math_fsum(G: Values, seq: Any) -> float:
    """Return ``math.fsum``."""
    return math.fsum(G[0].program.runtime.bounded.iterate(seq))


def math_prod(G: Values, iterable: Any, start: Any) -> Any:
    """Return ``math.prod``."""
    bounded = G[0].program.runtime.bounded
    for item in bounded.iterate(iterable):
        start = bounded.mul(start, item)
    return start


PARAMETERS["isqrt"] = "n:x"


def math_isclose(G: Values, a: Any, b: Any, rel_tol: Any, abs_tol: Any) -> bool:
    """Return ``math.isclose``."""
    return math.isclose(a, b, rel_tol=1e-9 if rel_tol is None else rel_tol, abs_tol=abs_tol)


def math_ldexp(G: Values, x: Any, i: Any) -> float:
    """Return ``math.ldexp``."""
    if not isinstance(i, int):
        raise TypeError("Expected an int as second argument to ldexp.")
    if not isinstance(x, int | float):
        raise TypeError(f"must be real number, not {tname(x)}")
    return math.ldexp(x, i)


def math_dist(G: Values, p: Any, q: Any) -> float:
    """Return ``math.dist``."""
    bounded = G[0].program.runtime.bounded
    return math.dist(list(bounded.iterate(p)), list(bounded.iterate(q)))


FUNCTIONS.update(
    {name: made for name, made in globals().items() if name.startswith("math_") and callable(made)}
)
