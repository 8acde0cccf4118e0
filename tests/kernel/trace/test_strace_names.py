"""System calls as strace prints them."""

import pytest

from kernel.trace.formats import quote
from kernel.trace.strace_names import arguments, result, signal_set, status
from kernel.uapi.syscalls import TABLE

NUMBERS = {name: number for number, (name, _, _) in TABLE.items()}
ALL = (1 << 64) - 1
IN_3 = "{fd=3, events=POLLIN}"
KILLED = "WIFSIGNALED(s) && WTERMSIG(s)"
CHILD, OF_5 = "si_signo=SIGCHLD, si_code", "si_pid=5, si_uid=0, si_status"


@pytest.mark.parametrize(
    ("call", "args", "text"),
    [
        ("open", ("/a", 0o2000102, 0o644), '"/a", O_RDWR|O_CREAT|O_CLOEXEC, 0644'),
        ("open", ("/a", 0o4010000, 0o666), '"/a", O_RDONLY|O_SYNC'),
        ("write", (1, b"a\tb\n\x1b1\xff"), '1, "a\\tb\\n\\0331\\377", 7'),
        ("write", (1, b"x" * 40), f'1, "{"x" * 32}"..., 40'),
        ("wait4", (-1, 0x40000003, False), "-1, WNOHANG|WSTOPPED|__WALL"),
        ("wait4", (7, 0), "7, 0"),
        ("waitid", (1, 7, 0x1000004), "P_PID, 7, WEXITED|WNOWAIT"),
        ("kill", (0, 15), "0, SIGTERM"),
        ("kill", (5, 0), "5, 0"),
        ("tgkill", (5, 5, 34), "5, 5, SIGRT_2"),
        ("rt_sigaction", (17, 1), "SIGCHLD, SIG_IGN"),
        ("rt_sigprocmask", (0, 1 << 16 | 2), "SIG_BLOCK, [INT CHLD]"),
        ("rt_sigprocmask", (2, None), "SIG_SETMASK, NULL"),
        ("clone", (0x4011,), "CLONE_VFORK|SIGCHLD"),
        ("unshare", (0x20000000,), "CLONE_NEWPID"),
        ("fcntl", (3, 4, 0o4001), "3, F_SETFL, O_WRONLY|O_NONBLOCK"),
        ("fcntl", (3, 2, 1), "3, F_SETFD, FD_CLOEXEC"),
        ("fcntl", (3, 1, 0), "3, F_GETFD"),
        ("lseek", (3, -2, 2), "3, -2, SEEK_END"),
        ("mmap", (8192, 0x22), "8192, MAP_PRIVATE|MAP_ANONYMOUS"),
        (
            "poll",
            (((3, 1), (4, 5)), -1),
            "[{fd=3, events=POLLIN}, {fd=4, events=POLLIN|POLLOUT}], NULL",
        ),
        ("nanosleep", (1_500_000_000, 0), "{tv_sec=1, tv_nsec=500000000}"),
        ("prlimit64", (0, 7, (5, ALL)), "0, RLIMIT_NOFILE, {rlim_cur=5, rlim_max=RLIM64_INFINITY}"),
        ("execve", ("/a", ("a", "b c"), (("A", "b"),)), '"/a", ["a", "b c"], /* 1 var */'),
        (
            "ptrace",
            (0x4200, 5, 0, 3),
            "PTRACE_SETOPTIONS, 5, 0, PTRACE_O_TRACESYSGOOD|PTRACE_O_TRACEFORK",
        ),
        ("ptrace", (7, 5, 0, 9), "PTRACE_CONT, 5, 0, SIGKILL"),
        ("semget", (0, 1, 0o1600), "IPC_PRIVATE, 1, IPC_CREAT|0600"),
        ("socketpair", (1, 0o2000001, 0), "AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0"),
        ("sched_setaffinity", (0, 5), "0, [0 2]"),
        ("sched_setscheduler", (0, 0x40000001, 3), "0, SCHED_FIFO|SCHED_RESET_ON_FORK, 3"),
        ("mknod", ("/f", 0o10600), '"/f", S_IFIFO|0600'),
        ("prctl", (15, "me"), 'PR_SET_NAME, "me"'),
        ("access", ("/a", 0), '"/a", F_OK'),
        ("setitimer", (0, 1000, 0), "ITIMER_REAL, {tv_sec=0, tv_nsec=1000}, {tv_sec=0, tv_nsec=0}"),
        ("unshare", (1 << 40,), "0x10000000000"),
    ],
)
def test_arguments_have_names(call: str, args: tuple[object, ...], text: str) -> None:
    assert arguments(NUMBERS[call], args) == text


@pytest.mark.parametrize(
    ("call", "args", "value", "text"),
    [
        ("read", (0, 9), b"ab\n", '3 ("ab\\n")'),
        ("wait4", (-1, 1), (0, 0, 0, 0), "0"),
        (
            "wait4",
            (-1, 0),
            (5, 0x89, 0, 0),
            "5 (WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL && WCOREDUMP(s))",
        ),
        (
            "waitid",
            (0, 0, 4),
            (5, 0, 17, 7, 1),
            "0 ({si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=5, si_uid=0, si_status=7})",
        ),
        ("fcntl", (3, 3, 0), 0o4002, "0x802 (flags O_RDWR|O_NONBLOCK)"),
        ("fcntl", (3, 1, 0), 1, "0x1 (flags FD_CLOEXEC)"),
        ("pipe2", (0,), (3, 4), "0 ([3, 4])"),
        ("poll", (((3, 1),), 0), (0,), "0 (Timeout)"),
        ("poll", (((3, 1), (4, 1)), 0), (0, 17), "1 ([{fd=4, revents=POLLIN|POLLHUP}])"),
        ("close", (3,), None, "0"),
        ("umask", (0o22,), 0o77, "077"),
        ("sched_getscheduler", (0,), 0, "0 (SCHED_OTHER)"),
    ],
)
def test_results_have_names(call: str, args: tuple[object, ...], value: object, text: str) -> None:
    assert result(NUMBERS[call], args, value) == text


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_whatever_is_passed_is_shown(name: str) -> None:
    count = len(TABLE[NUMBERS[name]][1])
    for value in (0, -1, ALL + 5, None, "\x1b\n", b"\xff", (), ((1, 2),), 0.5, True, object()):
        for text in (
            arguments(NUMBERS[name], (value,) * count),
            result(NUMBERS[name], (value,) * count, value),
        ):
            assert (text.isascii() and text.isprintable()) or not text
    arguments(NUMBERS[name], ())


def test_statuses_and_sets() -> None:
    assert status(0xFFFF) == "WIFCONTINUED(s)"
    assert status(0x137F) == "WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP"
    assert status(0x857F) == "WIFSTOPPED(s) && WSTOPSIG(s) == SIGTRAP | 0x80"
    assert status(0x1057F) == "WIFSTOPPED(s) && WSTOPSIG(s) == SIGTRAP, PTRACE_EVENT_FORK"
    assert signal_set(0) == "[]"
    assert signal_set(ALL & ~(1 << 8)) == "~[KILL]"
    assert quote('a"\\') == '"a\\"\\\\"'
