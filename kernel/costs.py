"""The cost model's shape: how much virtual time each primitive takes on the emulated machine.

Values come from a named profile (``configs/costs/*.yaml``), each with unit and source; the
defaults here are those of the profile ``default``. All are ns of virtual time unless the name
says otherwise.
"""

from dataclasses import dataclass, fields
from typing import Final

# user time, after a fork or of a task on another CPU than before, and a length of time: not done by
# a CPU's speed
NOT_WORK: Final[tuple[str, ...]] = (
    "guest_block",
    "cow_child",
    "cow_stay",
    "cow_away",
    "thread_away",
    "compute_call",
    "idle_exit",
    "migration",
    "refill_llc",
    "refill_socket",
    "refill_node",
    "refill_absence",
    "cold_after",
)


@dataclass(slots=True)
class Costs:
    """One cost profile. Every field is an int in ns, per item where the name names an item."""

    syscall_entry: int = 60
    guest_block: int = 120  # user time of one basic block of a guest program
    compute_call: int = 0  # user time of compute() beyond what it was asked for
    context_switch: int = 1_200
    ipi: int = 0  # of a CPU that is interrupted by another: to reschedule, or for a signal
    idle_exit: int = 0  # before that, of a CPU that idles: how long it takes to be there again
    tick: int = 800
    lock_acquire: int = 18
    lock_hold: int = 60  # least time a spinlock stays held
    dup_task_struct: int = 5_000
    copy_files_per_fd: int = 30
    copy_mm: int = 45_000
    fork_cold: int = 0  # what it takes more when 16 others have been copied since; 1/16 for each
    fork_beside: int = 0  # what copying an address space takes more while another CPU is busy
    copy_vma: int = 1_500
    copy_pte: int = 22
    alloc_pid: int = 350
    link_task: int = 900
    wake_up_new_task: int = 1_500
    try_to_wake_up: int = 700
    exec_base: int = 780_000
    exec_per_arg: int = 300
    load_page: int = 350
    page_fault: int = 650
    zero_page: int = 180
    copy_page: int = 420
    tlb_flush: int = 250
    exit_base: int = 8_000
    exit_per_vma: int = 2_000
    free_page: int = 90
    free_pte: int = 20
    exit_notify: int = 1_200
    reparent_child: int = 150
    release_task: int = 2_500
    vfork: int = 0  # of its caller, beside the clone: posix_spawn() maps a stack and blocks signals
    wait_scan: int = 60
    reap: int = 0  # what wait does for a child that it takes, beside release_task
    signal_send: int = 500
    signal_deliver: int = 900
    pipe_op: int = 400
    copy_byte_x1000: int = 100  # ps per byte copied between user and kernel
    file_op: int = 350
    path_component: int = 250
    mmap_op: int = 1_500
    memory_access: int = 4
    lock_op: int = 80  # a futex-based user lock, uncontended
    lock_handover: int = 0  # a user lock given back for which somebody sleeps
    timer_op: int = 300
    thread_create: int = 7_000
    thread_first: int = 0  # of an address space that had none: what the library sets up once
    thread_stack: int = 0  # where no stack is left of one that ended: mapped, and written anew
    ipc_op: int = 350  # a System V call: look up, lock, permission, one object
    futex_op: int = 250  # key, bucket lock and comparison
    # user time of a child of fork, with its first block: pages of its interpreter, of which the
    # emulated address space knows nothing, are copied as it writes them
    cow_child: int = 0
    cow_stay: int = 0  # of one whose first call is neither exit nor exec: it runs more code
    cow_away: int = 0  # of one that begins on another CPU than its parent's
    thread_away: int = 0  # likewise, of a child that shares its parent's memory
    # user time of a task where it runs next, by how far that is from where it ran last
    migration: int = 0  # on any other CPU
    refill_llc: int = 0  # in another core, under the same last-level cache
    refill_socket: int = 0  # under another last-level cache of the same node
    refill_node: int = 0  # on another node
    refill_absence: int = 0  # on the same CPU, if it was away for ``cold_after`` or longer
    cold_after: int = 10_000_000

    def __reduce__(self) -> tuple[type["Costs"], tuple[int, ...]]:
        """Let it be pickled by the pure core and read by the compiled one, and the other way."""
        return Costs, tuple(getattr(self, name) for name in cost_names())


def cost_names() -> tuple[str, ...]:
    """Return the names of all costs, in declaration order."""
    return tuple(field.name for field in fields(Costs))


def scaled(costs: Costs, capacity: int, full: int) -> Costs:
    """Return what the same work costs a CPU that does ``capacity`` while the fastest does ``full``.

    Rounded up, each by itself. ``guest_block`` is user time, which the CPU stretches as it burns.
    """
    done = Costs()
    for name in cost_names():
        value: int = getattr(costs, name)
        setattr(done, name, value if name in NOT_WORK else -(-value * full // capacity))
    return done
