"""procfs: the state of the machine as files, made up when they are read.

``inode`` is the file system itself: entries, inodes, reading and writing. ``base`` has the tables
of what a process's and a thread's directory hold, ``root`` those of /proc itself. The other
modules write the files, each named as the file of Linux's fs/proc/ whose work it does.
"""
