"""Options of prctl(). Source: include/uapi/linux/prctl.h."""

from typing import Final

PR_SET_PDEATHSIG: Final = 1
PR_GET_PDEATHSIG: Final = 2
PR_GET_DUMPABLE: Final = 3
PR_SET_DUMPABLE: Final = 4
PR_GET_KEEPCAPS: Final = 7
PR_SET_KEEPCAPS: Final = 8
PR_SET_NAME: Final = 15
PR_GET_NAME: Final = 16
PR_SET_TIMERSLACK: Final = 29
PR_GET_TIMERSLACK: Final = 30
PR_SET_CHILD_SUBREAPER: Final = 36
PR_GET_CHILD_SUBREAPER: Final = 37
PR_SET_NO_NEW_PRIVS: Final = 38
PR_GET_NO_NEW_PRIVS: Final = 39

PR_LAST: Final = 81  # the highest number of the ordinary options
"""The options above it are the magic numbers of PR_SET_PTRACER and PR_SET_VMA."""
PR_SET_PTRACER: Final = 0x59616D61
PR_SET_VMA: Final = 0x53564D41
