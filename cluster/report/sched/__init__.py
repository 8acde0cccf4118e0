"""A run read as perf sched reads a Linux machine: latency, timehist, map; and statistics."""
