"""The table of what each operation of the language charges before it is done.

Every method, operator and builtin that programs can use has a row here, and only those that have
one exist: ``methods`` makes its own table from METHODS, and a test goes through all three. A rule
is the name of a function of ``Rules`` or one of these words:

======= ==========================================================================================
free    work and result do not depend on how large anything is
own     the function itself charges (``bounded``, ``methods``): what it makes follows from arguments
number  the result is a number that is charged when it has been made; it is as large as its operands
======= ==========================================================================================
"""

from collections.abc import Callable
from typing import Any, Final

from workloads.language.dict_views import DictItems, DictKeys, DictValues
from workloads.language.sets import GuestSet
from workloads.language.weights import ATOMIC, LEAST, SMALL, TEXTS, Weigher

Rule = Callable[..., None]


_STR: Final = {
    "whole": "capitalize casefold isalnum isalpha isascii isdecimal isdigit isidentifier islower"
    " isnumeric isprintable isspace istitle isupper lower lstrip removeprefix removesuffix rstrip"
    " splitlines strip swapcase title upper",
    "search": "count find index partition split",
    "backwards": "rfind rindex rpartition rsplit",
    "affix": "endswith startswith",
    "own": "center encode expandtabs format join ljust replace rjust zfill",
}
_BYTES: Final = {
    "whole": "capitalize hex isalnum isalpha isascii isdigit islower isspace istitle isupper lower"
    " lstrip removeprefix removesuffix rstrip splitlines strip swapcase title upper",
    "search": _STR["search"],
    "backwards": _STR["backwards"],
    "affix": _STR["affix"],
    "own": "center decode expandtabs join ljust replace rjust zfill",
}
_BYTEARRAY: Final = {
    **_BYTES,
    "whole": _BYTES["whole"] + " copy remove",
    "moves": "insert pop reverse",
    "free": "append clear",
    "own": _BYTES["own"] + " extend",
}
_LIST: Final = {
    "free": "append clear",
    "moves": "insert pop reverse",
    "whole": "copy",
    "compared": "count index remove",
    "own": "extend sort",
}
_DICT: Final = {
    "key": "get pop setdefault",
    "free": "clear popitem",
    "whole": "copy",
    "own": "update",
}
_SET: Final = {
    "key": "add discard remove",
    "free": "clear",
    "twice": "copy",
    "own": "pop difference intersection union symmetric_difference isdisjoint issubset issuperset"
    " difference_update intersection_update symmetric_difference_update update",
}


def _rows(rules: dict[str, str]) -> dict[str, str]:
    return {name: rule for rule, names in rules.items() for name in names.split()}


#: Methods by exact type: name -> rule.
METHODS: Final[dict[type, dict[str, str]]] = {
    str: _rows(_STR),
    bytes: _rows(_BYTES),
    bytearray: _rows(_BYTEARRAY),
    list: _rows(_LIST),
    tuple: _rows({"compared": "count index"}),
    dict: _rows(_DICT),
    GuestSet: _rows(_SET),
    DictKeys: _rows({"own": "isdisjoint"}),
    DictItems: _rows({"own": "isdisjoint"}),
    DictValues: {},
}

#: Operators by the name of their syntax: helper in the block namespace, rule. Where one operand is
#: a number that the program's text gives, the host's own operator is used and a result checked.
OPERATORS: Final[dict[str, tuple[str, str]]] = {
    "Add": ("_add", "own"),
    "Sub": ("_subtract", "own"),
    "Mult": ("_mul", "own"),
    "Div": ("_true_divide", "own"),
    "FloorDiv": ("_floor_divide", "own"),
    "Mod": ("_modulo", "own"),
    "Pow": ("_power", "own"),
    "LShift": ("_lshift", "own"),
    "RShift": ("_rshift", "number"),
    "BitOr": ("_bit_or", "own"),
    "BitAnd": ("_bit_and", "own"),
    "BitXor": ("_bit_xor", "own"),
    "USub": ("_negative", "number"),
    "UAdd": ("_positive", "number"),
    "Invert": ("_inverted", "number"),
    "Not": ("", "free"),
}

