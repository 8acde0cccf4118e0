"""Control groups, as cgroup v2 has them: the hierarchy, its rules, and its file system."""
