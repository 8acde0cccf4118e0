"""Random programs on the host's kernel and emulated.

A program is a script for tests/guest/random/puppets.py: who makes which system call, one after the
other. Its output is the same in every run unless two sleepers race for one thing; so a difference
counts only if no native run gives what the emulator gave: several are made, with more time to
settle, then with every system call held up at random.

Standalone: ``python tests/oracle/random_programs.py --count 200 --seed 1``. Differences are printed
with their script; ``--shrink`` leaves out commands as long as it differs, ``--script`` tries one.
"""

import argparse
import difflib
import importlib.util
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PUPPETS = ROOT / "tests/guest/random/puppets.py"
SETTLE_MS = 50
# runs on the host, one round after the other while none gives what the emulator gave:
# how many at once, milliseconds to settle, microseconds by which calls are held up
ROUNDS = ((6, SETTLE_MS, 0), (6, 120, 0), (8, 400, 0), *((12, 400, 3_000),) * 3)
PARALLEL = 24
NAMES = 8
STOPS = (19, 20, 21, 22)
SIGNALS = (0, 1, 3, 6, 9, 9, 10, 12, 13, 14, 15, 15, 17, 18, 18, 18, *STOPS, 23, 25, 28, 34, 64)
WAIT_FLAGS = (
    0,
    0,
    1,
    1,
    2,
    3,
    8,
    9,
    10,
    11,
    0x40000001,
    0x20000001,
    0x80000001 - (1 << 32),
    4,
    0x20000003,
)
WAITID_FLAGS = (4, 5, 5, 0x1000005, 0x1000004, 3, 9, 0x1000003, 7, 15, 0, 1, 0x40000005, 13)


