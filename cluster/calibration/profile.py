"""The profile as a file, and what it says of the host it was measured on."""

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from cluster.calibration.solve import Check, Found

UNITS: Final = {
    "copy_files_per_fd": "ns per descriptor",
    "reap": "ns per child",
    "thread_first": "ns per address space",
    "thread_stack": "ns per stack",
    "copy_vma": "ns per vma",
    "exit_per_vma": "ns per vma",
    "copy_pte": "ns per pte",
    "free_pte": "ns per pte",
    "zero_page": "ns per page",
    "copy_page": "ns per page",
    "free_page": "ns per page",
    "path_component": "ns per component",
    "copy_byte_x1000": "ps per byte",
}


def host_facts(root: Path = Path("/")) -> dict[str, str]:
    """Return what a reader of the profile must know of the host. ``root``: where /proc is."""
    facts = {
        "cpu": _cpu_model(root),
        "cpus": str(len(os.sched_getaffinity(0))),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "governor": _text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "hypervisor": _text(root / "sys/hypervisor/type") or _flag(root),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": " ".join(_text(root / "proc/loadavg").split()[:3]),
    }
    return {name: value or "not known" for name, value in facts.items()}


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _cpuinfo(root: Path, name: str) -> str:
    for line in _text(root / "proc/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _cpu_model(root: Path) -> str:
    return _cpuinfo(root, "model name") or _cpuinfo(root, "Hardware") or platform.processor()


def _flag(root: Path) -> str:
    return "yes" if "hypervisor" in _cpuinfo(root, "flags").split() else "none seen"


def profile_text(
    name: str, host: Mapping[str, str], found: Sequence[Found], checks: Sequence[Check]
) -> str:
    """Return the file: a cost profile that ``costs:`` of a configuration takes."""
    coverage = found[0].measured.coverage if found else 0.0
    costs = {}
    for each in found:
        said = each.step.source
        if len(each.step.costs) > 1:
            said = f"share of: {said}"
        if each.bounded:
            said += "; would have been less than 0"
        if each.noisy:
            said += "; noisy"
        costs[each.name] = {
            "value": each.value,
            "unit": UNITS.get(each.name, "ns"),
            "source": said,
            "interval": [each.low, each.high],
        }
    data = {
        "name": name,
        "description": f"measured by smplab calibrate; intervals have {coverage:.1%} of the noise",
        "host": dict(host),
        "costs": costs,
    }
    head = "# What this host's kernel costs guest programs, by smplab calibrate.\n"
    lines = [
        f"#   {each.step.source}: {each.measured.value:,.0f} ns on the host, "
        f"{each.emulated:,.0f} ns with this profile ({each.error:+.1%})\n"
        for each in checks
    ]
    if lines:
        lines.insert(0, "# Nothing was fitted to these:\n")
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=200)
    return head + "".join(lines) + text
