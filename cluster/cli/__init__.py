"""The command ``smplab``: one module for each group of commands, each with ``register(app)``."""

import os

from cluster import fast_core

# before any command imports the kernel
os.environ.setdefault(fast_core.VARIABLE, "auto")
fast_core.activate()
