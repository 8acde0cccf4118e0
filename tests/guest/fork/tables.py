"""Tables of the module after a fork: the child's changes are its own, however they are made."""

import os
import sys

FIXED = {"a": 1, "b": 2, "c": None}
HELD = {"a": 1}
CHANGED = {"a": 1}
NESTED = {"a": [1]}
REPLACED = {"a": 1}


def change(table):
    table["z"] = len(table)


def replace():
    global REPLACED
    REPLACED = {"b": 2}


def show(who):
    known = "a" in FIXED and "z" not in FIXED
    print(who, known, FIXED["b"], len(FIXED), sorted(FIXED), dict(FIXED))
    print(who, HELD, CHANGED, NESTED, REPLACED)
    sys.stdout.flush()


own = {1, 2, 3}
mixed = {"list": [1, 2], "set": own, "again": own, "tuple": (own, "x")}
pid = os.fork()
if pid == 0:
    copy = dict(FIXED)
    copy["a"] = "changed"
    held = HELD
    held["b"] = 2
    change(CHANGED)
    NESTED["a"].append(2)
    replace()
    own.add(4)
    mixed["set"].discard(1)
    print("child", sorted(own), mixed["set"] is mixed["again"], mixed["tuple"][0] is own)
    show("child")
    if os.fork() == 0:
        CHANGED.clear()
        show("grandchild")
        os._exit(0)
    os.wait()
    show("child")
    os._exit(0)
os.wait()
print("parent", sorted(own), mixed["set"] is mixed["again"], mixed["tuple"][0] is own)
show("parent")
