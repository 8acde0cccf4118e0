"""Compiles the core with mypyc: ``smplab compile``, ``make fast``, or without being asked.

The result is an import root ``build/fast/<key>/`` as ``cluster.fast_core`` describes it: the whole
package ``kernel``, the hot modules as extension modules, the others as source. It is built in a
folder beside and renamed when it is complete, so nobody ever imports half of it. Builds of other
sources are removed then, but for those that some process may have started with an hour ago or less;
in the user's cache, which several versions may share, but for those that were used in a month.
Builds wait for each other (``_alone``), so that of two one has nothing left to do.

``make setup`` and ``make run`` call it with --background: a process of its own begins to build, on
idle time only, and what was asked for goes on at once. It says so in a line, and never fails. What
could not be compiled is not tried again before the source, or the interpreter, is another
(``make fast`` tries again).

Needed are mypyc, which comes with mypy, setuptools (both: ``pip install 'smplab[compile]'``), and a
C compiler with Python's headers. Without them nothing is built, and everything runs as before.

Not compiled, because nothing there is hot and every module costs seconds of C compiler: constants,
protocols, set-up, invariant checks, and calls that no workload makes in numbers. Not compiled
because mypyc cannot: ``kernel/errors.py`` (classes derived from built-in exceptions other
than Exception).
"""

import argparse
import compileall
import contextlib
import fcntl
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from cluster import fast_core
from cluster.core import forms
from cluster.core.paths import Refused

INTERPRETED: Final = (
    "process/acct.py",
    "boot/start.py",
    "errors.py",
    "process/kthread.py",
    "drive/chooser.py",  # choosers from outside derive from its classes
    "drive/memory.py",
    "drive/story.py",
    "drive/livelock.py",
    "machine.py",
    "ns/ledger.py",
    "time/posix_cpu_timers.py",
    "process/prctl.py",
    "profiles.py",
    "ptrace/requests.py",
    "ptrace/ledger.py",
    "ptrace/link.py",
    "ptrace/regs.py",
    "ptrace/stops.py",
    "ptrace/wait.py",
    "fs/random.py",
    "boot/rest_init.py",
    "boot/services.py",
    "ns/setns.py",
    "cred/setxid.py",
    "boot/smpboot.py",
    "boot/smpboot_names.py",
    "syscalls.py",
    "cred/uidgid.py",
    "ns/unshare.py",
    "user.py",
    "fs/dirops.py",
    "fs/initramfs.py",
    "fs/ledger.py",
    "fs/select.py",
    "ipc/fifo.py",
    "ipc/ledger.py",
    "ipc/msg.py",
    "ipc/pipe_size.py",
    "ipc/sem.py",
    "ipc/sem_queue.py",
    "ipc/shm.py",
    "ipc/skbuff.py",
    "ipc/socket.py",
    "ipc/util.py",
    "ipc/waitwake.py",
    "mm/atomic.py",
    "mm/ledger.py",
    "mm/madvise.py",
    "mm/mlock.py",
    "mm/oom_kill.py",
    "cpu/places.py",
    "sched/ext.py",  # schedulers from outside derive from its class
    "sched/invariants.py",
    "smp/ext.py",
    "smp/syscalls.py",
)
INTERPRETED_FOLDERS: Final = ("cgroup", "check", "proc", "trace", "uapi")
# -O0 loses all there is to gain, -O1 a sixtieth of the instructions (decision 0003)
_OPTIMISATION: Final = "2"
_FAILED: Final = 1
_LOCK: Final = "lock"  # whoever builds has it locked
_LOG: Final = "log"  # what the last build in the background wrote
_REFUSED: Final = "refused"  # the key of sources that could not be compiled; then why


class CannotCompile(Exception):
    """Something that is needed is missing, or the compiler gave up; the message says what."""


def modules(package: Path) -> list[Path]:
    """Return the files below ``package`` that are compiled, in a fixed order."""
    chosen = []
    for path in sorted(package.rglob("*.py")):
        relative = path.relative_to(package)
        if (
            relative.name != "__init__.py"
            and relative.as_posix() not in INTERPRETED
            and relative.parts[0] not in INTERPRETED_FOLDERS
        ):
            chosen.append(path)
    return chosen


