"""Structures that explorers follow beside ``fields.WATCHED``: what they hold is no matter of locks.

A data race is looked for in ``WATCHED`` only. An explorer must know of all that makes the order of
two steps matter: positions in files, what pipes and queues hold, counts that a program can see.

Left out, since nothing of what they hold comes back to a program but by way of a limit or of time:
statistics, frames and slabs (until memory is short), accounts of CPU time, the CPUs' run queues.
"""

from typing import Final

from kernel.cgroup.cgroup import Cgroup
from kernel.cgroup.cgroupfs import OpenCgroupFile
from kernel.cred.creds import Cred
from kernel.fs.capture import FeedInode
from kernel.fs.eventfd import EventfdInode
from kernel.fs.file_table import File
from kernel.fs.inode import Inode
from kernel.fs.select import PollWqueues
from kernel.ipc.msg import MsgReceiver, MsgSender
from kernel.ipc.pipe import PipeBuffer
from kernel.ipc.sem_queue import Sem, SemQueue, SemUndo
from kernel.ipc.skbuff import SkBuff
from kernel.ipc.unix import SocketInode
from kernel.ipc.util import KernIpcPerm
from kernel.mm.mm_types import Layout, VmArea
from kernel.ns.common import UtsNamespace
from kernel.ns.nsproxy import NsProxy
from kernel.proc.inode import SeqFile
from kernel.process.attrs import TaskAttrs
from kernel.process.pidfd import PidfdInode
from kernel.smp.wait import WaitQueueEntry
from kernel.time.posix_cpu_timers import CpuItimer

FOLLOWED: Final[tuple[type, ...]] = (
    Cgroup, Cred, FeedInode, EventfdInode, File, Inode, PollWqueues, MsgReceiver, MsgSender,
    Sem, SemQueue, SemUndo, KernIpcPerm, Layout, VmArea, UtsNamespace, NsProxy, TaskAttrs,
    PidfdInode, WaitQueueEntry, CpuItimer, PipeBuffer, SkBuff, SocketInode, SeqFile,
    OpenCgroupFile,
)  # fmt: skip

# Numbers that nothing but a report shows.
PRIVATE: Final[dict[type, tuple[str, ...]]] = {
    Inode: ("ctime_ns", "mtime_ns"),
    Cgroup: ("utime_ns", "stime_ns", "cpu_below", "changes"),
}
