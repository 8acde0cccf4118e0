"""Fork-exec storm: parents create children that exec an image, and reap them as they end.

Usage: ``python3 -u fork_exec_storm.py [key=value]...``

parents=8         processes that create children; the program itself only starts and reaps them
children=100      children of each parent
window=1          children a parent has outstanding before it waits for one
image=/bin/true   what a child executes
expect=0          the exit code the image must end with
method=fork       how the executing process is made: fork, vfork or posix_spawn
compute=fixed:0us CPU time a child burns before it executes, as a distribution (below)
touch=fixed:0     pages of its parent's memory a child writes before it executes
pages=0           pages a parent maps and writes first; no child touches more
depth=1           generations: each child is a chain of that many processes, the last executes
seed=1            start of the number generator; each parent has a sequence of its own

Distributions: ``fixed:V``, ``uniform:LOW:HIGH`` (both inclusive), ``exp:MEAN``. Times take
ns, us, ms or s. posix_spawn runs no code in the child, so it goes with compute and touch of 0.

A lifecycle is one fork, one exit and one wait: there are parents * children * depth of them
below the parents. Every one is checked: each pid is reaped once, by its parent, with the status
that was asked for.

lifecycles: 1 + parents + parents * children * depth
"""

import mmap
import os
import sys

from workloads import guest

DEFAULTS = {
    "parents": "8",
    "children": "100",
    "window": "1",
    "image": "/bin/true",
    "expect": "0",
    "method": "fork",
    "compute": "fixed:0us",
    "touch": "fixed:0",
    "pages": "0",
    "depth": "1",
    "seed": "1",
}
KINDS = {
    "parents": "whole 1",
    "children": "whole 0",
    "window": "whole 1",
    "image": "image",
    "expect": "whole 0 255",
    "method": "one of fork vfork posix_spawn",
    "compute": "times, 0 if method=posix_spawn",
    "touch": "counts, at most pages, 0 if method=posix_spawn",
    "pages": "whole 0",
    "depth": "whole 1",
    "seed": "whole 0",
}
MASK = (1 << 64) - 1
ONE = 1 << 31


def usage(text):
    sys.stderr.write(f"fork_exec_storm: {text}\n")
    sys.exit(2)


def parse(arguments):
    settings = dict(DEFAULTS)
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name not in settings or not equals:
            usage(f"unknown parameter {argument!r} (known: {' '.join(sorted(settings))})")
        settings[name] = value
    return settings


def whole(settings, name, least):
    text = settings[name]
    if not text.isdecimal() or int(text) < least:
        usage(f"{name}={text}: not a whole number of at least {least}")
    return int(text)


def quantity(text, is_time):
    scale = 1
    digits = text
    if is_time:
        scale = 0
        for suffix, factor in (("ns", 1), ("us", 1000), ("ms", 1000000), ("s", 1000000000)):
            if scale == 0 and text.endswith(suffix):
                scale = factor
                digits = text[: -len(suffix)]
    if scale == 0 or not digits.isdecimal():
        return -1
    return int(digits) * scale


def distribution(settings, name, is_time):
    # (kind, least, span): fixed has a span of 0, exp keeps its mean in span
    kind, _, rest = settings[name].partition(":")
    values = []
    for text in rest.split(":"):
        values.append(quantity(text, is_time))
    wanted = {"fixed": 1, "uniform": 2, "exp": 1}.get(kind, 0)
    if len(values) != wanted or min(values) < 0 or values[-1] < values[0]:
        example = (
            "fixed:50us, uniform:10us:100us or exp:50us"
            if is_time
            else "fixed:4, uniform:0:8 or exp:3"
        )
        usage(f"{name}={settings[name]}: not a distribution like {example}")
    if kind == "exp":
        return (kind, 0, values[0])
    return (kind, values[0], values[-1] - values[0])


def step(state):
    # Knuth's MMIX generator; only the upper half is used, the lower bits have short periods
    return (state * 6364136223846793005 + 1442695040888963407) & MASK


def draw(wanted, state):
    kind, least, span = wanted
    if span == 0:
        return least, state
    if kind == "uniform":
        state = step(state)
        return least + (state >> 33) * (span + 1) // ONE, state
    # von Neumann: how long a falling run of uniforms gets decides, so no logarithm is needed
    whole_part = 0
    while True:
        state = step(state)
        first = state >> 33
        last = first
        length = 1
        state = step(state)
        while state >> 33 < last:
            last = state >> 33
            length += 1
            state = step(state)
        if length % 2 == 1:
            return (whole_part * ONE + first) * span // ONE, state
        whole_part += 1


