"""The surroundings a native run begins in: the same ones, whoever starts the oracle and from where.

What a process inherits through fork and exec would make the outcomes of a program depend on the
caller: nice value, policy, affinity, umask, resource limits, blocked and ignored signals,
oom_score_adj, timer slack. So a run begins as an emulated one does (``FIXED``): ``settle`` sets
all of it, before anything that costs privileges. What the caller may not set back, a limit that was
lowered for good, say, is reported by the run itself (``Surroundings.parse``); then the emulated
machine takes it over (``taken_over``), or, where it cannot, the programs are not compared.

docs/decisions/0005-where-a-native-run-begins.md says why, and what is not covered.
"""

import contextlib
import ctypes
import os
import resource
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from kernel.machine import MachineSpec, SpawnSpec
from kernel.process.limits import boot_rlimits, max_threads
from kernel.uapi.rlimit import RLIM_INFINITY, RLIM_NLIMITS, RLIMIT_CORE

PR_SET_TIMERSLACK: Final = 29
_TIMER_SLACK_NS: Final = 50_000
_CORE_PATTERN: Final = "/proc/sys/kernel/core_pattern"


class Surroundings(NamedTuple):
    """What a program begins with. ``blocked`` and ``ignored`` have bit n-1 set for signal n."""

    nice: int
    policy: int
    umask: int
    blocked: int
    ignored: int
    oom_score_adj: int
    no_new_privs: int
    uid: int
    gid: int
    rlimits: tuple[tuple[int, int], ...]  # (soft, hard) by RLIMIT_ number

    @classmethod
    def parse(cls, text: str) -> "Surroundings":
        """Return what ``native_init`` reports, numbers with blanks between, limits last."""
        (nice, policy, umask, blocked, ignored, adj, no_new_privs, uid, gid, *limits) = map(
            int, text.split()
        )
        unsigned = [limit % (1 << 64) for limit in limits]
        rlimits = tuple(zip(unsigned[::2], unsigned[1::2]))
        return cls(nice, policy, umask, blocked, ignored, adj, no_new_privs, uid, gid, rlimits)


def _fixed() -> Surroundings:
    return Surroundings(0, 0, 0o022, 0, 0, 0, 0, 0, 0, boot_rlimits(max_threads(MachineSpec())))


FIXED: Final = _fixed()  # where an emulated program begins, if nobody says otherwise


class NotComparable(Exception):
    """Native runs here begin with something that the emulated machine cannot begin with."""


def settle(cpu: int | None) -> Callable[[], None]:
    """Return what the first process of a run does before it becomes anything.

    Each setting is tried; one that the caller may not change stays as it is.

    Args:
        cpu: the only CPU of this host to run on; None: all of them.
    """
    libc = ctypes.CDLL(None)
    limits = wanted_rlimits()
    configured = range(os.sysconf("SC_NPROCESSORS_CONF"))

    def child() -> None:
        for number in range(1, signal.NSIG):
            with contextlib.suppress(OSError, ValueError):  # SIGKILL, SIGSTOP; the C library's own
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.umask(FIXED.umask)
        libc.prctl(PR_SET_TIMERSLACK, _TIMER_SLACK_NS, 0, 0, 0)
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, FIXED.nice)
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, configured if cpu is None else (cpu,))
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write(str(FIXED.oom_score_adj))
        with contextlib.suppress(OSError):
            os.setgroups(())
        for which, (soft, hard) in enumerate(limits):
            _set_limit(which, soft, hard)

    return child


def wanted_rlimits() -> tuple[tuple[int, int], ...]:
    """Return the limits of ``FIXED``, but for that of cores where they go to a pipe.

    There 0 does not keep a core from being made; 1 does.

    Source: fs/coredump.c:do_coredump().
    """
    limits = list(FIXED.rlimits)
    with contextlib.suppress(OSError), open(_CORE_PATTERN, encoding="utf-8") as file:
        if file.read(1) == "|":
            limits[RLIMIT_CORE] = (1, limits[RLIMIT_CORE][1])
    return tuple(limits)


def _set_limit(which: int, soft: int, hard: int) -> None:
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(which, (_signed(soft), _signed(hard)))
        return
    least = min(hard, resource.getrlimit(which)[1] % (1 << 64))
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(which, (_signed(min(soft, least)), _signed(least)))


def _signed(limit: int) -> int:
    return -1 if limit == RLIM_INFINITY else limit


def taken_over(start: Surroundings, spawn: SpawnSpec) -> SpawnSpec:
    """Return ``spawn`` such that the emulated program begins where native runs begin.

    User and group are fields of the whole machine: ``Surroundings.uid`` and ``gid``.

    Raises:
        NotComparable: it cannot begin there.
    """
    reasons = _not_taken_over(start)
    if reasons:
        raise NotComparable("; ".join(reasons))
    rlimits = [
        (which, *start.rlimits[which])
        for which in range(RLIM_NLIMITS)
        if start.rlimits[which] != FIXED.rlimits[which]
    ]
    return replace(
        spawn,
        nice=start.nice,
        rlimits=tuple(rlimits),
        oom_score_adj=start.oom_score_adj,
        no_new_privs=bool(start.no_new_privs),
    )


def _not_taken_over(start: Surroundings) -> list[str]:
    reasons = []
    if start.policy != FIXED.policy:
        reasons.append(
            f"native runs begin with the scheduling policy {start.policy}, as smplab was started, "
            "and may not leave it"
        )
    if start.umask != FIXED.umask:
        reasons.append(f"native runs begin with umask {start.umask:03o} on this host")
    for what, mask in (("blocked", start.blocked), ("ignored", start.ignored)):
        if mask:
            reasons.append(f"native runs begin with signals {what} on this host: {_names(mask)}")
    return reasons


def _names(mask: int) -> str:
    numbers = [number for number in range(1, 65) if mask >> (number - 1) & 1]
    known: Sequence[signal.Signals] = tuple(signal.Signals)
    names = {int(one): one.name for one in known}
    return ", ".join(names.get(number, str(number)) for number in numbers)
