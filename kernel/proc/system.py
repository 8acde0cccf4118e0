"""Files of /proc itself: stat, loadavg, uptime, version, cpuinfo, meminfo, vmstat, slabinfo.

Source: fs/proc/{stat,loadavg,uptime,version,meminfo}.c, mm/vmstat.c, mm/slab_common.c,
arch/x86/kernel/cpu/proc.c.
Deviation: what is not modelled reads 0, as on a machine that does not use it (swap, huge pages,
write-back, interrupts, soft interrupts, block I/O); vmstat has only the lines that something here
counts. A CPU's times are those of its tasks as of their last entry into the kernel, and what a
task ran since counts for the CPU of its next entry, though it may have run elsewhere before it was
moved; ticks and switches between tasks count as idle. ctxt does not count switches from the idle
task.
"""

from typing import TYPE_CHECKING, Final

from kernel.mm.frames import ZERO_PAGE
from kernel.mm.mm_types import PTE_SHIFT
from kernel.mm.overcommit import vm_commit_limit
from kernel.proc.array import nsec_to_clock_t
from kernel.process.pid import task_active_pid_ns
from kernel.process.tasklist import for_each_thread
from kernel.smp.loadavg import get_avenrun
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.mman import PAGE_SIZE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_NR_SOFTIRQS: Final = 10
_NOTHING_TAKEN: Final = (0, 0, 0)


# -- processors ----------------------------------------------------------------------------------


def cpu_times(k: "Kernel", cpu: int) -> tuple[int, int, int, int, int, int]:
    """Return user, system, idle, irq, softirq and steal ns of one CPU since boot."""
    user_ns, system_ns = k.cpu_user_ns[cpu], k.cpu_system_ns[cpu]
    irq_ns, softirq_ns, steal_ns = k.cpu_taken_ns.get(cpu, _NOTHING_TAKEN)
    busy_ns = user_ns + system_ns + irq_ns + softirq_ns + steal_ns
    return user_ns, system_ns, max(0, k.now_ns - busy_ns), irq_ns, softirq_ns, steal_ns


def show_stat(k: "Kernel") -> str:
    """Return /proc/stat. Source: fs/proc/stat.c:show_stat()."""
    rows = [cpu_times(k, cpu) for cpu in range(k.spec.cpus)]
    total = tuple(sum(row[place] for row in rows) for place in range(6))
    lines = []
    for name, row in (("cpu ", total), *((f"cpu{cpu}", row) for cpu, row in enumerate(rows))):
        user, system, idle, irq, softirq, steal = map(nsec_to_clock_t, row)
        lines.append(f"{name} {user} 0 {system} {idle} 0 {irq} {softirq} {steal} 0 0\n")
    stats = k.stats
    lines += [
        "intr 0\n",
        f"ctxt {stats.sleeps + stats.exits + k.involuntary_switches}\n",
        f"btime {k.spec.epoch_ns // NSEC_PER_SEC}\n",
        f"processes {k.tasks.total_forks}\n",
        f"procs_running {sum(k.load.nr_running)}\n",
        "procs_blocked 0\n",
        f"softirq 0{' 0' * _NR_SOFTIRQS}\n",
    ]
    return "".join(lines)


def loadavg_proc_show(k: "Kernel") -> str:
    """Return /proc/loadavg: averages, running/existing threads, the last pid given out.

    Source: fs/proc/loadavg.c:loadavg_proc_show().
    """
    averages = " ".join(get_avenrun(k))
    last = task_active_pid_ns(k, k.current).pids.last
    return f"{averages} {sum(k.load.nr_running)}/{k.tasks.nr_threads} {last}\n"


