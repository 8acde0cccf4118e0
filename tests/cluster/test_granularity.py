"""Random small programs at both granularities and schemes: they end alike, and nothing is left.

The programs come from a grammar of guest statements whose outcome does not depend on who is
faster, so every run of one must print the same. Invariants are checked all the way, and the end of
a run is checked for leaks; a run that gets stuck is a failure, because no program here can.
"""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster.build import guest_spec
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import run_local

HEAD = """import mmap
import os
import signal
import threading

from workloads import guest

memory = mmap.mmap(-1, 2 * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
lock = threading.Lock()
total = [0]


def add(count):
    for _ in range(count):
        with lock:
            total[0] += 1


def fork_and_wait(code):
    pid = os.fork()
    if pid == 0:
        os._exit(code)
    assert os.waitpid(pid, 0)[1] == code << 8
    add(1)


def pass_on(fd, data):
    os.write(fd, data)


def run_threads(count, target, argument):
    threads = []
    for _ in range(count):
        thread = threading.Thread(target=target, args=(argument,))
        threads.append(thread)
        thread.start()
    for thread in threads:
        thread.join()


"""


def indent(text, depth):
    return "".join(f"{'    ' * depth}{line}\n" for line in text.splitlines())


def child(body, end, name):
    """A forked child that does ``body`` and ``end``; its parent waits and prints the status."""
    return (
        f"{name} = os.fork()\nif {name} == 0:\n{indent(body, 1)}{indent(end, 1)}"
        f"print({name!r}, os.waitpid({name}, 0)[1])\n"
    )


ENDS = st.one_of(
    st.integers(0, 255).map(lambda code: f"os._exit({code})"),
    st.sampled_from(
        [
            'os.execv("/bin/true", ["true"])',
            'os.execv("/bin/false", ["false"])',
            "os.kill(os.getpid(), signal.SIGKILL)",
            "os.kill(os.getpid(), signal.SIGTERM)\nos._exit(1)",
            'threading.Thread(target=os.execv, args=("/bin/false", ["false"])).start()\n'
            "guest.exit_thread(0)",
            "threading.Thread(target=os._exit, args=(9,)).start()\nwhile True:\n    os.getppid()",
            "guest.exit_thread(4)",
        ]
    ),
)

LEAVES = st.one_of(
    st.tuples(st.integers(1, 3), st.integers(1, 3)).map(
        lambda n: f"run_threads({n[0]}, add, {n[1]})"
    ),
    st.tuples(st.integers(1, 3), st.integers(0, 9)).map(
        lambda n: f"run_threads({n[0]}, fork_and_wait, {n[1]})"
    ),
    st.integers(0, 255).map(lambda value: f"memory[{value % 2} * mmap.PAGESIZE] = {value}"),
    st.just("print(memory[0], memory[mmap.PAGESIZE], total)"),
    st.integers(1, 3).map(
        lambda count: (
            "ends = os.pipe()\n"
            f"for _ in range({count}):\n"
            "    if os.fork() == 0:\n"
            "        pass_on(ends[1], b'x')\n"
            "        os._exit(0)\n"
            "os.close(ends[1])\n"
            "data = b''\n"
            "while True:\n"
            "    more = os.read(ends[0], 10)\n"
            "    if not more:\n"
            "        break\n"
            "    data += more\n"
            "print(data)\n"
            "os.close(ends[0])\n"
            f"for _ in range({count}):\n"
            "    assert os.wait()[1] == 0"
        )
    ),
    st.sampled_from(["SIGKILL", "SIGTERM", "SIGHUP"]).map(
        lambda name: (
            "victim = os.fork()\n"
            "if victim == 0:\n"
            "    while True:\n"
            "        os.getppid()\n"
            f"os.kill(victim, signal.{name})\n"
            "print('victim', os.waitpid(victim, 0)[1])"
        )
    ),
    st.just(
        "orphan = os.fork()\nif orphan == 0:\n    os.fork()\n    os._exit(3)\n"
        "print('orphan', os.waitpid(orphan, 0)[1])"
    ),
    st.just(
        "inner = guest.vfork()\nif inner == 0:\n    os._exit(5)\n"
        "print('vfork', os.waitpid(inner, 0)[1])"
    ),
)


def statements(depth):
    """Return a strategy of blocks in which children nest up to ``depth`` deep."""
    one = LEAVES
    if depth:
        one = st.one_of(
            LEAVES,
            st.tuples(statements(depth - 1), ENDS).map(
                lambda parts: child(parts[0], parts[1], f"child{depth}")
            ),
        )
    return st.lists(one, min_size=1, max_size=3).map("\n".join)


def outcome(path, **changes):
    scheme = changes.pop("scheme")
    spec = guest_spec(path, [], check=True, trace=False, **changes)
    result = run_local(
        RunRequest(spec, scheme=scheme, max_virtual_ns=20_000_000_000, max_wall_s=60)
    )
    assert result.exit_kind == DONE, f"{changes} {scheme}: {result.exit_kind}: {result.message}"
    (_label, _pid, status), *_ = result.statuses
    return status, result.outputs


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(body=statements(2), seed=st.integers(0, 2**32), cpus=st.sampled_from([1, 2, 4, 8]))
def test_a_random_program_ends_alike_at_every_granularity_and_scheme(body, seed, cpus):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.py"
        path.write_text(HEAD + body + "\nprint('end')\n", "utf-8")
        wanted = outcome(path, cpus=cpus, scheme="exact", granularity="syscall")
        assert wanted[0] == 0, wanted
        for scheme in ("exact", "barrier"):
            for tie_break in ("order", "random"):
                got = outcome(
                    path,
                    cpus=cpus,
                    seed=seed,
                    scheme=scheme,
                    granularity="step",
                    tie_break=tie_break,
                )
                assert got == wanted
