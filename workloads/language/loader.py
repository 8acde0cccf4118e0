"""Makes contexts: ``kernel.user.Loader`` over a set of guest programs.

A loader is one LP's own: it compiles a program when it is first started or unpacked, keeps the
result by key, and all its programs share one ``Runtime`` (one budget).
"""

from typing import Any

from workloads.language.compiler import DEFAULT_BLOCK_BUDGET, compile_program
from workloads.language.context import Context
from workloads.language.program import Program
from workloads.language.runtime import Runtime
from workloads.language.unpacking import unpack_contexts
from workloads.language.weights import DEFAULT_MEMORY


class Loader:
    """See ``kernel.user.Loader``."""

    def __init__(
        self,
        sources: dict[str, str],
        block_budget: int = DEFAULT_BLOCK_BUDGET,
        *,
        cpus: int = 0,
        guest_memory: int = DEFAULT_MEMORY,
    ) -> None:
        """Make a loader.

        Args:
            sources: source texts by image key; the key is the file name in compiler messages.
            block_budget: units of work one block may do (see ``bounded``).
            guest_memory: bytes one process may hold before it gets a MemoryError.
            cpus: what ``os.cpu_count()`` says; 0 makes a program that asks for it end the run.
        """
        self.sources = sources
        self.runtime = Runtime(block_budget, cpus, guest_memory)
        self._programs: dict[str, Program] = {}

    def begin_run(self) -> None:
        """Forget what the last run left behind, but not its compiled programs."""
        self.runtime.work.begin_run()

    def program(self, image: str) -> Program:
        """Return the compiled program ``image``.

        Raises:
            KeyError: no such image.
            GuestProgramError: it is outside the guest language.
        """
        program = self._programs.get(image)
        if program is None:
            source = self.sources[image]
            program = compile_program(source, image, runtime=self.runtime, key=image)
            self._programs[image] = program
        return program

    def start(
        self,
        image: str,
        argv: tuple[str, ...],
        env: tuple[tuple[str, str], ...],
        start: int = 0,
    ) -> Context:
        """Return a fresh context.

        Args:
            image: a key of ``sources``.
            argv: what ``sys.argv`` will be: the program's path first, no interpreter, no ``-u``.
            env: the environment, in its order.
            start: bits of ``kernel.uapi.start``.
        """
        return self.program(image).start(argv, env, start)

    def unpack(self, data: Any) -> Context:
        """Return the context that ``Context.pack`` described."""
        return self.unpack_group(data)[0]

    def unpack_group(self, data: Any) -> list[Context]:
        """Return contexts that share one address space, as ``packing.pack_contexts`` took them."""
        return unpack_contexts(data, self.program(data["image"]))
