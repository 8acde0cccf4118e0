"""Everything that runs the machine. Importing it settles which core is used: ``fast_core``."""

from cluster import fast_core

fast_core.activate()
