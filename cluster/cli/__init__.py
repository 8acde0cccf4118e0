"""The command ``smplab``: one module for each group of commands, each with ``register(app)``."""
