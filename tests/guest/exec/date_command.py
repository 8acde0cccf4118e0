"""date prints a time by a format, as date does natively, and says what is wrong with its words."""

import os
import time

TIMES = ["@0", "@1700000000", "@951782399", "@1709164800", "@-1"]
FORMATS = [
    "+%a %A %b %B %c",
    "+%C %d %D %e %F %H %I %j %k %l",
    "+%m %M %p %P %r %R %s %S %T %u %w %y %Y %z %:z %Z %%",
    "+%-d %_d %-H %^a %^B %10Y %3N %N %-j %_m %05d",
    "+a%nb%tc%Q%",
    "+",
]


def run(*words):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        os.execvpe(words[0], list(words), {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    return text, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


for when in TIMES:
    print(when, run("date", "-u", "-d", when))
    for form in FORMATS:
        print(run("date", "-u", "-d", when, form))
print(run("date", "-R", "-u", "-d", "@1"), run("date", "-Is", "-u", "-d", "@1"))
print(run("date", "-I", "-d@86400"), run("date", "--date=@5", "-u", "+%s"))
for words in (["--foo"], ["foo"], ["+a", "+b"], ["-Q"], ["-d", "foo"]):
    print(words, run("date", *words))
begun = int(time.time())
now = int(run("date", "+%s")[0])
print(begun <= now <= int(time.time()), len(run("date", "+%s%N")[0]))
print(len(run("date")[0].split()), run("date")[0].split()[4])
