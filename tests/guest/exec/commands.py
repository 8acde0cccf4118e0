"""The commands that people exec, alone: what they print, and their statuses."""

import os

COMMANDS = [
    ["ls", "/dev/null"],
    ["ls", "/nowhere"],
    ["pwd"],
    ["seq", "3"],
    ["seq", "10", "-4", "1"],
    ["env", "-i", "A=1", "env"],
    ["env", "-i", "/bin/sh", "-c", "echo $A-; exit 4"],
    ["test", "1", "-lt", "2"],
    ["test", "a", "=", "b"],
    ["test", "-d", "/tmp"],
    ["printf", "%s-%d\\n", "a", "1", "b", "2"],
    ["uname"],
    ["id", "-u"],
    ["wc", "-c", "/dev/null"],
    ["head", "-n", "1", "/dev/null"],
    ["grep", "x", "/dev/null"],
    ["sort", "/dev/null"],
    ["sh", "-c", "yes | head -n 2"],
    ["sh", "-c", "echo b a; echo a | grep -c a"],
    ["sh", "-c", "printf 'c\\na\\nb\\n' | sort | tail -n 2 | wc -l"],
    ["sh", "-c", "exec seq 2"],
    ["sh", "-c", "false || true && echo $?; ! true; echo $?"],
    [
        "sh",
        "-c",
        "x=1; while test $x -lt 4; do echo $x; x=$x$x; done; echo ${y:-none} $#",
        "n",
        "a",
    ],
    ["sh", "-c", "nothing-of-this-name; echo $?"],
    ["sh", "-c", "echo out; echo err >&2; (exit 7)"],
]
os.chdir("/")
for words in COMMANDS:
    pid = os.fork()
    if pid == 0:
        os.execvp(words[0], words)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(words, status, flush=True)
