"""Exit codes of ``smplab``, and the one stderr line that goes with each.

The line is stable: ``smplab: <kind>: <message>``. Scripts may match on ``<kind>``.
"""

import sys
from typing import Final

from cluster import engine_api
from kernel.printable import printable_line

OK: Final = 0
FAILED: Final = 1  # a guest assertion or an expectation of the run failed
USAGE: Final = 2  # usage, configuration, or a program outside the guest language
BROKEN: Final = 3  # the run broke: actor lost, Ray unreachable, an internal error
INVARIANT: Final = 4  # an invariant of the emulator does not hold
INCONCLUSIVE: Final = 5  # diff: an emulated outcome was not seen on the host, but might be
