"""Boot: the order in which a machine's kernel state comes up.

Memory first, then the caches that take their pages from it, the kernel stacks, the file tree, the
pid map, the first tasks: swapper, init, kthreadd, each in its first sleep, and last the timers of
the configured programs. Then time begins.

Source: init/main.c:start_kernel(), rest_init().
"""

from typing import TYPE_CHECKING, Final

from kernel.arch import arch_of
from kernel.arch.stack import boot_stacks
from kernel.boot.init_programs import arm_spawns
from kernel.boot.rest_init import boot_tasks, kernel_init
from kernel.boot.smpboot import smpboot_register_percpu_thread
from kernel.cgroup.cgroupfs import cgroup_init
from kernel.drive.forms import next_point, pass_point
from kernel.errors import InvariantError
from kernel.fs.initramfs import boot_vfs
from kernel.mm.frames import Frames
from kernel.mm.overcommit import OVERCOMMIT_NEVER
from kernel.mm.slab import boot_slabs
from kernel.points import LOAD, SCHEDULE, Path
from kernel.proc.root import proc_root_init
from kernel.process.kthread import kthreadd
from kernel.smp.weigh import set_on_rq
from kernel.task import TaskStruct

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_MOST_POINTS: Final = 10_000  # of one task before its first sleep


def boot_machine(k: "Kernel") -> None:
    """Bring up everything that exists before the first program starts."""

    spec = k.spec
    k.arch = arch_of(spec.arch)
    k.frames = Frames(
        spec.memory_bytes // spec.page_size,
        commit_limited=spec.overcommit_memory == OVERCOMMIT_NEVER,
    )
    k.slabs = boot_slabs(k.frames, spec.cpus, packed=spec.slab == "caches")
    k.stacks = boot_stacks(k)
    k.vfs = boot_vfs(k)
    proc_root_init(k)
    cgroup_init(k)
    boot_tasks(k)


def start_machine(k: "Kernel") -> None:
    """Boot, let every task of boot go to sleep, and arm the timers of the configured programs."""
    boot_machine(k)
    k.boot_threads = k.tasks.nr_threads
    k.boot_kthreads = 1 + len(k.kthreadd.children)
    _park(k, k.kthreadd, k.kernel_thread_path(k.kthreadd, k.form(kthreadd)(k)))
    for task in tuple(k.kthreadd.children.values()):
        path = k.form(smpboot_register_percpu_thread)(k, task, task.cpu)
        _park(k, task, k.kernel_thread_path(task, path))
    _park(k, k.child_reaper, k.form(kernel_init)(k))
    arm_spawns(k)


def _park(k: "Kernel", task: TaskStruct, path: Path[object]) -> None:
    """Let ``task`` go to sleep in ``path`` before time starts; its CPU holds its other half.

    Raises:
        InvariantError: it does not: a mutation may keep it awake.
    """
    k.current = task
    point = next_point(path, None)
    points = 0
    while point is not None and point[1] != SCHEDULE:
        points += 1
        if points > _MOST_POINTS:
            raise InvariantError(f"{task!r} does not go to sleep at boot")
        _name, kind, obj = point
        answer = None
        if not k.stepwise or kind >= LOAD:
            answer = pass_point(k, kind, obj)
        point = next_point(path, answer)
    task.path = path
    set_on_rq(k, task, False)
