"""What a run with ``check`` looks at after every step of granularity ``step``.

All invariants while there are few tasks; with many the neighbourhood of the current task each time,
and everything from time to time.
"""

from typing import TYPE_CHECKING, Final

from kernel.check.invariants import check_kernel, check_step
from kernel.errors import InvariantError

if TYPE_CHECKING:
    from kernel.state import KernelState

_FEW_TASKS: Final = 64
_FULL_CHECK_EVERY: Final = 64  # steps, with more tasks


class StepChecks:
    """What ``after_step`` of the driver is then."""

    __slots__ = ("_steps",)

    def __init__(self) -> None:
        self._steps = 0

    def __call__(self, kernel: "KernelState") -> None:
        """Check what this step can have touched, and now and then everything.

        Raises:
            InvariantError: with the stories of what does not hold.
        """
        self._steps += 1
        full = kernel.tasks.nr_threads <= _FEW_TASKS or not self._steps % _FULL_CHECK_EVERY
        stories = check_kernel(kernel) if full else check_step(kernel)
        if stories:
            raise InvariantError(f"at {kernel.now_ns} ns: " + "\n".join(stories))