def uptime_proc_show(k: "Kernel") -> str:
    """Return /proc/uptime: seconds since boot, and idle seconds of all CPUs.

    Source: fs/proc/uptime.c:uptime_proc_show().
    """
    idle_ns = sum(cpu_times(k, cpu)[2] for cpu in range(k.spec.cpus))
    parts = (divmod(ns // 10_000_000, 100) for ns in (k.now_ns, idle_ns))
    return " ".join(f"{seconds}.{hundredths:02d}" for seconds, hundredths in parts) + "\n"


def linux_version(k: "Kernel") -> str:
    """Return the release that uname() would give."""
    return f"{k.spec.linux}.0-smplab" if k.spec.linux.count(".") == 1 else f"{k.spec.linux}-smplab"


def version_proc_show(k: "Kernel") -> str:
    """Return /proc/version. Source: fs/proc/version.c:version_proc_show()."""
    return f"Linux version {linux_version(k)} (smplab@smplab) (Python) #1 SMP\n"


def show_cpuinfo(k: "Kernel") -> str:
    """Return /proc/cpuinfo: the lines that mean something here.

    On x86, of a machine whose topology is configured, where each CPU is.

    Source: arch/x86/kernel/cpu/proc.c:show_cpuinfo(), show_cpuinfo_core();
    arch/powerpc/kernel/setup-common.c.
    """
    if k.spec.arch == "x86":
        if k.spec.places:
            return _cpuinfo_cores(k.spec.places)
        block = "processor\t: {0}\nvendor_id\t: smplab\nmodel name\t: smplab emulated CPU\n\n"
    else:
        block = "processor\t: {0}\ncpu\t\t: smplab emulated CPU\n\n"
    return "".join(block.format(cpu) for cpu in range(k.spec.cpus))


def _cpuinfo_cores(places: tuple[tuple[int, ...], ...]) -> str:
    """Return the blocks of CPUs with places: siblings and cores are those of the package."""
    siblings: dict[int, int] = {}
    cores: dict[int, dict[int, int]] = {}  # package -> core -> its number there
    for package, _, _, _, core, _ in places:
        siblings[package] = siblings.get(package, 0) + 1
        known = cores.setdefault(package, {})
        known.setdefault(core, len(known))
    return "".join(
        f"processor\t: {cpu}\nvendor_id\t: smplab\nmodel name\t: smplab emulated CPU\n"
        f"physical id\t: {package}\nsiblings\t: {siblings[package]}\n"
        f"core id\t\t: {cores[package][core]}\ncpu cores\t: {len(cores[package])}\n\n"
        for cpu, (package, _, _, _, core, _) in enumerate(places)
    )


# -- memory --------------------------------------------------------------------------------------


class MemoryUse:
    """Page frames by what they are used for."""

    __slots__ = ("anon", "file", "free", "locked", "mapped", "shmem", "slab", "stack_kb", "total")

    def __init__(self, k: "Kernel") -> None:
        frames = k.frames
        self.total = frames.total
        self.free = frames.nr_free
        self.slab = sum(len(cache.slabs) * cache.pagesperslab for cache in k.slabs.values())
        self.stack_kb = k.tasks.nr_threads * k.spec.thread_size >> 10
        self.file = sum(len(layout.cache.frames) for layout in frames.layouts.values())
        mms = dict.fromkeys(task.mm for task in for_each_thread(k) if task.mm is not None)
        self.locked = sum(mm.locked_vm for mm in mms)
        tables = dict.fromkeys(mm.pt for mm in mms)
        private = {pte >> PTE_SHIFT for table in tables for pte in table.filled.values()} - {
            ZERO_PAGE
        }
        self.anon = len(private) + sum(table.nr_reserved for table in tables)
        shared = dict.fromkeys(vma.pages for mm in mms for vma in mm.vmas if vma.pages is not None)
        self.shmem = sum(len(pages.frames) for pages in shared if not pages.keep)
        self.mapped = self.shmem + sum(len(pages.frames) for pages in shared if pages.keep)


def meminfo_proc_show(k: "Kernel") -> str:
    """Return /proc/meminfo. Source: fs/proc/meminfo.c:meminfo_proc_show()."""
    use = MemoryUse(k)
    page_kb = PAGE_SIZE >> 10
    anon, file = use.anon * page_kb, use.file * page_kb
    slab, shmem = use.slab * page_kb, use.shmem * page_kb
    free = use.free * page_kb
    locked = use.locked * page_kb
    rows: tuple[tuple[str, int], ...] = (
        ("MemTotal", use.total * page_kb),
        ("MemFree", free),
        ("MemAvailable", free),
        ("Buffers", 0),
        ("Cached", file + shmem),
        ("SwapCached", 0),
        ("Active", anon + shmem),
        ("Inactive", file),
        ("Active(anon)", anon + shmem),
        ("Inactive(anon)", 0),
        ("Active(file)", 0),
        ("Inactive(file)", file),
        ("Unevictable", locked),
        ("Mlocked", locked),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Dirty", 0),
        ("Writeback", 0),
        ("AnonPages", anon),
        ("Mapped", use.mapped * page_kb),
        ("Shmem", shmem),
        ("KReclaimable", 0),
        ("Slab", slab),
        ("SReclaimable", 0),
        ("SUnreclaim", slab),
        ("KernelStack", use.stack_kb),
        ("PageTables", 0),
        ("CommitLimit", vm_commit_limit(k) * page_kb),
        ("Committed_AS", k.frames.committed * page_kb),
    )
    if not k.tasks.profile.idle_and_parked:  # 2.6.34 has no such lines
        rows = tuple(row for row in rows if row[0] not in ("MemAvailable", "KReclaimable"))
    return "".join(f"{name + ':':<16}{value:8} kB\n" for name, value in rows)


def vmstat_show(k: "Kernel") -> str:
    """Return /proc/vmstat. Source: mm/vmstat.c:vmstat_show()."""
    use = MemoryUse(k)
    stats = k.stats
    faults = stats.faults_zero + stats.faults_anon + stats.faults_file + stats.faults_shared
    faults += stats.cow_copied + stats.cow_reused
    rows = (
        ("nr_free_pages", use.free),
        ("nr_slab_reclaimable", 0),
        ("nr_slab_unreclaimable", use.slab),
        ("nr_anon_pages", use.anon),
        ("nr_mapped", use.mapped),
        ("nr_file_pages", use.file + use.shmem),
        ("nr_shmem", use.shmem),
        ("nr_kernel_stack", use.stack_kb),
        ("pgfault", faults),
        ("pgmajfault", 0),
        ("pgreuse", stats.cow_reused),
        ("oom_kill", stats.oom_kills),
    )
    return "".join(f"{name} {value}\n" for name, value in rows)


def slabinfo_show(k: "Kernel") -> str:
    """Return /proc/slabinfo. Source: mm/slab_common.c:cache_show()."""
    lines = [
        "slabinfo - version: 2.1\n"
        "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
        " : tunables <limit> <batchcount> <sharedfactor>"
        " : slabdata <active_slabs> <num_slabs> <sharedavail>\n"
    ]
    for cache in k.slabs.values():
        slabs = len(cache.slabs)
        lines.append(
            f"{cache.name:<17} {cache.active_objs:6} {cache.num_objs:6} {cache.objsize:6} "
            f"{cache.objperslab:4} {cache.pagesperslab:4} : tunables {0:4} {0:4} {0:4}"
            f" : slabdata {slabs:6} {slabs:6} {0:6}\n"
        )
    return "".join(lines)