class Author:
    """Writes one script. It keeps a rough idea of who is there, to make calls that matter."""

    def __init__(self, choices: random.Random) -> None:
        self.random = choices
        self.idle = [1]
        self.known = [1]
        self.threads: list[int] = []
        self.next = 2
        self.pipes = 0

    def target(self, *, group: bool = True) -> str:
        """Return a pid argument: somebody's, a group's, or an odd one."""
        draw = self.random.random()
        who = f"#{self.random.choice(self.known)}"
        if group and draw < 0.25:
            return f"-{who}"
        if draw < 0.9:
            return who
        return self.random.choice(("0", "0", "99999", "-99999" if group else "-1"))

    def command(self) -> str:
        """Return the next command."""
        pick = self.random.choice
        if self.random.random() < 0.04:
            name = pick(self.known)
        elif self.idle:
            name = pick(self.idle)
        else:
            name = pick(self.known)
        what = pick(KINDS)
        if what in ("fork", "clone", "thread"):
            if self.next > NAMES:
                what = "who"
            else:
                new, self.next = self.next, self.next + 1
                self.idle.append(new)
                if what == "thread":
                    return f"{name} thread {new}"
                self.known.append(new)
                if what == "clone":
                    return f"{name} clone {new} {pick((17, 0, 10, 18, 17 + 0x8000, 34))}"
                return f"{name} fork {new}"
        if what == "wait":
            flags = pick(WAIT_FLAGS)
            if not flags & 1 and self.random.random() < 0.5:
                flags |= 1
            if not flags & 1:
                self.busy(name, 0.5)
            return f"{name} wait {pick(('-1', '-1', '0', self.target()))} {flags}"
        if what == "waitid":
            flags = pick(WAITID_FLAGS)
            if not flags & 1:
                self.busy(name, 0.5)
            kind = pick((0, 0, 1, 1, 2))
            who = "0" if not kind else self.target(group=False)
            return f"{name} waitid {kind} {who} {flags}"
        if what == "kill":
            return f"{name} kill {self.target()} {pick(SIGNALS)}"
        if what == "killpg":
            return f"{name} killpg {self.target(group=False)} {pick(SIGNALS)}"
        if what == "stop":
            return f"{name} kill {self.target()} {pick(STOPS)}"
        if what == "setpgid":
            return f"{name} setpgid {self.target(group=False)} {self.target(group=False)}"
        if what in ("exit", "exit_thread", "exec"):
            self.busy(name, 1)
            return f"{name} {what} {self.random.randrange(256)}"
        if what in ("spawn", "spawn_group", "vfork"):
            number = pick((0, 0, f"#{pick(self.known)}")) if what == "spawn_group" else 5
            return f"{name} {what} {number}"
        if what == "group_of":
            return f"{name} group_of {self.target(group=False)}"
        if what in ("pipe", "npipe"):
            self.pipes += 1
            return f"{name} {what} {self.pipes}"
        if what in ("dup", "dup2"):
            old = self.random.randint(1, max(self.pipes, 1))
            if what == "dup2":
                return (
                    f"{name} dup2 {old} {self.random.randint(1, max(self.pipes, 1))} {pick((0, 1))}"
                )
            self.pipes += 1
            return f"{name} dup {old} {self.pipes}"
        if what == "waitfd":
            flags = pick(WAITID_FLAGS)
            if not flags & 1:
                self.busy(name, 0.5)
            return f"{name} waitfd {self.target(group=False)} {flags}"
        if what == "subreaper":
            return f"{name} subreaper {pick((0, 1, 1))}"
        if what == "pdeath":
            return f"{name} pdeath {pick((0, 10, 12, 15, 9, 18, 19))}"
        if what == "cred":
            return f"{name} cred {pick(UIDS)} {pick(UIDS)} {pick(UIDS)}"
        if what == "umask":
            return f"{name} umask {pick((0, 18, 63))}"
        if what in SIGNAL_KINDS:
            return self.about_signals(name, what)
        if what in ("write", "read", "close"):
            pipe = self.random.randint(1, max(self.pipes, 1))
            size = pick((1, 100, 4096, 5000, 65536, 70000))
            return f"{name} {what} {pipe} {pick((0, 1)) if what == 'close' else size}"
        if what in ("store", "load"):
            place = self.random.randrange(3)
            return (
                f"{name} store {place} {self.random.randrange(256)}"
                if what == "store"
                else (f"{name} load {place}")
            )
        if what == "nice":
            return f"{name} nice {pick((0, 1, 5, 50, -3))}"
        if what == "setpriority":
            return (
                f"{name} setpriority {pick((0, 1))} {self.target(group=False)} {pick((3, 19, 7))}"
            )
        if what == "getpriority":
            return f"{name} getpriority {pick((0, 1))} {self.target(group=False)}"
        if what == "acquire":
            return f"{name} acquire {pick((0, 0, 1))}"
        return f"{name} {what}"

    def about_signals(self, name: int, what: str) -> str:
        """Return a command about signals."""
        pick = self.random.choice
        number = pick(CAUGHT)
        if what == "handle" and self.random.random() < 0.1:
            number = pick((9, 19, 0, 65))
        if what == "mask":
            numbers = sorted({pick(CAUGHT) for _ in range(pick((1, 1, 2, 4)))})
            return f"{name} mask {pick((0, 0, 0, 1, 1, 2))} {' '.join(map(str, numbers))}"
        if what in ("sigwait", "sigpoll", "sigtimed"):
            numbers = sorted({pick(CAUGHT) for _ in range(pick((1, 2, 4)))})
            if what == "sigwait":
                self.busy(name, 0.7)
            return f"{name} {what} {' '.join(map(str, numbers))}"
        if what == "siginterrupt":
            return f"{name} siginterrupt {number} {pick((0, 1))}"
        if what == "pidfd":
            return f"{name} pidfd {self.target(group=False)} {pick((0, number, number, 18, 9))}"
        if what == "pause":
            self.busy(name, 0.7)
        if what == "poke":
            return f"{name} kill {self.target()} {number}"
        return f"{name} {what} {number}" if what in ONE_SIGNAL else f"{name} {what}"

    def busy(self, name: int, chance: float) -> None:
        """Expect that ``name`` takes no more commands."""
        if name in self.idle and self.random.random() < chance:
            self.idle.remove(name)

    def script(self) -> str:
        """Return a whole script."""
        length = self.random.randint(8, 22)
        start = [f"1 {self.random.choice(('fork', 'fork', 'thread'))} 2"]
        self.next = 3
        self.idle.append(2)
        if "fork" in start[0]:
            self.known.append(2)
        return "; ".join([*start, *(self.command() for _ in range(length))])


