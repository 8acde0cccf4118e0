"""No way from guest code to a host object, and no way to hang or exhaust the host in one block.

Each attempt is either refused when the program is compiled, or ends the run with a message that
names the line, or is an ordinary exception of the guest.
"""

import time
from typing import Any

import pytest

from kernel.uapi.syscalls import NR_PREEMPT_POINT
from workloads.language.compiler import compile_program
from workloads.language.errors import GuestProgramError
from workloads.language.loader import Loader

REFUSED = [
    # attributes that lead to the host
    "print(().__class__.__bases__[0].__subclasses__())",
    "''.__class__.__mro__",
    "def f():\n    pass\nprint(f.__globals__)",
    "def f():\n    pass\nprint(f.__code__)",
    "def f():\n    pass\nprint(f.__builtins__)",
    "def f(x=[]):\n    pass\nprint(f.__defaults__)",
    "def f():\n    pass\nf.__code__ = 1",
    "import os\nprint(os.__dict__)",
    "import os\nprint(os.__builtins__)",
    "import os\nprint(os.sys)",
    "import os\nos.fork.__self__",
    "import sys\nsys.modules",
    "import sys\nsys._getframe()",
    "import sys\nprint(sys.exc_info())",
    "import sys\nsys.setrecursionlimit(10**9)",
    "import time\nt = time\n",
    "import threading\nthreading._os",
    "import threading\nprint(threading.Thread.__init__)",
    "[].append.__self__",
    # the traceback of an exception
    "try:\n    1 // 0\nexcept ZeroDivisionError as e:\n    e.__traceback__.tb_frame",
    "try:\n    1 // 0\nexcept ZeroDivisionError as e:\n    print(e.with_traceback(None))",
    "try:\n    1 // 0\nexcept ZeroDivisionError as e:\n    print(e.__context__)",
    "try:\n    1 // 0\nexcept ZeroDivisionError as e:\n    e.args = ()",
    "try:\n    (1).foo\nexcept AttributeError as e:\n    print(e.obj)",
    "import functools\nprint(functools.partial(print).func)",
    "import sys\nprint(sys.stdout.buffer.raw._x)",
    "import signal\ndef h(n, f):\n    print(f.f_globals)\nsignal.signal(10, h)",
    "def f(a: ().__class__.__bases__): pass",
    "def f(a=().__class__.__bases__): pass",
    "x: print.__self__ = 3",
    "@print.__self__\ndef f(): pass",
    "with open('/x').__enter__ as f: pass",
    "import random\nrandom._inst",
    "import random\nrandom.getstate()",
    "import signal\nsignal.SIGINT._name_",
    "print(ValueError.with_traceback)",
    "try:\n    1 // 0\nexcept ZeroDivisionError as e:\n    e.add_note('x')",
    "try:\n    1 // 0\nexcept (lambda: ZeroDivisionError)():\n    pass",
    "class E(Exception):\n    pass",
    # formatting
    "print('{}'.format_map({}))",
    # generators, closures, comprehensions
    "g = (x for x in [1])\nprint(g.gi_frame)",
    "print([__builtins__ for x in [1]])",
    "print([x for x.y in [[1]]])",
    "async def f():\n    await f()",
    # builtins that reach further
    "print(__builtins__)",
    "print(__import__('os'))",
    "__import__ = 1",
    "print(__loader__)",
    "print(__spec__)",
    "eval('1')",
    "exec('1')",
    "compile('1', 'x', 'eval')",
    "print(getattr(1, 'real'))",
    "print(globals())",
    "print(vars())",
    "print(dir())",
    "print(object())",
    "print(super())",
    "print(memoryview(b'x'))",
    "print(isinstance(1, object))",
    # stars, decorators, classes, imports
    "print(**{'end': ''})",
    "class C:\n    pass",
    "import ctypes",
    "import builtins",
    "import subprocess",
    "from os import execveat",
    "from os import path as p\nprint(p.os)",
    "from sys import modules",
    "import workloads.language",
    "from workloads import language",
    "import kernel",
    "global os\nimport os\nos = 1",
    "match 1:\n    case int():\n        pass",
    "def F():\n    pass\nL[0]",
    "print(V)",
    "print(c_x, _W, f_0)",
]

