"""sh: patterns, case, arithmetic, here documents, malformed numbers, as dash has them."""

import os
import time

COMMANDS = [
    "exit x",
    "exit -1",
    "exit 256",
    "shift x",
    "shift 5; echo no",
    "shift; echo $?",
    "break x",
    "break 0",
    "break; echo $?",
    "for i in 1 2; do for j in 1 2; do echo $i$j; break 2; done; done; echo $?",
    "for i in 1 2; do for j in 1 2; do continue 9; echo no; done; done; echo $?",
    "wait x; echo $?",
    "read; echo $?",
    "echo a >&x; echo $?",
    "echo a >&9; echo $?",
    "echo a >&10; echo $?",
    "echo $((1+2*3)) $((7/2)) $((-7/2)) $((-7%3)) $((1<<4|3)) $((2*(3+4)))",
    "echo $((x)) $((x=5)) $x $((x+=2)) $((x>3?1:2)) $((!0)) $((~5)) $((1&&0)) $((0||2))",
    "echo $((0x1f)) $((010)) $((9223372036854775807+1)) $((1==1)) $((3>=4)) $((6^3))",
    'x=3; y=$((x*$x)); echo $y; echo $((1 ? x=8 : (x=9))) $x; echo "$((x+1))a"',
    "i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo $i; done",
    "echo $((1/0)); echo no",
    "echo $((0 && 1/0)) $((1 || 1/0))",
    "echo $((1+)); echo no",
    "echo $((a b)); echo no",
    "x=abc; echo $((x)); echo no",
    "echo $((8#7)); echo no",
    "echo $((09)); echo no",
    "case abc in a*) echo 1;; esac",
    "case x in (y|x) echo 2;; *) echo 3;; esac; echo $?",
    "case x in y) ;; esac; echo $?",
    "case a.c in *.[ch]) echo c; false;; esac; echo $?",
    "x='*'; case '*' in \"$x\") echo same;; esac; case ab in $x) echo any;; esac",
    "case '*' in '*') echo star;; esac; case ab in 'a*') echo no;; ?b) echo yes\nesac",
    "case b in [!a]) echo not a;; esac; case - in [a-]) echo dash;; esac",
    "case ] in []]) echo b;; esac",
    "for f in f1 f2; do case $f in f1) continue;; esac; echo $f; done",
    "case x in x) exit 3;; esac; echo no",
    "case",
    "case x in x) echo a",
    "echo f?; echo no*; echo 'f*'; echo \"f\"*; echo [fg]1; echo f[!1]",
    "echo */x; echo d/*; echo .*d*",
    'x=\'f*\'; echo $x "$x"; for n in f*; do echo $n; done; echo f\\*; y=f*; echo "$y"',
    "echo hi > 'f*'; ls; cat 'f*'; rm 'f*'; echo $PWD/f1 | grep -c /f1; echo *1 d/",
    'cat <<E\na $x$((1+1)) \\$x "q" \'r\' \\"\nE\necho after',
    "cat <<'E'\na $HOME `x` \\$x\nE",
    "cat <<-E\n\t\ttab\n\tE\necho b",
    "cat <<A; cat <<B\none\nA\ntwo\nB\necho three",
    'while read a b; do echo "$b-$a"; done <<E\n1 2 3\n4\nE',
    "x=5; cat <<E | tr 5 6\nv=$x\nE",
    "if cat <<E; then echo yes; fi\nbody\nE\nnope",
    "cat <<E\nnever ended",
    "cat <<",
    "false; case x in x) echo $?;; esac",
    "a=1 b=$((a+1)); echo $a$b; unset a; echo ${a:-none}${b-x}",
    "if true; echo a; fi",
    "(echo a",
    "if true; then echo",
    "while true; done",
    "{ echo a",
    "for x in a; echo b; done",
    "false; case x in x) ;; esac; echo $?; (exit 3); case y in x) ;; esac; echo $?",
    "a=1; a=2 b=3 env | grep '^[ab]='; echo $a $b; a=5 echo $a; x=$(echo f*) ; echo \"$x\"",
    "set -e; false || true; echo a; false; echo b",
    "exec 3>out; echo kept >&3; exec 3>&-; cat out; echo x >&3; echo $?",
    "[ 1 = 1 ] && echo yes; [ -f f1 ] && [ -d d ] && echo both; test -x /bin/sh && echo x",
]
base = f"/tmp/shell-{time.time_ns()}"
os.mkdir(base)
os.chdir(base)
for folder in ("d", "e"):
    os.mkdir(folder)
for path in ("f1", "f2", "g1", "d/x", "d/y", ".hid", "e/x"):
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
for command in COMMANDS:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        os.execve("/bin/sh", ["sh", "-c", command], {"PATH": "/usr/bin:/bin", "HOME": "/home"})
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(repr(command), status, repr(text), flush=True)
