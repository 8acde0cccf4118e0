"""Mutations that change code: functions of the kernel made anew for one machine's run."""
