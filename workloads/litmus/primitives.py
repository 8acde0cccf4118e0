"""The kernel's primitives by name: what each makes.

Source: libdir/linux-kernel.def of herdtools7.
"""

from typing import Final

from workloads.litmus.test import ACQUIRE, MB, NORETURN, ONCE, RELEASE

# name -> (how it is ordered, whether its first argument is a pointer or what that points at)
LOADS: Final = {
    "READ_ONCE": (ONCE, False),
    "rcu_dereference": (ONCE, False),
    "smp_load_acquire": (ACQUIRE, True),
    "atomic_read": (ONCE, True),
    "atomic_read_acquire": (ACQUIRE, True),
}
STORES: Final = {
    "WRITE_ONCE": (ONCE, False),
    "smp_store_mb": (ONCE, False),  # and a full barrier behind it
    "rcu_assign_pointer": (RELEASE, False),
    "smp_store_release": (RELEASE, True),
    "atomic_set": (ONCE, True),
    "atomic_set_release": (RELEASE, True),
}
FENCE_CALLS: Final = {
    "smp_mb": "mb",
    "smp_rmb": "rmb",
    "smp_wmb": "wmb",
    "barrier": "barrier",
    "smp_mb__before_atomic": "before-atomic",
    "smp_mb__after_atomic": "after-atomic",
    "smp_mb__after_spinlock": "after-spinlock",
    "smp_mb__after_unlock_lock": "after-unlock-lock",
    "smp_mb__after_srcu_read_unlock": "after-srcu-read-unlock",
    "rcu_read_lock": "rcu-lock",
    "rcu_read_unlock": "rcu-unlock",
    "synchronize_rcu": "sync-rcu",
    "synchronize_rcu_expedited": "sync-rcu",
}
LOCK_CALLS: Final = {
    "spin_lock": ("lock", False),
    "spin_unlock": ("unlock", False),
    "spin_trylock": ("trylock", True),
    "spin_is_locked": ("is_locked", True),
}
# name -> (operation, how many arguments, whether it answers)
SRCU_CALLS: Final = {
    "srcu_read_lock": ("lock", 1, True),
    "srcu_down_read": ("lock", 1, True),
    "srcu_read_unlock": ("unlock", 2, False),
    "srcu_up_read": ("unlock", 2, False),
    "synchronize_srcu": ("sync", 1, False),
    "synchronize_srcu_expedited": ("sync", 1, False),
}

_ORDERS: Final = {"": MB, "_relaxed": ONCE, "_acquire": ACQUIRE, "_release": RELEASE}
_SIGNS: Final = {"add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^", "andnot": "&~"}
# inc and dec have no operand
_STEPS: Final = {"inc": "+", "dec": "-"}


class RmwCall:
    """An atomic read-modify-write by name.

    ``operation``, ``order`` and ``result`` as in ``workloads.litmus.test.Rmw``; ``form``: its
    arguments, of ``v`` (the operand), ``p`` (the pointer), ``o`` and ``n`` (old and new of
    cmpxchg), ``a`` and ``u`` (of add_unless); ``test``: "" or the comparison with 0 that it
    answers.
    """

    __slots__ = ("form", "operation", "order", "result", "test")

    def __init__(self, operation: str, order: str, result: str, form: str, test: str = "") -> None:
        self.operation = operation
        self.order = order
        self.result = result
        self.form = form
        self.test = test


def _rmw_calls() -> dict[str, RmwCall]:
    calls: dict[str, RmwCall] = {}
    for prefix in ("", "atomic_"):
        for suffix, order in _ORDERS.items():
            calls[f"{prefix}xchg{suffix}"] = RmwCall("xchg", order, "old", "pv")
            calls[f"{prefix}cmpxchg{suffix}"] = RmwCall("cmpxchg", order, "old", "pon")
    for verbs, form in ((_SIGNS, "vp"), (_STEPS, "p")):
        for verb, sign in verbs.items():
            calls[f"atomic_{verb}"] = RmwCall(sign, NORETURN, "", form)
            for suffix, order in _ORDERS.items():
                calls[f"atomic_fetch_{verb}{suffix}"] = RmwCall(sign, order, "old", form)
                calls[f"atomic_{verb}_return{suffix}"] = RmwCall(sign, order, "new", form)
    for verb, form in (("sub", "vp"), ("dec", "p"), ("inc", "p")):
        sign = _SIGNS.get(verb) or _STEPS[verb]
        calls[f"atomic_{verb}_and_test"] = RmwCall(sign, MB, "new", form, "==")
    for suffix, order in _ORDERS.items():
        calls[f"atomic_add_negative{suffix}"] = RmwCall("+", order, "new", "vp", "<")
    calls["atomic_add_unless"] = RmwCall("add_unless", MB, "done", "pau")
    return calls


RMW_CALLS: Final = _rmw_calls()

KNOWN: Final = tuple(sorted([*LOADS, *STORES, *FENCE_CALLS, *LOCK_CALLS, *SRCU_CALLS, *RMW_CALLS]))
