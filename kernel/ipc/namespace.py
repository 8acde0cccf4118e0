"""The end of an IPC namespace: its objects go with the last task that was in it.

Source: ipc/namespace.c.
"""

from typing import TYPE_CHECKING

from kernel.ipc.msg import remove_queue
from kernel.ipc.sem import remove_array
from kernel.ipc.shm import do_shm_rmid

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.ns.common import IpcNamespace
    from kernel.task import TaskStruct


def free_ipc_ns(k: "Kernel", ns: "IpcNamespace") -> None:
    """Remove every object of ``ns``; segments that are attached somewhere stay until detached.

    Nobody can name the objects any more and nobody sleeps on them, so no lock is needed.

    Source: ipc/namespace.c:free_ipc_ns(), free_ipcs().
    """
    tables = ns.ids
    if tables is None:
        return
    nobody: list[TaskStruct] = []
    for sma in tuple(tables.sem.entries.values()):
        remove_array(tables.sem, sma, nobody)
    for msq in tuple(tables.msg.entries.values()):
        remove_queue(tables.msg, msq, nobody)
    for shp in tuple(tables.shm.entries.values()):
        do_shm_rmid(k, shp)
    ns.ids = None
