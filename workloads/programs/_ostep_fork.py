"""fork.py of OSTEP's homework with real processes; cluster.presets fills in TABLE.

Each name is a process, which does what it is told through a pipe of its own: fork, end, wait for a
child. After each action all are asked who their parent is, so the tree is the kernel's. The root
adopts orphans (it is a subreaper), but Linux gives it the children of the one that has ended and
no other descendants.

Parameters, as name=value arguments (defaults after the equals sign):

report=full     full: print the trees; plain: the same, as it is the same each time
"""

import os
import sys

from workloads import guest

DEFAULTS = {"report": "full"}
KINDS = {"report": "one of full plain"}

TABLE = None

INDENT = " " * 31
PIPES = {}
ANSWERS = []
# names in the order in which they came to be -> pid, parent's name
PIDS = {}
PARENTS = {}


def answer(text):
    os.write(ANSWERS[1], f"{text}\n".encode())


def heard():
    # one line; only one process at a time has something to say
    data = b""
    while not data.endswith(b"\n"):
        data += os.read(ANSWERS[0], 64)
    return data.decode().strip()


def obey(name):
    source = PIPES[name][0]
    while True:
        word = b""
        while not word.endswith(b"\n"):
            word += os.read(source, 1)
        verb, what = word.decode().split()
        if verb == "fork":
            if os.fork() == 0:
                name = what
                source = PIPES[name][0]
                answer(os.getpid())
        elif verb == "parent":
            answer(os.getppid())
        elif verb == "wait":
            os.waitpid(int(what), 0)
            answer(what)
        else:
            os._exit(0)


def tell(name, verb, what):
    os.write(PIPES[name][1], f"{verb} {what}\n".encode())


def fork(parent, child):
    if parent == TABLE["root"]:
        if os.fork() == 0:
            answer(os.getpid())
            obey(child)
    else:
        tell(parent, "fork", child)
    PIDS[child] = int(heard())
    PARENTS[child] = parent


def end(name):
    parent = PARENTS.pop(name)
    pid = PIDS.pop(name)
    tell(name, "exit", name)
    if parent == TABLE["root"]:
        os.waitpid(pid, 0)
    else:
        tell(parent, "wait", pid)
        heard()
    by_pid = {pid: one for one, pid in PIDS.items()}
    for one in PIDS:
        if one != TABLE["root"]:
            tell(one, "parent", one)
            PARENTS[one] = by_pid[int(heard())]


def children(name):
    return [one for one in PIDS if PARENTS.get(one) == name]


def plain_tree(name, level):
    print(f"{INDENT}{'   ' * level}{name:>2}")
    for child in children(name):
        plain_tree(child, level + 1)


def drawn_tree(name, before, first, rest):
    # before: what stands in front of the line; first, rest: of the name, and below it
    print(f"{INDENT}{before}{first}{name}")
    bar, dash, fork_sign, corner = TABLE["signs"]
    inner = children(name)
    for number, child in enumerate(inner):
        last = number == len(inner) - 1
        sign = corner if last else fork_sign
        drawn_tree(child, before + rest, f"{sign}{dash}{dash} ", "    " if last else f"{bar}   ")


def show():
    if TABLE["signs"]:
        drawn_tree(TABLE["root"], "", "", "")
    else:
        plain_tree(TABLE["root"], 0)


def act(action):
    if len(action) == 2:
        fork(action[0], action[1])
        return f"{action[0]} forks {action[1]}"
    name = action[0]
    if TABLE["leaf_only"] and children(name):
        return f"{name} EXITS (failed: has children)"
    end(name)
    return f"{name} EXITS"


def main():
    try:
        guest.set_child_subreaper()
    except OSError:
        sys.exit("ostep: the root adopts orphans, which it cannot in a Linux before 3.4")
    PIDS[TABLE["root"]] = os.getpid()
    for name in TABLE["names"]:
        PIPES[name] = os.pipe()
    ANSWERS.extend(os.pipe())
    print("                           Process Tree:")
    show()
    print()
    for action in TABLE["actions"]:
        sys.stdout.flush()
        print("Action:", act(action))
        if not TABLE["final"]:
            show()
    if TABLE["final"]:
        print("\n                        Final Process Tree:")
        show()
        print()
    sys.stdout.flush()
    while len(PIDS) > 1:
        for name in list(PIDS):
            if name != TABLE["root"] and not children(name):
                end(name)


if __name__ == "__main__":
    main()
