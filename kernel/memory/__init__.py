"""What CPUs see of each other's stores: the rules, and the models that a machine can have."""
