# ruff: noqa: E501
"""The options and the complaints of the commands that people exec are those of the real ones."""

import os
import time

COMMANDS = [
    "head -n 2 f; head -c 3 f; head -n -3 f; head -2 f; head -n x f; head -c x f; head -y f; head -n",
    "tail -n 2 f; tail -c 4 f; tail -n +4 f; tail -1 f; tail -n x f; head -n 1 f g; head -qn1 f g",
    "head -v -n 1 f; head no f; tail -n 1 no; tail d; head d",
    "wc f; wc -l f; wc -w -c f; wc f g; wc no f; wc < f; wc -l < f; cat f | wc; wc -z; wc -c f g",
    "sort f; sort -r f; sort -u g; sort -n g; sort -nr g; sort -nu g; sort -ru g; sort no; sort d",
    "seq 3; seq 2 4; seq 9 -3 0; seq 1 0; seq -s , 3; seq -w 8 10; seq x; seq 1 0 3; seq; seq 1 2 3 4",
    "grep a f; grep -c a f; grep -v a f; grep -i A f; grep -n b f; grep -q a f; grep -q zz f; grep a no",
    "grep -l a f g; grep -L 1 f g; grep a f g; grep -h a f g; grep -H a f; grep -x a f; grep -m 1 a g",
    "grep '^b' f; grep 'c$' f; grep 'a.*c' f; grep '[0-9]' g; grep -E '^(1|2)+$' g; grep '1\\+' g",
    "grep -E 'a{2,3}' f; grep -E 'b|d' f; grep '[^a]' f; grep -F '.*' f; grep '\\.' f; grep '^$' f",
    "grep '[[:upper:]]' f; grep -e a -e d f; grep '[p]s' f; grep '*' f; grep -E '^x*$' f; grep '\\w\\W' f",
    "grep; grep '[a' f; grep 'a\\' f; grep -E '(a' f; grep '\\(a' f; grep -s a no; grep -m x a f; grep a d",
    "uname; uname -s; uname -m; uname -o; uname x; uname -sm; id -u; id -g; id -un; id -n; id -ug; id -y",
    "printf '%s|%d|%x|%o|%c|%%\\n' a 10 255 8 xyz; printf '%5s|%-5s|%05d|%+d|%.2s|\\n' a b 42 7 xyz",
    "printf '%d\\n' x; printf '%d\\n' 1x; printf '%d %s\\n' 1; printf '\\x41\\101\\t|\\\\|\\n'; printf '%b' 'a\\n'",
    "printf '%X %#x %i %u\\n' 255 255 -3 4; printf 'a\\cb'; printf '%*d|\\n' 4 7; printf '%d\\n' 0x10 010 \"'A\"",
    "printf '%z'; printf x y; printf; printf '%s\\n' a b c; printf '%d\\n' ''; printf '%d\\n'; printf '%s' ''",
    "echo a b | tr a-z A-Z; echo aabb | tr -s a; echo a1b2 | tr -d 0-9; echo a1b2 | tr -dc '[:alpha:]'",
    "echo a:b:c | tr : '\\n'; echo hello | tr -s l x; tr; tr a; tr -d a b; tr -y a b; tr b-a x; echo ab | tr ab x",
    "echo a:b:c | cut -d: -f2; echo a:b:c | cut -d : -f 1,3; echo abcdef | cut -c 2-4; echo abc | cut -b -2",
    "echo abc | cut -d: -f1; echo abc | cut -s -d: -f1; echo a:b:c:d | cut -d: -f2-; cut; cut -f x f; cut -f 0 f",
    "cut -f 3-1 f; cut -c 1 no; cut -d ab -f 1 f; cut -f 1 -c 2 f; cut -y; cut -c 1 -d : f; cut -f a-b f",
    "echo x | tee t1 t2; cat t1 t2; echo y | tee -a t1; cat t1; echo z | tee d; echo z | tee no/no",
    "mkdir m; mkdir m; mkdir m/n/o; mkdir -p m/n/o; mkdir -p m/n/o; ls m/n; mkdir; mkdir -m 700 q; mkdir -m x r",
    "cp f c; cat c; cp f m; ls m; cp no c; cp f; cp; cp d c; cp f g c; cp f f; cp f no/no; cp f g m; ls m",
    "mv c c2; cat c2; mv no x; mv c2 m; ls m; mv f; mv; mv m m2; ls m2; mv f g no; mv f f",
    "basename /a/b.c; basename /a/b.c .c; basename /a/; basename /; basename; basename a b c; basename .c .c",
    "dirname /a/b; dirname a; dirname /; dirname a/b/ /x; dirname; dirname //a; dirname ''; whoami; whoami x",
    "expr 1 + 2; expr 2 '*' 3 + 1; expr 7 / 2; expr -7 / 2; expr -7 % 3; expr 1 / 0; expr a + 1; expr 1 +",
    "expr 1 '<' 2; expr a = b; expr 0; expr ''; expr length abc; expr substr abcd 2 2; expr index abc cb",
    "expr 1 '|' 2; expr 0 '|' 2; expr 0 '&' 1; expr '(' 1 + 2 ')' '*' 3; expr; expr 1 2; expr '(' 1; expr ')'",
    "ls; ls -a; ls d; ls -d d; ls -r; ls no; ls d f; ls -F; ls -S f g; ls -A d",
    "env test 1 -eq x; env test 2 -gt 1; env [ 1 = 1 ]; env [ 1 = 1; env test -n ''; env test '!' a; env test",
    "sleep x; sleep; cat no f; cat d; touch no/no; rm no; rm -f no; rm; kill -0 x",
]
base = f"/tmp/commands-{time.time_ns()}"
os.mkdir(base)
os.chdir(base)
os.mkdir("d")
for name, text in (
    ("f", "a b c\nbcd\n\naaa X.Y\nd*e ps\n"),
    ("g", "10\n9\n1\n1a\nab\n-2\n9\n 3\n1.5\n11\n12\n21\n"),
):
    with open(name, "w") as file:
        file.write(text)


def run(command):
    # without dash's own printf, test and kill
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        for name in ("printf", "kill"):
            if command.startswith(name + " ") or command == name:
                command = "env " + command
        where = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        os.execve("/bin/sh", ["sh", "-c", command], where)
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    print(command, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), repr(text))


for line in COMMANDS:
    for command in line.split("; "):
        run(command)