def check_tools() -> None:
    """Raise CannotCompile unless all that a build needs is there."""
    for name in ("setuptools", "mypyc"):
        if importlib.util.find_spec(name) is None:
            raise CannotCompile(
                f"the Python package {name} is not installed (pip install 'smplab[compile]')"
            )
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        raise CannotCompile(f"there is no C compiler ({compiler})")
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.is_file():
        raise CannotCompile(f"Python's C headers are not installed ({header})")


def build() -> Path:
    """Compile the core as it is now, unless that is done; return its import root.

    Sources that are edited meanwhile do not matter: what is compiled is a copy, and the build's
    key is that copy's.

    Raises:
        CannotCompile: see there. Nothing is left behind.
    """
    done = fast_core.find()
    if done is not None:
        return done
    check_tools()
    builds = fast_core.builds_dir()
    builds.mkdir(parents=True, exist_ok=True)
    with _alone(builds):
        return fast_core.find() or _build(builds)


@contextlib.contextmanager
def _alone(builds: Path, *, wait: bool = True) -> Iterator[None]:
    """Be the only process that builds in a folder.

    The lock is the process's and not the file's, so one that was killed has it no more, and what it
    left is removed.

    Raises:
        BlockingIOError: another one builds, and ``wait`` is false.
    """
    with (builds / _LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # a file system without locks; builds are renamed when they are complete
            yield
            return
        for path in builds.glob("tmp-*"):
            shutil.rmtree(path, ignore_errors=True)
        yield


def _build(builds: Path) -> Path:
    with tempfile.TemporaryDirectory(prefix="tmp-", dir=builds) as folder:
        root = Path(folder, "root")
        sources = forms.read_sources(fast_core.ROOT)
        forms.write(sources, root)
        path = builds / fast_core.key(root)
        try:
            forms.write(forms.with_quick_forms(sources), root)
        except Refused as refused:
            raise CannotCompile(f"the source breaks a rule for paths: {refused}") from None
        compile_in_place(root, Path(folder, "work"))
        compileall.compile_dir(root, quiet=2)  # for those whose starts write no byte code
        if not path.exists():  # else a build that ran beside this one was first
            root.rename(path)
    forms.remove_old(fast_core.ROOT, builds, path)
    return path


def compile_in_place(root: Path, work: Path) -> None:
    """Compile the modules of the package in ``root``; extension modules go beside their sources.

    Args:
        root: an import root that holds a copy of the package, and nothing else.
        work: a folder for what is needed on the way; made here.

    Raises:
        CannotCompile: mypyc or the C compiler refused the source.
    """
    work.mkdir(parents=True)
    paths = [path.relative_to(root).as_posix() for path in modules(root / fast_core.PACKAGE)]
    before = Path.cwd()
    os.chdir(root)  # mypyc derives module names, and finds its configuration, from here
    try:
        _compile(paths, work)
    except SystemExit:
        raise CannotCompile("mypyc refused the source; see above") from None
    finally:
        os.chdir(before)


def _compile(paths: list[str], work: Path) -> None:
    from mypyc.build import mypycify

    setuptools: Any = importlib.import_module("setuptools")  # it has no types
    failures: Any = importlib.import_module("setuptools.errors")
    extensions = mypycify(
        ["--config-file=", f"--cache-dir={work / 'mypy'}", "--follow-untyped-imports", *paths],
        opt_level=_OPTIMISATION,
        debug_level="0",
        target_dir=str(work / "c"),
        multi_file=True,  # one C file a module: several can be compiled at once
    )
    distribution = setuptools.Distribution({"name": "smplab-core", "ext_modules": extensions})
    build_ext: Any = importlib.import_module("setuptools.command.build_ext").build_ext

    class ParallelBuild(build_ext):  # type: ignore[misc]
        def build_extensions(self) -> None:
            _compile_at_once(self.compiler)
            super().build_extensions()

    command: Any = ParallelBuild(distribution)
    command.inplace = True
    command.build_temp = str(work / "o")
    command.build_lib = str(work / "lib")
    try:
        command.ensure_finalized()
        command.run()
    except (failures.BaseError, failures.CompileError, failures.LinkError) as error:
        raise CannotCompile(f"the C compiler refused the generated code: {error}") from None


def _compile_at_once(compiler: Any) -> None:
    """Make a compiler of setuptools compile the sources of an extension side by side."""

    def compile_all(
        sources: list[str],
        output_dir: str | None = None,
        macros: Any = None,
        include_dirs: Any = None,
        debug: bool = False,
        extra_preargs: Any = None,
        extra_postargs: Any = None,
        depends: Any = None,
    ) -> list[str]:
        _, objects, postargs, options, build = compiler._setup_compile(
            output_dir, macros, include_dirs, sources, depends, extra_postargs
        )
        arguments = compiler._get_cc_args(options, debug, extra_preargs)

        def one(name: str) -> None:
            source, suffix = build[name]
            compiler._compile(name, source, suffix, arguments, postargs, options)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(one, objects))
        return list(objects)

    compiler.compile = compile_all


