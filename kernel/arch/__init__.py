"""How machines lay out kernel stacks and find ``current``. ``arch_of`` picks the machine's module.

An architecture module has ``STACK_BASE``, ``STACK_LIMIT``, ``register_value(k, task)`` and
``current_from_register(k, value)``.

Deviation: a switch loads no register. Paths have ``current`` from ``k.current``. That its register
leads back to it, and so does that of a dead task that is still on its CPU, is looked at with
``check`` only (``kernel.check.memory.check_current``), at ``step`` after every step.
"""

from types import ModuleType

from kernel.arch import ppc, x86


def arch_of(name: str) -> ModuleType:
    """Return the module of the architecture ``name``, "x86" or "ppc".

    Raises:
        ValueError: there is no such architecture.
    """
    if name == "x86":
        return x86
    if name == "ppc":
        return ppc
    raise ValueError(f"unknown architecture {name!r}: one of x86, ppc")
