"""str.format, %-formats, math, time's dates, signals by name, os.path, errors by number."""

import errno
import math
import os
import sys
import time
from os.path import basename, dirname, isfile, join
from signal import *
import signal

TABLE = {"name": "x", "n": 5, "list": [1, 2, 3]}


def formats():
    print("{} {}".format(1, "a"), "{0} {1} {0}".format(1, 2), "{a}{b:>4}".format(a=1, b="q"))
    print("{0[name]} {0[list][1]} {d[n]:03d}".format(TABLE, d=TABLE), "{:{}}|".format("x", 5))
    print(
        "{!r} {!s:>3} {!a}".format("é", 1, "é"),
        "{{}} {{{}}}".format(3),
        "{:,} {:.2%}".format(12345, 0.5),
    )
    e = OSError(2, "gone", "/x")
    print("{0.errno} {0.strerror} {1}".format(e, e), "{:<6}|{:^6}|{:>6}".format("l", "c", "r"))
    print("%-5s|%5.2f|%x|%o|%c|%r|%%|%+d" % ("a", 3.14159, 255, 8, "z", "q", 3), "%(n)d" % TABLE)
    text = "{0:" + "{1}" + "}"
    print(text.format(7, ">4"), f"{TABLE['n']:>{TABLE['n']}}", f"{'a' + f'{1 + 1}'}")
    for bad, args in (
        ("{} {}", (1,)),
        ("{0} {}", (1, 2)),
        ("{} {0}", (1, 2)),
        ("{x}", ()),
        ("{", ()),
        ("}", ()),
        ("{!z}", (1,)),
        ("{0.nothing}", (1,)),
        ("{0[5]}", ([1],)),
        ("{:d}", ("a",)),
        ("{0[}", (1,)),
    ):
        try:
            print(bad.format(*args))
        except (IndexError, KeyError, ValueError, AttributeError, TypeError) as error:
            print(bad, type(error).__name__, error)


def numbers():
    print(math.sqrt(2), math.pi, math.e, math.floor(-1.5), math.ceil(1.2), math.trunc(-1.7))
    print(math.gcd(12, 18), math.factorial(20), math.comb(5, 2), math.perm(5), math.isqrt(17))
    print(math.log(8, 2), math.log10(1000), math.log2(8), math.log(1), math.hypot(3, 4))
    print(math.inf > 1, math.isnan(math.nan), math.fsum([0.1] * 10), math.prod([2, 3, 4]))
    print(math.isclose(0.1 + 0.2, 0.3), math.fmod(7, 3), math.modf(1.5), math.copysign(1, -2))
    for bad in (lambda: math.sqrt(-1), lambda: math.sqrt("a"), lambda: math.factorial(-1)):
        try:
            print(bad())
        except (ValueError, TypeError) as error:
            print(type(error).__name__, error)
    print(round(2.5), round(3.14159, 2), pow(2, 5), bin(10), oct(8), hex(255), divmod(7, 3))


