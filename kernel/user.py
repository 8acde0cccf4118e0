"""What the kernel asks of a user context, and nothing more.

The kernel never looks into a guest program: it holds a context, lets it run to its next system
call, copies it for fork, and drops it. ``workloads.language.context`` has the real one.

Where a context lives: as long as one task alone uses an address space, with the CPU that ran the
task last (``CpuTask.ctx``). From the first CLONE_VM clone (thread, vfork) until exec, contexts
that share memory live with ``KernelState`` (``TaskStruct.ctx``), which runs their blocks between
system calls, so that accesses to the shared heap have one order on every engine.
"""

from typing import Any, Protocol

from kernel.uapi.failure import Error

Op = tuple[Any, ...]
# what Loader.start takes: image, argv, env, start
Program = tuple[str, tuple[str, ...], tuple[tuple[str, str], ...], int]


class UserContext(Protocol):
    """A task's user-mode state: call frames, and the address space's Python-visible heap."""

    steps: int  # basic blocks executed by the last resume(), for the cost model

    def resume(self, value: Any, error: Error | None) -> Op:
        """Continue after the pending system call and run to the next one.

        Args:
            value: the result of the pending call (ignored at the very first resume).
            error: None, or how the call failed: ``kernel.uapi.failure``.

        Returns:
            ``(nr, *args)`` as in ``kernel.uapi.syscalls.TABLE``. Never raises: an uncaught guest
            exception becomes the writes and the exit CPython would do.
        """
        ...

    def trip(self, signals: tuple[int, ...]) -> None:
        """C-level handlers have run in this thread, in this order; the rest is up to the run time.

        Comes between the op and its result.
        """
        ...

    def interrupt(self, op: Op, how: int, until_ns: int) -> None:
        """The pending op was not carried out; the next ``resume(None, None)`` finds out what to do.

        Args:
            op: what the last ``resume`` returned, or what is left of it.
            how: OP_EINTR, OP_NOT_BEGUN or OP_FAULTED (``kernel.uapi.signals``).
            until_ns: for OP_EINTR of a call with a timeout, when it ends; else 0.
        """
        ...

    def fork(self) -> "UserContext":
        """Return an independent copy: this thread's frames and all it can reach, nothing shared."""
        ...

    def share(self) -> "UserContext":
        """Return a vfork child's context: own position, the very same frames' locals and heap."""
        ...

    def thread(self, start: Any) -> "UserContext":
        """Return the context of a new thread on the same heap; ``start`` is the op's argument."""
        ...

    def pack(self) -> Any:
        """Return the whole context as plain data that msgpack can carry (aliases preserved)."""
        ...


class Loader(Protocol):
    """Makes contexts; injected into every LP by the engine."""

    def start(
        self,
        image: str,
        argv: tuple[str, ...],
        env: tuple[tuple[str, str], ...],
        start: int = 0,
    ) -> UserContext:
        """Return a fresh context of the program ``image`` (a key the file tree handed out).

        ``start`` has the bits of ``kernel.uapi.start``.
        """
        ...

    def unpack(self, data: Any) -> UserContext:
        """Return the context that ``pack`` described."""
        ...
