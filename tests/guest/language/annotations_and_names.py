"""Annotations, names with an underscore, := and 'with … as' mean what they mean to CPython."""

from __future__ import division, print_function

import os
import sys
import threading
import typing
from collections.abc import Callable
from typing import Any, Dict, List, Optional

__author__ = "nobody"
__all__ = ["main"]
_count: int = 0
table: "Dict[str, Undefined]" = {}


def shown(text):
    print("evaluated", text)
    return text


def _quiet(a: int, _b: Optional[List[int]] = None, *, key: "no such name" = 1) -> Dict[str, Any]:
    _c: typing.Tuple[int, ...] = (a, key)
    unused: int
    note: shown("never") = 3
    return {"a": _c, "note": note}


def _loud(a: shown("first"), b: shown("second") = shown("default")) -> shown("result"):
    return a, b


def unbound():
    x: int
    try:
        print(x)
    except UnboundLocalError as e:
        print(e)


module_note: shown("of the module") = 5
table["x"]: shown("of a subscript") = 1


def handler(f: Callable[[int], None] | None = None) -> None:
    global _count
    while (_count := _count + 1) < 5:
        if (half := _count // 2) and half * 2 == _count:
            print("even", _count, half)
    print([last := 1, last + 1], last)


def files():
    r, w = os.pipe()
    if (pid := os.fork()) == 0:
        os.write(w, b"abc" * 5)
        os._exit(0)
    os.close(w)
    _parts = []
    while chunk := os.read(r, 4):
        _parts.append(chunk)
    _, status = os.waitpid(pid, 0)
    print(_parts, status)


def locks():
    lock = threading.Lock()
    with lock as got:
        print(got, lock.locked())
    with threading.Condition() as a, threading.Semaphore(2) as b:
        print(a, b is True)
    print(lock.locked())


def kinds():
    for error in (OSError(2, "gone"), EOFError("end"), StopIteration(3), NotImplementedError()):
        try:
            raise error
        except IOError as e:
            print("io", e.errno, e)
        except (EOFError, NotImplementedError) as e:
            print("end", repr(e))
        except LookupError:
            print("never")
        except Exception as e:
            print("other", repr(e))
    try:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "why")
    except ValueError as e:
        print(e)


def main() -> None:
    print(__doc__, __author__, table, module_note)
    print(_quiet(1), _quiet(2, [3], key=4))
    print(_loud(1))
    unbound()
    handler()
    files()
    locks()
    kinds()
    exit("the end")


if __name__ == "__main__":
    if len(sys.argv) > 5:
        quit()
    main()
