"""The TypeError of a call with the wrong arguments is CPython's, for every function there is.

Only calls that cannot succeed are made on the host: none of them gets to do anything.
"""

import ast
import importlib
from typing import Any

import pytest

from workloads.language import tables
from workloads.language.compiler import compile_program
from workloads.language.effects import fits
from workloads.language.known_functions import call_builtin
from workloads.language.tables import Pure, Routine, Sys
from workloads.language.values import Builtin

#: Written in C in a way of their own, classes whose making is no function's call, or a function
#: that takes any number of arguments and complains of their values.
_OWN_WAY = {
    ("os", "fdopen"),
    ("mmap", "mmap"),
    ("signal", "Signals"),
    ("signal", "Handlers"),
    ("math", "log"),
    ("threading", "RLock"),
}

FUNCTIONS = sorted(
    (module, name)
    for module, entries in tables.MODULES.items()
    for name, entry in entries.items()
    if isinstance(entry, Pure | Sys | Routine)
    and module not in ("workloads.guest", "os.environ", "sys.stdout", "sys.stderr")
    and (module, name) not in _OWN_WAY
    and not any(param.rest for param in entry.params)
)


def _call(function: Any, args: tuple[Any, ...], words: dict[str, Any]) -> str:
    with pytest.raises(TypeError) as caught:
        function(*args, **words)
    return str(caught.value)


@pytest.mark.native
@pytest.mark.parametrize(("module", "name"), FUNCTIONS, ids=lambda x: str(x))
def test_wrong_arguments_are_told_as_cpython_tells_them(module: str, name: str) -> None:
    entry = tables.MODULES[module][name]
    assert isinstance(entry, Pure | Sys | Routine)
    host = getattr(importlib.import_module(module), name)
    G = [type("P", (), {"program": compile_program("pass\n", "p.py")})()]
    required = len([param for param in entry.params if param.required])
    tries: list[tuple[tuple[Any, ...], dict[str, Any]]] = [((0,) * 12, {}), ((), {"zzz": 1})]
    if required:
        tries += [((), {}), ((0,) * required, {"zzz": 1})]
    if required > 1:
        tries.append(((0,) * (required - 1), {}))
    for args, words in tries:
        node = ast.Call(
            ast.Name("f"),
            [ast.Constant(0) for _ in args],
            [ast.keyword(key, ast.Constant(1)) for key in words],
        )
        assert not fits(entry.params, node)
        pairs = list(words.items())
        ours = _call(call_builtin, (G, Builtin(module, name), args, pairs), {})
        assert ours == _call(host, args, words)
