# ruff: noqa: PERF402, PERF401, SIM110, UP028
"""Builtin functions in the guest language: see ``builtins_library``, which compiles this file.

There are no constants here: a global would be one of the program's.

Source: CPython Python/bltinmodule.c, Objects/listobject.c:list_sort_impl(), Objects/enumobject.c.
Deviation: ``list.sort`` does not make the list look empty to its key function.
"""

from _runtime import extreme_of, next_of, order


def collect(source):
    items = []
    for item in source:
        items.append(item)
    return items


def any_(source):
    for item in source:
        if item:
            return True
    return False


def all_(source):
    for item in source:
        if not item:
            return False
    return True


def keys_of(items, key):
    if key is None:
        return items
    keys = []
    for item in items:
        keys.append(key(item))
    return keys


def sorted_(source, key, reverse):
    items = collect(source)
    return order(items, keys_of(items, key), reverse)


def sort(items, key, reverse):
    items[:] = order(items, keys_of(items, key), reverse)


def extreme(source, key, largest, default):
    items = collect(source)
    return extreme_of(items, keys_of(items, key), largest, default)


def iterate(source):
    for item in source:
        yield item


def map_one(function, source):
    for item in source:
        yield function(item)


def map_many(function, sources):
    for items in zip_(sources, False):
        yield function(*items)


def filter_(function, source):
    for item in source:
        if function is None:
            if item:
                yield item
        elif function(item):
            yield item


def enumerate_(source, start):
    for item in source:
        yield (start, item)
        start += 1


def zip_(sources, strict):
    while sources:
        items = []
        for source in sources:
            got = next_of(source)
            if got is None:
                if strict:
                    zip_ended(sources, len(items))
                return
            items.append(got[0])
        yield tuple(items)


def zip_ended(sources, ended):
    if ended:
        raise ValueError(zip_error(ended, "shorter"))
    for place in range(1, len(sources)):
        if next_of(sources[place]) is not None:
            raise ValueError(zip_error(place, "longer"))


def zip_error(place, what):
    others = "argument 1" if place == 1 else f"arguments 1-{place}"
    return f"zip() argument {place + 1} is {what} than {others}"