#: Comparisons: the helper that looks at the right operand first, in a chain. An ``in`` alone is
#: wholly a helper's, ``_contains``.
COMPARISONS: Final[dict[str, str]] = {
    **dict.fromkeys(("Eq", "NotEq", "Lt", "LtE", "Gt", "GtE"), "_weigh"),
    **dict.fromkeys(("In", "NotIn"), "_container"),
    **dict.fromkeys(("Is", "IsNot"), ""),
}

_FREE_BUILTINS: Final = (
    "len bool isinstance ord chr range reversed enumerate zip exit quit map filter iter next type"
    " callable"
)
_OWN_BUILTINS: Final = (
    "int str bytes bytearray min max sum sorted list tuple dict set repr divmod any all"
    " round pow bin oct ascii"
)
#: Builtin functions.
BUILTINS: Final[dict[str, str]] = {
    **_rows({"free": _FREE_BUILTINS}),
    **dict.fromkeys(["float", "hex"], "argument"),
    "abs": "number",
    **_rows({"own": _OWN_BUILTINS}),
}


class Rules(Weigher):
    """The rules that a table can say; each is given what the operation is given."""

    def whole(self, value: Any, *rest: Any, **named: Any) -> None:
        """The value is walked, or made again."""
        self.charge_made(value, len(value), "an operation on a whole value")
        for argument in rest:  # what is stripped, cut off or split at
            if type(argument) in TEXTS:
                self.charge(len(argument) >> 3, "an operation on a whole value")

    def twice(self, value: Any, *rest: Any) -> None:
        """A set is made again: its table is laid out by Python code."""
        self.charge(2 * len(value), "a copy of a set")

    def moves(self, value: Any, *rest: Any, **named: Any) -> None:
        """What lies behind the place is moved."""
        self.charge(len(value) >> 6, "moving the elements of a list")

    def search(self, value: Any, *rest: Any, **named: Any) -> None:
        """A text is searched forwards; in linear time once it is long."""
        self.charge(len(value), "a search")

    def backwards(self, value: Any, *rest: Any, **named: Any) -> None:
        """A text is searched backwards: CPython compares at every place."""
        size = len(value)
        for argument in [*rest[:1], *named.values()]:
            if type(argument) in TEXTS:
                size += len(argument) * max(len(value) - len(argument), 0) >> 6
        self.charge(size, "a search backwards")

    def affix(self, value: Any, affix: Any = "", *rest: Any) -> None:
        """One text, or each of a tuple, is compared."""
        self.charge(len(affix) if type(affix) is tuple else 0, "a comparison")
        self.weigh(affix)

    def compared(self, value: Any, item: Any = None, *rest: Any) -> None:
        """Every element is compared with ``item``."""
        self.charge(len(value) * self.size(item), "a search")

    def key(self, value: Any, item: Any = None, *rest: Any) -> None:
        """``item`` is hashed; of large ints and tuples many may have one hash."""
        if type(item) is tuple:
            self.charge(self.size(item) + (len(value) >> 8), "a key")
        elif type(item) is int and not LEAST < item < SMALL:
            self.charge(len(value) >> 8, "a key")

    def argument(self, *values: Any) -> None:
        """The argument is read."""
        for value in values:
            if type(value) in ATOMIC:
                self.printable_size(value)

    def printable_size(self, value: Any) -> None:
        """Charge the text of an atom."""
        if type(value) in TEXTS:
            self.charge(len(value), "a text")
        elif type(value) is int:
            self.charge(value.bit_length() >> 2, "a text")


def ruled(rules: Rules, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``function`` with the rule ``name`` before it."""
    rule: Rule = getattr(rules, name)
    if name == "key":

        def keyed(value: Any, *rest: Any) -> Any:
            if rest:
                item = rest[0]
                if item.__class__ is int:
                    if not LEAST < item < SMALL:
                        rule(value, *rest)
                elif item.__class__ is tuple:
                    rule(value, *rest)
            return function(value, *rest)

        return keyed

    def method(*args: Any, **named: Any) -> Any:
        rule(*args, **named)
        return function(*args, **named)

    return method