def execute(image, compute_ns, memory, pages):
    if compute_ns:
        guest.compute(compute_ns)
    if pages:
        guest.touch(memory, 0, pages)
    try:
        os.execv(image, [image])
    except OSError as error:
        sys.stderr.write(f"fork_exec_storm: {image}: errno {error.errno}\n")
        os._exit(127)


def start(method, image, compute_ns, memory, pages):
    if method == "posix_spawn":
        return os.posix_spawn(image, [image], {})
    if method == "vfork":
        pid = guest.vfork()
    else:
        pid = os.fork()
    if pid == 0:
        execute(image, compute_ns, memory, pages)
    return pid


def chain(depth, method, image, expect, compute_ns, memory, pages):
    # A process with depth - 1 generations below it: makes the next, waits, ends as it ended.
    if depth > 2:
        pid = os.fork()
        if pid == 0:
            chain(depth - 1, method, image, expect, compute_ns, memory, pages)
    else:
        pid = start(method, image, compute_ns, memory, pages)
    reaped, status = os.waitpid(pid, 0)
    assert reaped == pid, f"waited for {pid}, got {reaped}"
    assert status == expect << 8, f"{image} ended with status {status:#x}"
    os._exit(expect)


def parent(index, settings):
    children = whole(settings, "children", 0)
    window = whole(settings, "window", 1)
    image = settings["image"]
    expect = whole(settings, "expect", 0)
    method = settings["method"]
    compute = distribution(settings, "compute", True)
    touch = distribution(settings, "touch", False)
    mapped = whole(settings, "pages", 0)
    depth = whole(settings, "depth", 1)
    state = step(step(whole(settings, "seed", 0) * 1000003 + index))
    memory = None
    if mapped:
        memory = mmap.mmap(-1, mapped * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        guest.touch(memory, 0, mapped)
    wanted = expect << 8
    compute_ns = compute[1]
    pages = touch[1]
    varied = compute[2] > 0 or touch[2] > 0
    live = set()
    started = 0
    reaped = 0
    while reaped < children:
        if started < children and len(live) < window:
            if varied:
                compute_ns, state = draw(compute, state)
                pages, state = draw(touch, state)
                if pages > mapped:
                    pages = mapped
            if depth > 1:
                pid = os.fork()
                if pid == 0:
                    chain(depth, method, image, expect, compute_ns, memory, pages)
            elif method == "fork":
                pid = os.fork()
                if pid == 0:
                    execute(image, compute_ns, memory, pages)
            else:
                pid = start(method, image, compute_ns, memory, pages)
            assert pid > 0 and pid not in live, f"fork returned {pid}"
            live.add(pid)
            started += 1
        else:
            pid, status = os.wait()
            assert pid in live, f"reaped {pid}, which is not an outstanding child"
            assert status == wanted, f"child {pid} ended with status {status:#x}"
            live.remove(pid)
            reaped += 1
    assert not live


def check(settings):
    if settings["method"] not in ("fork", "vfork", "posix_spawn"):
        usage(f"method={settings['method']}: not fork, vfork or posix_spawn")
    if whole(settings, "expect", 0) > 255:
        usage(f"expect={settings['expect']}: an exit code is at most 255")
    compute = distribution(settings, "compute", True)
    touch = distribution(settings, "touch", False)
    if settings["method"] == "posix_spawn" and (compute[1] + compute[2] or touch[1] + touch[2]):
        usage("posix_spawn runs no code in the child: compute and touch must be fixed at 0")
    if touch[0] != "exp" and touch[1] + touch[2] > whole(settings, "pages", 0):
        usage(f"touch={settings['touch']}: more than pages={settings['pages']}")


def main():
    settings = parse(sys.argv[1:])
    check(settings)
    parents = whole(settings, "parents", 1)
    lifecycles = parents * whole(settings, "children", 0) * whole(settings, "depth", 1)
    whole(settings, "window", 1)
    whole(settings, "seed", 0)
    for index in range(parents):
        if os.fork() == 0:
            parent(index, settings)
            os._exit(0)
    for _ in range(parents):
        _, status = os.wait()
        assert status == 0, f"a parent ended with status {status:#x}"
    print(f"fork_exec_storm: {parents} parents, {lifecycles} lifecycles")


if __name__ == "__main__":
    main()
