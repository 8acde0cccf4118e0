"""Values of every kind are in a child what they were in its parent."""

import os
import threading

nan = float("nan")
deep = ()
for _ in range(50):
    deep = (deep,)
first, second = threading.Lock(), threading.Lock()
text = "long " * 1000
try:
    os.open("/no/such/file", os.O_RDONLY)
except OSError as error:
    failure = error
try:
    os.rename("/no/such/file", "/no/such/either")
except OSError as error:
    other = error
values = {
    "large": {1 << 20000, (1 << 20000) + 1, -(1 << 9000)},
    "deep": {deep, 1},
    "locks": {first: "first", second: "second"},
    "nan": [nan, {nan: 1}],
    "texts": [text, text, (text, {text: text})],
    "param": os.sched_param(0),
    "failures": [failure, other, failure],
}
values["itself"] = values


def show(who):
    print(who, len(values["large"]), (1 << 20000) + 1 in values["large"], deep in values["deep"])
    print(values["locks"][first], values["locks"][second], len(values["locks"]))
    print(nan in values["nan"], nan in values["nan"][1], values["nan"][0] == nan)
    print(values["texts"][2][1][text] == text, values["itself"]["itself"] is values)
    print(values["param"].sched_priority, values["failures"][0] is values["failures"][2])
    for one in values["failures"]:
        print(one, one.errno, one.filename, one.filename2, one.args)


for _ in range(3):
    pid = os.fork()
    if pid == 0:
        show("child")
        pid = os.fork()
        if pid == 0:
            show("grandchild")
            os._exit(0)
        os._exit(os.waitpid(pid, 0)[1])
    print(os.waitpid(pid, 0)[1])
show("parent")
