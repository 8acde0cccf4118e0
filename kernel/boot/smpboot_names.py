"""Which per-CPU kernel threads a machine boots with: plain facts, for the kernel and for the CPUs.

Source: kernel/smpboot.c:smpboot_register_percpu_thread() and its callers.
"""

from typing import Final

from kernel.machine import MachineSpec

_FIRST_PID: Final = 3
# in the order in which a CPU gets them
PER_CPU: Final[dict[str, tuple[str, ...]]] = {
    "6.12": ("cpuhp", "migration", "ksoftirqd"),
    "2.6.34": ("migration", "ksoftirqd"),
}


def boot_kthreads_of(spec: MachineSpec, cpu: int) -> tuple[tuple[int, str], ...]:
    """Return pid and name of the threads that one CPU has from boot on."""
    if not spec.kthreads:
        return ()
    kinds = PER_CPU[spec.linux]
    first = _FIRST_PID + cpu * len(kinds)
    return tuple((first + place, f"{kind}/{cpu}") for place, kind in enumerate(kinds))


def boot_kthreads(spec: MachineSpec) -> tuple[tuple[int, str, int], ...]:
    """Return pid, name and CPU of every per-CPU thread that the machine boots with.

    Both halves of the threads are made from this: the kernel's and the CPUs'.
    """
    return tuple(
        (pid, name, cpu) for cpu in range(spec.cpus) for pid, name in boot_kthreads_of(spec, cpu)
    )
