"""Lifecycles (fork, exec, exit, wait) per second, side by side in one run.

host    the kernel of this machine: a C loop where there is a compiler, and os.posix_spawn of
        /bin/true from Python; the faster of the two counts
local   fork_exec_storm on 64 simulated CPUs, local engine
ray     the same on Ray, all CPUs in one actor and the kernel in another
simpy   a SimPy model that only forks, runs, exits and waits, on 64 CPUs
memory  bytes of a live task that was forked and sleeps, local engine

The emulator runs on the compiled core where one can be had: without SMPLAB_CORE in the environment
the benchmark first builds it (``cluster.compile_core``, some minutes once per version of the
source). ``core`` says which was measured; ``local_pure_per_s`` is the local engine in pure Python
in any case.

The measurements take turns, so that what else happens on the machine meets all of them; the
medians count. Both engines run the scheme barrier without a trace. Timed is the engine's loop, not
what is before and after it (Ray's start and end, compilation of the guest program), where the
engine reports it as ``loop_ns``; else the whole run.

Usage: python tests/benchmarks/lifecycles.py [--lifecycles N] [--rounds N] [--no-ray] [--json FILE]
       SMPLAB_CORE=pure python tests/benchmarks/lifecycles.py …   # as pure Python only
"""

import argparse
import gc
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Generator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import simpy

import workloads
from cluster import fast_core
from cluster.build import guest_spec
from cluster.engine import run_machine
from cluster.engine_api import DONE, LIMIT, RunRequest

HERE = Path(__file__).resolve().parent
STORM = Path(workloads.__file__).parent / "programs" / "fork_exec_storm.py"
CPUS = 64
QUANTUM_NS = 1_000_000


def c_loop(folder: Path) -> Path | None:
    """Compile the host's loop into ``folder``; None if this machine has no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    program = folder / "host_loop"
    subprocess.run([compiler, "-O2", "-o", program, HERE / "host_loop.c"], check=True)
    return program


def host_c(program: Path, count: int) -> float:
    """Return lifecycles per second of the compiled loop."""
    done = subprocess.run([program, str(count)], check=True, capture_output=True)
    return count * 1e9 / float(done.stdout)


def host_spawn(count: int) -> float:
    """Return lifecycles per second of posix_spawn from Python."""
    start = perf_counter()
    for _ in range(count):
        pid = os.posix_spawn("/bin/true", ["/bin/true"], {})
        _, status = os.waitpid(pid, 0)
        assert status == 0
    return count / (perf_counter() - start)


def storm_request(lifecycles: int, engine: str) -> RunRequest:
    """Return the run both engines are measured with."""
    children = max(1, lifecycles // CPUS)
    spec = guest_spec(STORM, [f"parents={CPUS}", f"children={children}"], cpus=CPUS, trace=False)
    return RunRequest(
        spec, engine=engine, scheme="barrier", quantum_ns=QUANTUM_NS, cpus_per_actor=CPUS
    )


def emulated(lifecycles: int, engine: str) -> float:
    """Return lifecycles per second of an engine; a run that did not end well is an error."""
    gc.collect()
    result = run_machine(storm_request(lifecycles, engine))
    statuses = [status for _, _, status in result.statuses]
    if result.exit_kind != DONE or statuses != [0]:
        raise RuntimeError(f"{engine}: {result.exit_kind} {result.message} {statuses}")
    took_ns: int = result.wall.get("loop_ns", result.wall["total_ns"])
    return max(1, lifecycles // CPUS) * CPUS / (took_ns / 1e9)


def simpy_storm(lifecycles: int) -> float:
    """Return lifecycles per second of the SimPy model."""
    env = simpy.Environment()
    cpus = simpy.Resource(env, capacity=CPUS)
    ended = 0

    def child() -> Generator[Any, Any, None]:
        nonlocal ended
        with cpus.request() as cpu:
            yield cpu
            yield env.timeout(250)
        ended += 1

    def parent(children: int) -> Generator[Any, Any, None]:
        for _ in range(children):
            with cpus.request() as cpu:
                yield cpu
                yield env.timeout(30)
            yield env.process(child())

    for _ in range(CPUS):
        env.process(parent(max(1, lifecycles // CPUS)))
    start = perf_counter()
    env.run()
    return ended / (perf_counter() - start)


def memory_of(tasks: int) -> int:
    """Return the bytes a machine holds on to while ``tasks`` children sleep."""
    from cluster.local_engine import LocalRun

    gc.collect()
    tracemalloc.start()
    spec = guest_spec(HERE / "sleepers.py", [str(tasks)], cpus=4, trace=False, pid_max=1 << 20)
    run = LocalRun(RunRequest(spec, scheme="barrier", max_virtual_ns=900_000_000_000))
    result = run.run()
    if result.exit_kind != LIMIT:
        raise RuntimeError(f"sleepers: {result.exit_kind} {result.message}")
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held


def bytes_per_task(tasks: int = 2000) -> float:
    """Return what one more sleeping task costs."""
    few = tasks // 10
    return (memory_of(tasks) - memory_of(few)) / (tasks - few)


def core() -> str:
    """Return whether this process runs the ``compiled`` or the ``pure`` core."""
    import kernel.cpu.cpu  # after cluster, which decides where it comes from

    return "pure" if kernel.cpu.cpu.__file__.endswith(".py") else "compiled"


def in_pure_python(lifecycles: int) -> float:
    """Return the local engine's lifecycles per second in a process that runs the pure core."""
    done = subprocess.run(
        [sys.executable, __file__, "--only-local", "--lifecycles", str(lifecycles)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, fast_core.VARIABLE: "pure"},
    )
    return float(done.stdout)


