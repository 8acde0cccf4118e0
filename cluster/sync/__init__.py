"""Synchronisation schemes: how far CPUs may run ahead, and in which order the kernel serves them.

One file for each scheme; ``scheme.py`` says what a scheme is and knows those there are. What the
kernel served can be written down (``order_log.py``) and served again (``replayed.py``).
"""

from typing import Final

ORDER_LOG: Final = "order.log"  # name of the file in a run directory
