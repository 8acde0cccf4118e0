"""How machines lay out kernel stacks and find ``current``. ``arch_of`` picks the machine's module.

An architecture module has ``STACK_BASE``, ``STACK_LIMIT``, ``register_value(k, task)`` and
``current_from_register(k, value)``.
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
