"""Methods and attributes that guest code can reach, per exact type.

This table is the whole of attribute access: block code never uses a host attribute of a guest
value. A method is an ordinary host function that takes the receiver first.
"""

import os
import sys
import time
from collections.abc import Callable
from resource import struct_rusage
from signal import struct_siginfo
from typing import Any

from workloads.language import enums
from workloads.language.bounded import Bounded, Work, tname
from workloads.language.charges import METHODS, Rules, ruled
from workloads.language.dict_views import DictItems, DictKeys
from workloads.language.errors import FatalRunError
from workloads.language.formatting import make_format
from workloads.language.sets import GuestSet
from workloads.language.values import TypeValue

Table = dict[type, dict[str, Callable[..., Any]]]


def make_methods(bounded: Bounded) -> Table:
    """Return the methods of every guest type: those of the table ``charges.METHODS``."""
    own = _own_methods(bounded)
    rules = Rules(bounded.work)
    table: Table = {}
    for kind, rows in METHODS.items():
        table[kind] = methods = {}
        for name, rule in rows.items():
            if rule == "own":
                methods[name] = own[kind][name]
            elif rule == "free":
                methods[name] = getattr(kind, name)
            else:
                methods[name] = ruled(rules, rule, getattr(kind, name))
    return table


def _own_methods(bounded: Bounded) -> Table:
    """Return the methods that charge themselves."""
    return {**_text_methods(bounded), **_container_methods(bounded)}


def _text_methods(bounded: Bounded) -> Table:
    charge = bounded.charge

    def padded(kind: type, name: str) -> Callable[..., Any]:
        host = getattr(kind, name)

        def method(text: Any, width: Any, *fill: Any) -> Any:
            if isinstance(width, int):
                charge(max(width, 0), f"the result of {name}()")
            return host(text, width, *fill)

        return method

    def replace(text: Any, old: Any, new: Any, count: Any = -1) -> Any:
        if type(new) in (str, bytes, bytearray) and type(old) in (str, bytes, bytearray):
            times = text.count(old)
            if isinstance(count, int) and count >= 0:
                times = min(times, count)
            bounded.charge_made("", len(text) + times * len(new), "the result of replace()")
        return text.replace(old, new, count)

    def join(glue: Any, parts: Any) -> Any:
        items = list(bounded.iterate(parts))
        if items and all(type(item) in (str, bytes, bytearray) for item in items):
            size = sum(map(len, items)) + len(glue) * len(items)
            bounded.charge_made("", size, "the result of join()")
        return glue.join(items)

    def expandtabs(text: Any, tabsize: Any = 8) -> Any:
        if isinstance(tabsize, int):
            tabs = text.count("\t" if type(text) is str else b"\t")
            charge(len(text) + max(tabsize, 0) * tabs, "the result of expandtabs()")
        return text.expandtabs(tabsize)

    table: Table = {
        kind: {
            **{name: padded(kind, name) for name in ("center", "ljust", "rjust", "zfill")},
            "replace": replace,
            "join": join,
            "expandtabs": expandtabs,
        }
        for kind in (str, bytes, bytearray)
    }
    table[str]["encode"] = bounded.encode
    table[str]["format"] = make_format(bounded, attribute)
    table[bytes]["decode"] = table[bytearray]["decode"] = bounded.decode
    table[bytearray]["extend"] = _extend(bounded)
    return table


def _extend(bounded: Bounded) -> Callable[..., None]:
    def extend(items: Any, more: Any) -> None:
        items.extend(bounded.sequence(more))

    return extend


def _container_methods(bounded: Bounded) -> Table:
    charge = bounded.charge

    def sort(items: list[Any], reverse: Any = False) -> None:
        bounded.sorting(items)
        items.sort(reverse=bool(reverse))

    def dict_update(target: dict[Any, Any], source: Any = ()) -> None:
        target.update(bounded.pairs(source))

    def algebra(name: str) -> Callable[..., Any]:
        host = getattr(GuestSet, name)

        def method(receiver: GuestSet, *others: Any) -> Any:
            charge(2 * len(receiver), f"{name}()")
            items = [bounded.hashed(bounded.iterate_unordered(other)) for other in others]
            return host(receiver, *items)

        return method

    def set_pop(receiver: GuestSet) -> Any:
        return bounded.in_order(receiver).pop()

    def view_isdisjoint(receiver: Any, other: Any) -> bool:
        charge(2 * len(receiver), "isdisjoint()")
        bounded.hashed(list(bounded.iterate_unordered(other)))
        return bool(receiver.isdisjoint(other))

    names = [name for name, rule in METHODS[GuestSet].items() if rule == "own"]
    return {
        list: {"extend": _extend(bounded), "sort": sort},
        dict: {"update": dict_update},
        GuestSet: {**{name: algebra(name) for name in names if name != "pop"}, "pop": set_pop},
        DictKeys: {"isdisjoint": view_isdisjoint},
        DictItems: {"isdisjoint": view_isdisjoint},
    }