# signals that puppets catch, mask and send each other
CAUGHT = (1, 2, 10, 10, 10, 12, 12, 14, 15, 17, 17, 18, 20, 34, 34, 64)
UIDS = (-1, -1, 0, 1000, 1000, 1001)
ONE_SIGNAL = ("handle", "ignore", "default", "raise", "tkill")
SIGNAL_KINDS = (
    *ONE_SIGNAL, "mask", "pending", "seen", "sigwait", "sigpoll", "sigtimed", "siginterrupt",
    "pidfd", "alarm", "pause", "poke",
)  # fmt: skip

KINDS = (
    *("fork",) * 10, *("wait",) * 8, *("kill",) * 7, *("waitid",) * 5, *("setpgid",) * 4,
    *("exit",) * 4, *("thread",) * 3, *("stop",) * 3, *("setsid",) * 2, *("pipe",) * 2,
    *("handle",) * 6, *("mask",) * 5, *("poke",) * 8, *("seen",) * 4, *("pending",) * 2,
    *("sigwait",) * 2, *("sigpoll",) * 2, *("ignore",) * 2, "default", "sigtimed", "siginterrupt",
    "raise", "tkill", "alarm", "alarm", "pause", "pidfd", "npipe", "dup", "dup2", "umask",
    *("subreaper",) * 3, *("pdeath",) * 2, "waitfd", "waitfd", "cred", "cred", "ids",
    *("write",) * 3, *("read",) * 3, *("close",) * 3, *("store",) * 2, *("load",) * 2,
    "clone", "clone", "killpg", "exit_thread", "exec", "again", "who", "who", "group_of",
    "spawn", "spawn_group", "spawn_nothing", "exec_nothing", "vfork", "nice", "setpriority",
    "getpriority", "acquire", "acquire", "release",
)  # fmt: skip


# -- native ----------------------------------------------------------------------------------------


def run_batch(jobs: Sequence[tuple[str, int, int]]) -> list[str]:
    """Run scripts natively, in one fresh PID namespace, PARALLEL at a time; return the outputs.

    Args:
        jobs: script, milliseconds to settle, microseconds by which a call may be held up.

    Raises:
        RuntimeError: the host has no PID namespaces.
    """
    from cluster.native_start import settle

    with tempfile.TemporaryDirectory(prefix="smplab-random-") as folder:
        path = Path(folder) / "jobs"
        path.write_text(json.dumps(jobs))
        command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable]
        done = subprocess.run(
            [*command, __file__, "--host", str(path)],
            capture_output=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            preexec_fn=settle(None),
        )
        if done.returncode:
            raise RuntimeError(done.stderr.decode())
        outputs: list[str] = json.loads(path.read_text())
        return outputs