BROKEN = [
    "x = 10 ** (10 ** 9)",
    "x = 2 ** 2 ** 40",
    "x = 7\nwhile True:\n    x = x * x",
    "x = 7\nwhile True:\n    x *= x",
    "x = 7\nwhile True:\n    x **= 9",
    "x = 1 << (1 << 40)",
    "x = 'a' * (1 << 40)",
    "x = b'a' * (1 << 40)",
    "x = [0] * (1 << 40)",
    "x = (0,) * (1 << 40)",
    "x = (1 << 40) * 'a'",
    "s = 'a'\nwhile True:\n    s = s + s",
    "s = 'a'\nwhile True:\n    s += s",
    "s = [1]\nwhile True:\n    s += s",
    "s = [1]\nwhile True:\n    s.extend(s)",
    "s = [1]\nwhile True:\n    s[0:0] = s",
    "s = (1,)\nwhile True:\n    s = s + s",
    "s = 'a'\nwhile True:\n    s = f'{s}{s}'",
    "s = 'a'\nwhile True:\n    s = '%s%s' % (s, s)",
    "s = 'a'\nwhile True:\n    s = s.replace('a', 'aa')",
    "s = 'a'\nwhile True:\n    s = s.join([s, s, s])",
    "print(f'{1:1000000000}')",
    "print(f'{1:{10 ** 10}}')",
    "print(f'{1.5:.999999999f}')",
    "print('%1000000000d' % 1)",
    "print('%*d' % (10 ** 10, 1))",
    "print('%.1000000000f' % 1.0)",
    "x = 'a'.ljust(1 << 40)",
    "x = 'a'.zfill(1 << 40)",
    "x = 'a'.center(1 << 40)",
    "x = 'a\\t'.expandtabs(1 << 30)",
    "x = list(range(1 << 40))",
    "x = sum(range(1 << 40))",
    "x = max(range(1 << 40))",
    "x = sorted(range(1 << 40))",
    "x = [i for i in range(1 << 40)]",
    "x = {i for i in range(1 << 40)}",
    "x = [1 for i in range(10 ** 5) for j in range(10 ** 5)]",
    "x = range(10 ** 40)",
    "for i in range(10 ** 40):\n    pass",
    "x = bytes(1 << 40)",
    "x = bytearray(1 << 40)",
    "x = int('9' * 500000, 36)",
    "x = []\nfor i in range(60):\n    x = [x, x]\nprint(x)",
    "x = []\ny = []\nfor i in range(60):\n    x = [x, x]\n    y = [y, y]\nprint(x == y)",
    "x = ()\nfor i in range(60):\n    x = (x, x)\nprint({x: 1})",
    "x = []\nfor i in range(60):\n    x = {'a': x, 'b': x}\nprint(f'{x}')",
    "x = [3]\nfor i in range(60):\n    x = [x, x]\ny = sorted([x, [x]])",
    "x = [3]\nfor i in range(60):\n    x = [x, x]\nprint(x in [[x]])",
    "print((-8) ** 0.5)",
    "print('a'.encode('idna'))",
    "print(b'a'.decode('unicode_escape'))",
    "import random\nrandom.seed(1)\nrandom.gammavariate(float('nan'), 1)",
    "import random\nrandom.seed(1)\nrandom.gammavariate(1e308, 1)",
    "import random\nrandom.seed(1)\nrandom.betavariate(float('inf'), 1)",
    "import random\nrandom.seed(1)\nrandom.vonmisesvariate(float('nan'), float('nan'))",
    "import random\nrandom.seed(1)\nrandom.choices([1], k=1 << 40)",
    "import random\nrandom.seed(1)\nrandom.sample(range(1 << 40), 1 << 30)",
    "import random\nrandom.seed(1)\nx = list(range(500000))\nrandom.shuffle(x)",
    "import random\nrandom.seed(1)\nrandom.getrandbits(1 << 40)",
    "import math\nmath.comb(10 ** 9, 10 ** 8)",
    "import math\nmath.perm(10 ** 9)",
    "import math\nmath.factorial(10 ** 9)",
    "print('{:{}}'.format(1, 10 ** 9))",
    "import time\ntime.strftime('%c' * 300000)",
    "try:\n    x = 'a' * (1 << 40)\nexcept:\n    print('caught')",
    "try:\n    x = 'a' * (1 << 40)\nfinally:\n    print('caught')",
]

