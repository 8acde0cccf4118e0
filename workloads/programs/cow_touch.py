"""Copy-on-write: a parent maps and writes pages, forks, and both sides write a part of them.

Usage: ``python3 -u cow_touch.py [key=value]...``

pages=64       pages the parent maps and writes before it forks
children=4     children, all alive while the pages are written
child=50       percent of the pages each child writes, from the first page on
parent=25      percent of the pages the parent writes, from the first page on
first=child    who writes first: child or parent
kind=private   the mapping: private (copy on write) or shared
rounds=1       how often all of it happens

Each side checks what it reads: on a private mapping it sees its own writes and nobody else's, on a
shared one it sees everybody's.
"""

import mmap
import os
import sys

DEFAULTS = {
    "pages": "64",
    "children": "4",
    "child": "50",
    "parent": "25",
    "first": "child",
    "kind": "private",
    "rounds": "1",
}
KINDS = {
    "pages": "whole 1 1048576",
    "children": "whole 0 200",
    "child": "whole 0 100",
    "parent": "whole 0 100",
    "first": "one of child parent",
    "kind": "one of private shared",
    "rounds": "whole 0 1073741824",
}
OLD = 17
FROM_PARENT = 34
FROM_CHILD = 51


def usage(text):
    sys.stderr.write(f"cow_touch: {text}\n")
    sys.exit(2)


def parse(arguments):
    settings = dict(DEFAULTS)
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name not in settings or not equals:
            usage(f"unknown parameter {argument!r} (known: {' '.join(sorted(settings))})")
        settings[name] = value
    return settings


def whole(settings, name, least, most):
    text = settings[name]
    if not text.isdecimal() or not least <= int(text) <= most:
        usage(f"{name}={text}: not a whole number from {least} to {most}")
    return int(text)


def write_pages(memory, count, value):
    for page in range(count):
        memory[page * mmap.PAGESIZE] = value


def check_pages(memory, first, last, value):
    for page in range(first, last):
        found = memory[page * mmap.PAGESIZE]
        assert found == value, f"page {page}: found {found}, not {value}"


def child_side(memory, pages, mine, others, first, shared, go, said):
    # others: how many pages the parent writes. go: a byte per step; said: a byte back per step.
    assert os.read(go, 1) == b"1"
    if first == "child":
        write_pages(memory, mine, FROM_CHILD)
    os.write(said, b"1")
    assert os.read(go, 1) == b"2"
    if first == "parent":
        write_pages(memory, mine, FROM_CHILD)
    os.write(said, b"2")
    assert os.read(go, 1) == b"3"
    if shared:
        check_shared(memory, pages, mine, others, first)
    else:
        check_pages(memory, 0, mine, FROM_CHILD)
        check_pages(memory, mine, pages, OLD)
    os._exit(0)


def check_shared(memory, pages, mine, others, first):
    # Who writes last wins a page that both write.
    both = min(mine, others)
    check_pages(memory, 0, both, FROM_PARENT if first == "child" else FROM_CHILD)
    check_pages(memory, both, mine, FROM_CHILD)
    check_pages(memory, both, others, FROM_PARENT)
    check_pages(memory, max(mine, others), pages, OLD)


def turn(gates, answers, byte):
    # Let every child take one step, and wait until all have.
    for gate in gates:
        os.write(gate, byte)
    for _ in gates:
        assert os.read(answers, 1) == byte


def one_round(settings, pages, children, child_pages, parent_pages):
    shared = settings["kind"] == "shared"
    first = settings["first"]
    kind = mmap.MAP_SHARED if shared else mmap.MAP_PRIVATE
    memory = mmap.mmap(-1, pages * mmap.PAGESIZE, flags=kind | mmap.MAP_ANONYMOUS)
    write_pages(memory, pages, OLD)
    answers, said = os.pipe()
    gates = []
    for _ in range(children):
        go, gate = os.pipe()
        if os.fork() == 0:
            child_side(memory, pages, child_pages, parent_pages, first, shared, go, said)
        os.close(go)
        gates.append(gate)
    if first == "parent":
        write_pages(memory, parent_pages, FROM_PARENT)
    turn(gates, answers, b"1")
    if first == "child":
        write_pages(memory, parent_pages, FROM_PARENT)
    turn(gates, answers, b"2")
    if shared and children:
        check_shared(memory, pages, child_pages, parent_pages, first)
    else:
        check_pages(memory, 0, parent_pages, FROM_PARENT)
        check_pages(memory, parent_pages, pages, OLD)
    for gate in gates:
        os.write(gate, b"3")
    for _ in range(children):
        _, status = os.wait()
        assert status == 0, f"a child ended with status {status:#x}"
    for gate in gates:
        os.close(gate)
    os.close(answers)
    os.close(said)
    memory.close()


def main():
    settings = parse(sys.argv[1:])
    pages = whole(settings, "pages", 1, 1 << 20)
    children = whole(settings, "children", 0, 200)
    child_pages = pages * whole(settings, "child", 0, 100) // 100
    parent_pages = pages * whole(settings, "parent", 0, 100) // 100
    rounds = whole(settings, "rounds", 0, 1 << 30)
    if settings["first"] not in ("child", "parent"):
        usage(f"first={settings['first']}: not child or parent")
    if settings["kind"] not in ("private", "shared"):
        usage(f"kind={settings['kind']}: not private or shared")
    for _ in range(rounds):
        one_round(settings, pages, children, child_pages, parent_pages)
    print(f"cow_touch: {rounds} rounds, {children} children, {pages} pages, {settings['kind']}")


if __name__ == "__main__":
    main()