def host(path: Path) -> None:
    """Be process 1 of the namespace: run the jobs of ``path`` and write their outputs there."""
    if os.getpid() != 1:
        raise SystemExit("--host is for process 1 of a PID namespace")
    resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    jobs = json.loads(path.read_text())
    code = compile(PUPPETS.read_text(), str(PUPPETS), "exec")
    running: dict[int, int] = {}
    started: dict[int, float] = {}
    for index, (script, settle_ms, jitter_us) in enumerate(jobs):
        while len(running) >= PARALLEL:
            reap(running)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            out = os.open(f"{path}.{index}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(out, 1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # tracebacks would show our own frames
            os.closerange(3, 64)
            sys.stdout = open(1, "w", buffering=1)  # noqa: SIM115  (as python -u would have it)
            if jitter_us:
                hold_up_calls(jitter_us)
            sys.argv = [str(PUPPETS), script, str(settle_ms)]
            exec(code, {"__name__": "__main__", "__file__": str(PUPPETS)})
            sys.stdout.flush()
            os._exit(0)
        running[pid] = index
        started[pid] = time.monotonic()
    while running:
        reap(running)
    texts = [Path(f"{path}.{index}").read_text() for index in range(len(jobs))]
    path.write_text(json.dumps(texts))


def hold_up_calls(most_us: int) -> None:
    """Let every system call of this process and its descendants begin late now and then."""
    name = "sitecustomize"
    path = ROOT / "cluster/native_site/sitecustomize.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.watch(most_us, False)


def reap(running: dict[int, int]) -> None:
    """Wait for one child, be it a job or an orphan."""
    pid, _status = os.wait()
    running.pop(pid, None)


# -- emulated --------------------------------------------------------------------------------------


def run_emulated(script: str, *, cpus: int, seed: int) -> str:
    """Return what the emulator prints for a script; a run that breaks off says why.

    An odd seed runs it step by step, in random order of steps; one in three under barrier.
    """
    from cluster.build import guest_spec
    from cluster.engine import run_machine
    from cluster.engine_api import DONE, RunRequest

    changes = {"granularity": "step", "tie_break": "random"} if seed % 2 else {}
    spec = guest_spec(
        PUPPETS, [script, "60"], cpus=cpus, seed=seed, check=True, trace=False, **changes
    )
    scheme = "exact" if seed % 3 else "barrier"
    result = run_machine(RunRequest(spec, scheme=scheme, max_wall_s=60))
    text = result.outputs.get("puppets.py.stdout", b"").decode()
    if result.exit_kind == DONE:
        return text
    errors = result.outputs.get("puppets.py.stderr", b"").decode()
    return f"{text}{result.exit_kind}: {result.message}\n{errors}"


def different(
    script: str,
    native: str | None = None,
    machines: Sequence[tuple[int, int]] = ((1, 2), (2, 3), (8, 5), (1, 7), (8, 4)),
) -> tuple[str, str] | None:
    """Return (native, emulated) outputs if the emulator does what no native run does, else None.

    Args:
        script: what the puppets do.
        native: the output of a native run, if there was one.
        machines: CPUs and seed of each emulated run.
    """
    natives = set() if native is None else {native}
    rounds = iter(ROUNDS)  # of runs on the host; each machine may ask for more
    for cpus, seed in machines:
        emulated = run_emulated(script, cpus=cpus, seed=seed)
        while emulated not in natives:
            more = next(rounds, None)
            if more is None:
                return sorted(natives)[0] if native is None else native, emulated
            times, settle_ms, jitter_us = more
            natives.update(run_batch([(script, settle_ms, jitter_us)] * times))
    return None


def shrink(script: str, failing: Callable[[str], bool]) -> str:
    """Return a script as short as leaving out commands makes it while ``failing`` holds."""
    commands = [part.strip() for part in script.split(";")]
    place = len(commands) - 1
    while place >= 0:
        fewer = commands[:place] + commands[place + 1 :]
        if fewer and failing("; ".join(fewer)):
            commands = fewer
        place -= 1
    return "; ".join(commands)


def report(title: str, script: str, pair: tuple[str, str]) -> None:
    """Print a difference."""
    print(f"--- {title}: {script}")
    left, right = (text.splitlines() for text in pair)
    lines = difflib.unified_diff(left, right, lineterm="", n=3)
    print("\n".join(list(lines)[2:]), flush=True)


def try_one(script: str, *, shorten: bool) -> int:
    """Run one script on many machines; return 1 if it differs on one."""
    pair = different(script)
    if pair is not None and shorten:
        script = shrink(script, lambda text: different(text) is not None)
        pair = different(script) or pair
    if pair is not None:
        report("different", script, pair)
    return int(pair is not None)


def try_many(count: int, seed: int, *, shorten: bool) -> int:
    """Run ``count`` random programs, one machine for each; return 1 if one differs."""
    scripts = [Author(random.Random(seed + number)).script() for number in range(count)]
    natives = run_batch([(script, SETTLE_MS, 0) for script in scripts])
    found = 0
    for number, (script, native) in enumerate(zip(scripts, natives, strict=True)):
        if number and not number % 100:
            print(f"{number} programs, {found} different so far", flush=True)
        pair = different(script, native, [((1, 2, 8)[number // 6 % 3], number)])
        if pair is None:
            continue
        found += 1
        if shorten:
            script = shrink(script, lambda text: different(text) is not None)
            pair = different(script) or pair
        report(f"seed {seed + number}", script, pair)
    print(f"{len(scripts)} programs, {found} different")
    return 1 if found else 0


def main() -> int:
    """Run ``--count`` random programs, or ``--script``; return 1 if one differs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="of the first program")
    parser.add_argument("--script", help="one program, instead of random ones")
    parser.add_argument("--shrink", action="store_true", help="shorten what differs")
    parser.add_argument("--host", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.host:
        host(arguments.host)
        return 0
    sys.path.insert(0, str(ROOT))
    if arguments.script:
        return try_one(arguments.script, shorten=arguments.shrink)
    return try_many(arguments.count, arguments.seed, shorten=arguments.shrink)


if __name__ == "__main__":
    raise SystemExit(main())
