"""How a machine gets from one round to the next: see ``cluster.machine_loop``."""