def build_and_tell() -> None:
    """Build unless that is done, and say on standard output what happens.

    Raises:
        CannotCompile: see there.
        OSError: the folder for builds cannot be written.
    """
    done = fast_core.find()
    if done is not None:
        print(f"compiled core: up to date: {_shown(done)}")
        return
    check_tools()
    print("compiled core: building, this takes minutes", flush=True)
    started = time.perf_counter()
    path = build()
    took = time.perf_counter() - started
    print(f"compiled core: built in {took:.0f} s: {_shown(path)}")
    if fast_core.find() != path:
        print("compiled core: the sources have changed meanwhile: the pure one is used")


def begin_in_background() -> str:
    """Let a process of its own build, if that makes sense; return a line about it, or nothing."""
    builds = fast_core.builds_dir()
    if os.environ.get(fast_core.VARIABLE) == "pure" or fast_core.find() is not None:
        return ""
    try:
        check_tools()
        builds.mkdir(parents=True, exist_ok=True)
        why = _refused(builds)
        if why:
            return f"compiled core: not built: {why}; the pure one is used"
        with _alone(builds, wait=False):
            log = (builds / _LOG).open("wb")
        with log:
            subprocess.Popen(
                [sys.executable, "-m", "cluster.compile_core", "--idle"],
                cwd=fast_core.ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # the Ctrl-C that ends a run is not for it
            )
    except BlockingIOError:
        return "compiled core: another process is building it, for later runs"
    except (CannotCompile, OSError) as error:
        return f"compiled core: not built: {error}; the pure one is used"
    return f"compiled core: being built beside this, for later runs; log: {_shown(builds / _LOG)}"


def build_on_idle_time() -> int:
    """Build unless somebody does; return the exit code. What it prints is for the log."""
    _give_way()
    builds = fast_core.builds_dir()
    key = fast_core.key()
    try:
        with _alone(builds, wait=False):
            print(f"compiled core: built: {fast_core.find() or _build(builds)}")
    except BlockingIOError:
        print("compiled core: another process builds it")
    except CannotCompile as error:
        print(f"compiled core: not built: {error}")
        (builds / _REFUSED).write_text(f"{key}\n{error}", "utf-8")
        return _FAILED
    return 0


def _give_way() -> None:
    """Let this process, and the compilers it starts, run when nothing else wants to."""
    os.nice(19)
    with contextlib.suppress(AttributeError, OSError):  # not on every host
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _refused(builds: Path) -> str:
    """Return why the source as it is now could not be compiled in the background, or nothing."""
    with contextlib.suppress(OSError):
        key, _, why = (builds / _REFUSED).read_text("utf-8").partition("\n")
        if key == fast_core.key():
            return why.split("\n")[0] or "see the log"
    return ""


def _shown(path: Path) -> Path:
    return path.relative_to(fast_core.ROOT) if path.is_relative_to(fast_core.ROOT) else path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="cluster.compile_core", description="Compile the core.")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--background", action="store_true", help="begin, say so, and do not wait")
    how.add_argument("--idle", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.background:
        if line := begin_in_background():
            print(line)
        return 0
    if options.idle:
        return build_on_idle_time()
    try:
        build_and_tell()
    except CannotCompile as error:
        print(f"compiled core: not built: {error}; the pure one is used", file=sys.stderr)
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