HARMLESS = [
    ("r = range(10 ** 18)\nprint(1.5 in r, 2.0 in r, 'a' in r, 7 not in r)",
     "False True False False\n"),
    ("n = 0\nfor i in range(200):\n    x = 'a' * 100000\n    n += len(x)\nprint(n)", "20000000\n"),
    ("def f(n):\n    return f(n + 1)\ntry:\n    f(0)\nexcept RuntimeError as e:\n    print(e)",
     "maximum recursion depth exceeded\n"),
    ("x = []\nx.append(x)\nprint(x)", "[[...]]\n"),
    ("try:\n    int('9' * 5000)\nexcept ValueError as e:\n    print('limited')", "limited\n"),
    ("try:\n    print(10 ** 5000)\nexcept ValueError as e:\n    print('limited')", "limited\n"),
    ("try:\n    print('%(a)s' % {'a': 1}, '%s' % None)\nexcept TypeError:\n    pass",
     "1 None\n"),
    ("x = 5\ntry:\n    x()\nexcept TypeError as e:\n    print(e)",
     "'int' object is not callable\n"),
    ("L = 1\nG = 2\nF = 3\nV = 4\nprint(L, G, F, V)", "1 2 3 4\n"),
    ("s = 1\ni = 2\nn = 3\nfor v in [4]:\n    pass\nprint(s, i, n, v)", "1 2 3 4\n"),
    ("x = []\nfor i in range(100000):\n    x = [x]\ny = x\nprint(len(y))", "1\n"),
]  # fmt: skip


#: What the language has, tried in ways that could lead to the host: each ends inside the guest.
TRIED = [
    "print(().__class__, [x.__class__ for x in [1]], f'{(1).__class__}')",
    "print(type(1), type(type(1)), type(len), type(print))",
    "x = int\nprint(x('7'), x | x)",
    "x = list\nprint(x[int])",
    "x = ValueError\nprint(x('a'))",
    "f = [].append\nf(1)\nprint(f == f)",
    "f = ''.join\nprint(f(['a', 'b']))",
    "def g():\n    yield 1\nprint(list(g()), g)",
    "g = (x for x in [1])\nprint(f'{g}')",
    "def f(a=lambda: 0):\n    return a\nprint(f()(), f)",
    "def f():\n    def g():\n        return f\n    return g\nprint(f()()()() is not None, f())",
    "@print\ndef f():\n    pass\nprint(f)",
    "import os\nx = os.fork\nprint(x)",
    "import threading\nimport os\nthreading.Thread(target=os.fork)",
    "from os import *\nprint(getpid() > 0)",
    "def f(*a, **k):\n    return a, k\nprint(f(*[1], **{'x': 2}))",
    "print(sorted([1], key=print), max([1], key=abs), *map(type, [1]))",
    "print({int: 1}, {len: 2}, [print])",
    "print('{0.__class__.__mro__}'.format(1))",
    "print(list(map('{0.__globals__}'.format, [print])))",
    "print('{x.__self__}'.format(**{'x': [].append}))",
    "import functools\nprint(functools.partial('{0.__class__}'.format)(3))",
    "import functools\nprint(functools.partial(type, 'X', ())({}))",
    "print(list(map(type, ['X'], [()], [{}])))",
    "t = type(print)\nt(1)",
    "t = type(lambda: 0)\nt(1, {})",
    "import sys\nprint(sys.stdout, sys.stdout.buffer)",
    "import signal\ndef h(n, f):\n    print(f)\nsignal.signal(10, h)\nsignal.raise_signal(10)",
    "import threading\nt = threading.Thread(target=type, args=('X', (), {}))\nt.start()\nt.join()",
    "import traceback\ntry:\n    int('a')\nexcept ValueError as e:\n"
    "    print(e.args, traceback.format_exception(e))",
    "import typing\ndef f(a: print(1), b: typing.List[int] = len): pass\nprint(f)",
    "@ValueError\ndef f(): pass\nraise f",
    "print(str.upper('a'), str.upper)",
    "def f():\n    pass\nprint(len(f))",
    "for x in print:\n    pass",
    "print(next(iter([1, 2])), iter([1]))",
    "raise int",
    "try:\n    raise 5\nexcept int:\n    pass",
]