def choose_core() -> None:
    """Build the compiled core if nothing was chosen, and start again with it."""
    if fast_core.VARIABLE in os.environ:
        return
    print("building the compiled core, if that is possible here …", file=sys.stderr, flush=True)
    # where it cannot be built it says why, and the pure core is measured
    subprocess.run([sys.executable, "-m", "cluster.compile_core"], check=False)
    environment = {**os.environ, fast_core.VARIABLE: "auto"}
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Take all measurements, round by round, and return the results."""
    rates: dict[str, list[float]] = {}

    def note(name: str, rate: Callable[[], float]) -> None:
        rates.setdefault(name, []).append(rate())
        print(f"  {name:18} {rates[name][-1]:12,.0f}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        program = c_loop(Path(folder))
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            if program is not None:
                note("host_c", lambda: host_c(program, options.host_lifecycles))
            note("host_posix_spawn", lambda: host_spawn(options.host_lifecycles))
            note("local", lambda: emulated(options.lifecycles, "local"))
            if core() == "compiled":
                note("local_pure", lambda: in_pure_python(options.lifecycles))
            if not options.no_ray:
                note("ray", lambda: emulated(options.lifecycles, "ray"))
            note("simpy", lambda: simpy_storm(options.lifecycles))
    middle = {name: median(values) for name, values in rates.items()}
    method = max((name for name in middle if name.startswith("host_")), key=middle.__getitem__)
    host, local = middle[method], middle["local"]
    ray = middle.get("ray")
    return {
        "host_per_s": host,
        "local_per_s": local,
        "ray_per_s": ray,
        "simpy_per_s": middle["simpy"],
        "bytes_per_task": bytes_per_task(),
        "core": core(),
        "local_pure_per_s": middle.get("local_pure", local),
        "local_to_host": local / host,
        "local_to_simpy": local / middle["simpy"],
        "ray_to_local": None if ray is None else ray / local,
        "host_method": method,
        "host_c_per_s": middle.get("host_c"),
        "host_posix_spawn_per_s": middle["host_posix_spawn"],
        "lifecycles": options.lifecycles,
        "cpus": CPUS,
        "host_cpus": os.cpu_count(),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "rounds": rates,
    }


def main() -> None:
    """Measure, print, and write the file that --json names."""
    parser = argparse.ArgumentParser(description="Lifecycles per second, side by side.")
    parser.add_argument("--lifecycles", type=int, default=20_000, help="of each emulated run")
    parser.add_argument("--host-lifecycles", type=int, default=2_000, help="of each host run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-ray", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only-local", action="store_true", help="print local_per_s, no more")
    options = parser.parse_args()
    choose_core()
    if options.only_local:
        print(emulated(options.lifecycles, "local"))
        return
    found = measure(options)
    for name, value in found.items():
        if isinstance(value, float):
            print(f"{name:24} {value:14,.2f}")
        elif not isinstance(value, dict):
            print(f"{name:24} {value!s:>14}")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
