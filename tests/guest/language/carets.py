"""Where the marks stand under operators, brackets and calls of an uncaught exception's lines."""

import os
import traceback


def same(x):
    return x


# fmt: off
def line(n, a):
    if n == 0:
        return not ((-a) // 0)
    if n == 1:
        return (-a)   //  (0 + 0)
    if n == 2:
        return (a)/0
    if n == 3:
        return (((a)))% 0
    if n == 4:
        return ('é' 'b')  ** 3
    if n == 5:
        return ((a)	//0)
    if n == 6:
        return {(1): 2}[ (a) ]
    if n == 7:
        return {}['é'  ]
    if n == 8:
        return same(
            (a) // 0)
    if n == 9:
        return ((a) # why
                + 'a')
    if n == 10:
        same(a, 2)   
    if n == 11:
        [1][
            a
        ]
    if n == 12:
        [v // 0 for v in ((a), -1) if (v)   % (v - v) ]


# fmt: on
for n in range(13):
    if os.fork() == 0:
        os.dup2(1, 2)
        try:
            line(n, 5)
        finally:
            try:
                line(n, 5)
            except Exception:
                print(traceback.format_exc(), flush=True)
    _, status = os.wait()
    print(n, status, flush=True)