def make_caller(methods: Table) -> Callable[..., Any]:
    """Return ``call(receiver, name, *args, **kwargs)``, what a method call compiles to."""

    def call_method(receiver: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        try:
            method = methods[type(receiver)][name]
        except KeyError:
            if type(receiver) is TypeValue:
                return _of_type(receiver, name)(*args, **kwargs)
            if name in ("send", "throw", "close") and tname(receiver) == "generator":
                message = f"the method {name!r} of a generator is not in the guest language"
                raise FatalRunError(message) from None
            raise AttributeError(f"'{tname(receiver)}' object has no attribute '{name}'") from None
        return method(receiver, *args, **kwargs)

    def _of_type(kind: TypeValue, name: str) -> Callable[..., Any]:
        """Return a method of a type, asked for by the type: ``str.upper``."""
        method = methods.get(kind.kind or object, {}).get(name)
        if method is None:
            raise AttributeError(f"type object '{kind.name}' has no attribute '{name}'")

        def call(*args: Any, **kwargs: Any) -> Any:
            if not args:
                raise TypeError(f"unbound method {kind.name}.{name}() needs an argument")
            if type(args[0]) is not kind.kind:
                raise TypeError(
                    f"descriptor '{name}' for '{kind.name}' objects doesn't apply to a"
                    f" '{tname(args[0])}' object"
                )
            return method(*args, **kwargs)

        return call

    return call_method


_STAT = (
    "st_mode",
    "st_ino",
    "st_dev",
    "st_nlink",
    "st_uid",
    "st_gid",
    "st_size",
    "st_atime",
    "st_mtime",
    "st_ctime",
)
ATTRIBUTES: dict[type, tuple[str, ...]] = {
    os.stat_result: _STAT,
    os.times_result: ("user", "system", "children_user", "children_system", "elapsed"),
    os.waitid_result: ("si_pid", "si_uid", "si_signo", "si_status", "si_code"),
    struct_siginfo: (
        "si_signo",
        "si_code",
        "si_errno",
        "si_pid",
        "si_uid",
        "si_status",
        "si_band",
    ),
    struct_rusage: (
        "ru_utime",
        "ru_stime",
        "ru_maxrss",
        "ru_ixrss",
        "ru_idrss",
        "ru_isrss",
        "ru_minflt",
        "ru_majflt",
        "ru_nswap",
        "ru_inblock",
        "ru_oublock",
        "ru_msgsnd",
        "ru_msgrcv",
        "ru_nsignals",
        "ru_nvcsw",
        "ru_nivcsw",
    ),
    os.sched_param: ("sched_priority",),
    time.struct_time: (
        *("tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec"),
        *("tm_wday", "tm_yday", "tm_isdst", "tm_zone", "tm_gmtoff"),
    ),
    type(sys.version_info): ("major", "minor", "micro"),
    **dict.fromkeys(enums.ENUMS, ("name", "value")),
}


def attribute(value: Any, name: str) -> Any:
    """Return a readable attribute of a guest value, or raise AttributeError as CPython does."""
    names = ATTRIBUTES.get(type(value), ())
    if isinstance(value, BaseException):
        names = ("args",)
        if isinstance(value, OSError):
            names = ("args", "errno", "strerror", "filename", "filename2")
        elif isinstance(value, SystemExit):
            names = ("args", "code")
        elif isinstance(value, StopIteration):
            names = ("args", "value")
    if name in names:
        return getattr(value, name)
    if type(value) in (str, bytes, bytearray, list, dict, GuestSet, tuple):
        raise AttributeError(f"'{tname(value)}' object has no attribute '{name}'")
    if hasattr(type(value), name):
        raise FatalRunError(f"the attribute {name!r} of this value is not in the guest language")
    raise AttributeError(f"'{tname(value)}' object has no attribute '{name}'")


#: Every method name of some guest type; the lazy dict methods and those of handles apart.
ALL_METHODS = frozenset(name for table in make_methods(Bounded(Work(0))).values() for name in table)