def dates():
    for moment in (0, 951782400, 1700000000.7, 4102444799, -1):
        t = time.gmtime(moment)
        print(tuple(t), t.tm_year, t.tm_zone, time.asctime(t), time.ctime(moment))
        print(time.strftime("%Y-%m-%d %H:%M:%S %j %a %A %b %B %p %I %y %U %W %w %u %e %D %T %%", t))
        print(time.mktime(t), time.mktime(time.localtime(moment)) == moment // 1)
    print(time.gmtime(0), time.strftime("%c|%x|%X|%Z|%z", time.localtime(0)), time.tzname[0])
    print(len(time.ctime()) == 24, len(time.strftime("%H:%M:%S")), time.localtime().tm_isdst)
    print(time.perf_counter() <= time.perf_counter(), time.process_time() >= 0)
    print(time.clock_gettime(time.CLOCK_MONOTONIC) > 0)
    try:
        time.strftime("%Y", (2000, 13, 1, 0, 0, 0, 0, 1, 0))
    except ValueError as error:
        print(error)


def names():
    print(SIGTERM, repr(signal.SIGTERM), [SIGUSR1, SIG_DFL, SIG_BLOCK], f"{SIGINT!r} {SIGINT}")
    print(signal.Signals(9).name, signal.SIGKILL.name, SIGHUP.value, SIGHUP + 1, SIGHUP == 1)
    print(strsignal(SIGSEGV), signal.strsignal(40), signal.strsignal(32), SIGRTMIN + 3)
    print(getsignal(SIGTERM), repr(getsignal(SIGPIPE)), repr(getsignal(SIGUSR1)))
    print(pthread_sigmask(SIG_BLOCK, [SIGUSR1, SIGUSR2]), pthread_sigmask(SIG_BLOCK, []))
    os.kill(os.getpid(), SIGUSR1)
    print(sigpending(), repr(sigwait({SIGUSR1})), sorted(valid_signals())[:3])
    print({SIGTERM: 1, 2: 3}[15], isinstance(SIGTERM, int), type(SIGTERM).__name__)
    print("%d %s" % (SIGTERM, SIGTERM), "{} {:d}".format(SIGTERM, SIGTERM), int(SIGTERM))
    for bad in (lambda: signal.Signals(99), lambda: strsignal(99), lambda: signal.Handlers(2)):
        try:
            print(bad())
        except ValueError as error:
            print(error)
    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), SIGTERM)
    status = os.waitpid(pid, 0)[1]
    print(signal.Signals(os.WTERMSIG(status)).name, strsignal(os.WTERMSIG(status)))


def paths():
    print(basename("/a/b.py"), dirname("/a/b.py"), join("a", "b", "/c", "d"), os.path.split("/a/b"))
    print(os.path.splitext("x/y.tar.gz"), os.path.isabs("/x"), os.path.normpath("/a/../b//c/."))
    print(isfile("/bin/sh"), isfile("/tmp"), os.path.isdir("/tmp"), os.path.isdir("/no"))
    print(os.path.isfile(__file__), os.path.exists("/tmp"), os.path.islink("/proc/self/exe"))
    print(os.path.abspath("/x/./y"), os.path.abspath("q") == os.getcwd() + "/q", os.sep, os.name)
    print(os.path.relpath("/a/b/c", "/a/d"), os.path.expanduser("/x"), os.path.getsize("/dev/null"))
    try:
        os.path.getsize("/no/such")
    except OSError as error:
        print(error, os.strerror(error.errno), errno.errorcode[error.errno])
    print(
        os.strerror(0), os.strerror(9999), errno.errorcode.get(11), errno.errorcode[errno.EDEADLK]
    )
    print(sys.platform, sys.maxsize, sys.version_info >= (3, 8), sys.version_info[0], sys.byteorder)


def execs():
    for call in (
        lambda: os.execl("/bin/sh", "sh", "-c", "exit 3"),
        lambda: os.execlp("sh", "sh", "-c", "exit 4"),
        lambda: os.execle(sys.executable, sys.executable, "-u", __file__, "x", {"CODE": "5"}),
        lambda: os.execlpe("sh", "sh", "-c", "exit 6", {"CODE": "6", "PATH": "/no:/bin"}),
        lambda: os.execvpe("sh", ["sh", "-c", "exit 7"], {"CODE": "7"}),
        lambda: os.execvpe("sh", ["sh", "-c", "exit 8"], {"PATH": "/no"}),
        lambda: os.execlp("no such command", "x"),
        lambda: os.execl("/bin/sh"),
        lambda: os.execl(5, "x"),
    ):
        pid = os.fork()
        if pid == 0:
            try:
                call()
            except (OSError, ValueError, TypeError) as error:
                print(type(error).__name__, error)
            os._exit(1)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if len(sys.argv) > 1:
    os._exit(int(os.environ["CODE"]))
formats()
numbers()
dates()
names()
paths()
execs()
