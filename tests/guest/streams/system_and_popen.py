"""os.system and os.popen: the shell, its pipes and lists, and the commands people run."""

import os

print(os.system("exit 3"), os.system("echo hi; false"), flush=True)
print(os.system("kill -9 $$"), os.system("nothing-there 2>/dev/null"))
with os.popen("echo one; echo two | cat; exit 2") as f:
    print(f.read())
f = os.popen("echo a b; exit 5")
print(f.readlines(), f.close())
f = os.popen("wc -c", "w")
f.write("hello")
print(f.close(), flush=True)
os.system(
    "X=3; for i in a b $X; do echo $i-$X; done; if test -d /tmp; then echo yes; else echo no; fi"
)
os.system(
    "seq 5 | sort -rn | head -n 2; echo $? > /tmp/status-$$;"
    " cat < /tmp/status-$$; rm -f /tmp/status-$$ 2>/dev/null"
)
os.system("(sleep 0.01; echo late) & wait; echo done $(pwd | wc -l)")
print([x.strip() for x in os.popen("ls /dev/null; pwd | wc -l")])
