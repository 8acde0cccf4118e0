"""One module for each family of presets; each has a ``FAMILY``."""
