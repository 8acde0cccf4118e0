"""One module for each kind of file that can be imported; each has a ``FORMAT``."""
