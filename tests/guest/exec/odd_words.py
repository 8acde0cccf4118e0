"""Arguments and variables of any bytes but NUL arrive as they were, empty and long ones too."""

import os
import sys

WORDS = [
    "",
    " ",
    "\u00e4\u20ac\U0001f600",
    "\udcff\udc80",
    "a=b",
    "-u",
    "new\nline",
    "x" * 70000,
    "'\"",
]
if len(sys.argv) > 1:
    print(sys.argv[1:] == WORDS, [len(word) for word in sys.argv])
    print(repr(os.environ["\u00fc"]), repr(os.environ.get("EMPTY")), os.environ["PAIR"])
    print(repr(os.environ.get("UNDECODABLE")), len(os.environ["LONG"]))
    sys.exit(0)
environment = {"\u00fc": "\u00e9", "EMPTY": "", "PAIR": "a=b=c", "UNDECODABLE": "\udcfe"}
environment["LONG"] = "y" * 100000
environment["PYTHONPATH"] = os.environ.get("PYTHONPATH", "")
os.execve(sys.executable, [sys.executable, "-u", __file__] + WORDS, environment)
