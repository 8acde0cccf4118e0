"""One program on the host's kernel and emulated, pinned to one CPU or free on all."""

from pathlib import Path

import pytest

from cluster.build import guest_spec
from cluster.engine import run_machine
from cluster.engine_api import DONE
from cluster.native import run_native, usable_cpu
from cluster.request import request_of_machine

PROGRAMS = Path(__file__).resolve().parent / "programs"
TICK_NS = 4_000_000


def emulated(
    program: str, *args: str, fair: str = "eevdf", cpus: int = 1, slack: bool = False
) -> str:
    """Return what the program wrote on a machine of ``cpus`` CPUs, with timer slack or without."""
    more = {"cpus": cpus, "fair": fair, "trace": False, "timer_slack": slack}
    spec = guest_spec(PROGRAMS / program, list(args), **more)
    result = run_machine(request_of_machine(spec, "exact", max_wall_s=120))
    assert result.exit_kind == DONE, result.message
    assert not result.outputs.get(f"{program}.stderr")
    return result.outputs[f"{program}.stdout"].decode()


def native(program: str, *args: str, pinned: bool = True) -> str:
    """Return what the program wrote on this host; skip the test if that forbids what it needs."""
    run = run_native(PROGRAMS / program, args, cpu=usable_cpu() if pinned else None)
    assert (run.status, run.stderr) == (0, b"")
    text = run.stdout.decode()
    for line in text.splitlines():
        if line.startswith("forbidden: "):
            pytest.skip(f"this host forbids {line.removeprefix('forbidden: ')}")
    return text


def numbers(text: str) -> list[int]:
    """Return the numbers that a program wrote, a line each."""
    return [int(line) for line in text.split()]