@pytest.mark.parametrize("source", TRIED)
def test_attempt_shows_nothing_of_the_host(guest: Any, source: str) -> None:
    outcome = guest.emulate(source + "\n")
    shown = outcome.stdout + outcome.stderr + (outcome.fatal or "")
    assert "workloads" not in shown
    assert "object at 0x" not in shown
    assert "method-wrapper" not in shown


@pytest.mark.parametrize("source", REFUSED)
def test_attempt_is_refused_when_compiled(source: str) -> None:
    with pytest.raises(GuestProgramError) as caught:
        compile_program(source + "\n", "attempt.py")
    assert all(line.startswith("attempt.py:") for line in str(caught.value).splitlines())


@pytest.mark.parametrize("source", BROKEN)
def test_attempt_ends_the_run_with_its_line(guest: Any, source: str) -> None:
    began = time.process_time()
    outcome = guest.emulate(source + "\n", path="/t/attempt.py")
    assert outcome.fatal is not None
    assert outcome.fatal.startswith("/t/attempt.py:")
    assert outcome.fatal.split(":")[1].isdigit()
    assert "caught" not in outcome.stdout
    assert time.process_time() - began < 5


@pytest.mark.parametrize(("source", "stdout"), HARMLESS)
def test_attempt_stays_inside_the_guest(guest: Any, source: str, stdout: str) -> None:
    outcome = guest.emulate(source + "\n")
    assert (outcome.stdout, outcome.fatal) == (stdout, None)


DEAR = [
    "import math\nwhile True:\n    math.comb(1 << 60, 2000)",
    "import math\nx = 1 << 120000\nwhile True:\n    math.isqrt(x)",
    "d = {}\nt = (1,) * 400000\nwhile True:\n    d[t] = 1",
    "d = set()\nt = (1,) * 400000\nwhile True:\n    d.add(t)",
    "import functools\nx = [1] * 400000\nwhile True:\n    functools.partial(print, *x)",
    "import random\nx = 'a' * 900000\nwhile True:\n    random.seed(x)",
]


@pytest.mark.parametrize("source", DEAR)
def test_a_loop_of_dear_operations_is_soon_preempted(source: str) -> None:
    context = Loader({"p": source + "\n"}).start("p", ("/t/p.py",), ())
    began = time.process_time()
    for _ in range(3):
        assert context.resume(None, None)[0] == NR_PREEMPT_POINT
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("sum([print], 0)", "'int' and 'builtin_function_or_method'"),
        ("sorted([1, 'a'], key=type)", "'type' and 'type'"),
        ("(lambda: 0) + 1", "'function' and 'int'"),
        ("[].append + 1", "'builtin_function_or_method' and 'int'"),
        ("iter([]) + 1", "and 'int'"),
    ],
)
def test_messages_name_types_as_cpython_does(guest: Any, expression: str, names: str) -> None:
    outcome = guest.emulate(f"print({expression})\n")
    assert names in outcome.stderr
    assert "Generator" not in outcome.stderr


def test_block_code_sees_no_builtins() -> None:
    program = compile_program("print(1)\n", "p.py")
    assert program.codes[0].blocks[0].__globals__["__builtins__"] == {}


def test_deep_source_is_refused_without_a_traceback() -> None:
    for source in ("x = " + "(" * 5000 + ")" * 5000, "x = " + "-" * 20000 + "1", "x = [" * 3000):
        with pytest.raises(GuestProgramError):
            compile_program(source, "deep.py")
