"""Globals, locals and everything reachable from them are the child's own after fork."""

import os

counter = 1
table = {"a": [1, 2, 3], "b": "text"}
alias = table["a"]


def change(items):
    global counter
    local = 10
    pid = os.fork()
    if pid == 0:
        counter += 100
        local += 1
        items.append(4)
        table["c"] = local
        print("child", counter, local, table, alias is table["a"], alias)
        os._exit(0)
    os.waitpid(pid, 0)
    counter += 1
    return local


print("parent", change(alias), counter, table, alias)
