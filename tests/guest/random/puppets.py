"""A director and its puppets: processes and threads that make one system call at a time.

The script, ``NAME COMMAND ARG...; ...``, says who does what. After each command the director lets
everything settle, then prints the replies and, for every process it knows, its group and session.
So the order of all calls is fixed, and what is printed is the same in every run. A puppet that is
blocked or stopped answers later, or never.

Arguments: the script, and for how many milliseconds to settle. ``#2`` in a script is the pid of
puppet 2, ``-#2`` its negative.
"""

import mmap
import os
import signal
import sys
import threading
import time

from workloads import guest

PUPPETS = 8
COMMAND_FD = 100  # 100 + NAME: where puppet NAME reads its commands
REPLY_FD = 90
RECORD = 64
DEFAULT = (
    "1 fork 2; 1 fork 3; 2 setpgid 0 0; 1 kill #2 19; 1 wait -1 3; 1 setpgid #3 #2; 1 thread 4;"
    " 4 fork 5; 3 wait -1 0; 4 wait -1 0; 5 exit 7; 1 kill -#2 18; 1 wait -1 9; 1 kill -#2 15;"
    " 1 waitid 0 0 4; 1 wait -1 0; 1 wait -1 0; 1 fork 6; 6 again; 1 setpgid #6 0; 4 again"
)

private = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
shared = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
lock = threading.Lock()
pipes = {}
counter = [0]
seen = []


def note(number, frame):
    seen.append(int(number))


def listed(signals):
    """Return a set of signals as text."""
    return ",".join([str(int(number)) for number in sorted(signals)]) or "none"


def signals(what, numbers):
    """Do one command about signals; None if it is not one."""
    if what == "handle":
        signal.signal(numbers[0], note)
        return "done"
    if what == "ignore":
        signal.signal(numbers[0], signal.SIG_IGN)
        return "done"
    if what == "default":
        signal.signal(numbers[0], signal.SIG_DFL)
        return "done"
    if what == "siginterrupt":
        signal.siginterrupt(numbers[0], bool(numbers[1]))
        return "done"
    if what == "mask":
        return listed(signal.pthread_sigmask(numbers[0], numbers[1:]))
    if what == "pending":
        return listed(signal.sigpending())
    if what == "seen":
        text = ",".join([str(number) for number in seen])
        del seen[:]
        return text or "none"
    if what == "sigwait":
        return str(int(signal.sigwait(numbers)))
    if what == "sigpoll":
        info = signal.sigtimedwait(numbers, 0)
        if info is None:
            return "nothing"
        return f"signo {info.si_signo} code {info.si_code} p{info.si_pid}"
    if what == "sigtimed":
        return str(signal.sigtimedwait(numbers, 0.005) is None)
    if what == "raise":
        signal.raise_signal(numbers[0])
        return "done"
    if what == "tkill":
        signal.pthread_kill(threading.get_ident(), numbers[0])
        return "done"
    if what == "pidfd":
        fd = os.pidfd_open(numbers[0])
        try:
            signal.pidfd_send_signal(fd, numbers[1])
        finally:
            os.close(fd)
        return "sent"
    if what == "alarm":
        signal.setitimer(signal.ITIMER_REAL, 0.005)
        return "set"
    if what == "pause":
        signal.pause()
        return "over"
    return None


def perform(name, words):
    """Do one command and return its result as text; a pid in it has the prefix p."""
    what = words[0]
    numbers = [int(word) for word in words[1:]]
    result = signals(what, numbers)
    if result is not None:
        return result
    if what == "fork":
        pid = os.fork()
        if pid == 0:
            puppet(numbers[0])
        return f"p{pid} is {numbers[0]}"
    if what == "clone":
        pid = guest.clone(numbers[1])
        if pid == 0:
            puppet(numbers[0])
        return f"p{pid} is {numbers[0]}"
    if what == "thread":
        threading.Thread(target=puppet, args=(numbers[0],), daemon=True).start()
        return "started"
    if what == "exit":
        os._exit(numbers[0])
    if what == "exit_thread":
        guest.exit_thread(numbers[0])
    if what == "kill":
        os.kill(numbers[0], numbers[1])
        return "sent"
    if what == "killpg":
        os.killpg(numbers[0], numbers[1])
        return "sent"
    if what == "wait":
        pid, status = os.waitpid(numbers[0], numbers[1])
        return f"p{pid} {status:#x}"
    if what == "waitid":
        found = os.waitid(numbers[0], numbers[1], numbers[2])
        if found is None:
            return "nothing"
        return f"p{found.si_pid} signo {found.si_signo} code {found.si_code} {found.si_status}"
    if what == "setpgid":
        os.setpgid(numbers[0], numbers[1])
        return "done"
    if what == "setsid":
        os.setsid()
        return "done"
    if what == "who":
        return f"p{os.getpid()} p{os.getppid()} p{os.getpgid(0)} p{os.getsid(0)}"
    if what == "group_of":
        return f"p{os.getpgid(numbers[0])} p{os.getsid(numbers[0])}"
    if what == "spawn":
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", f"exit {numbers[0]}"], {})
        return f"p{pid} spawned"
    if what == "spawn_group":
        pid = os.posix_spawn("/bin/true", ["true"], {}, setpgroup=numbers[0])
        return f"p{pid} spawned"
    if what == "spawn_nothing":
        os.posix_spawn("/no/such", ["x"], {})
    if what == "exec":
        os.execv("/bin/sh", ["sh", "-c", f"exit {numbers[0]}"])
    if what == "exec_nothing":
        os.execv("/no/such", ["x"])
    if what == "again":
        if os.geteuid() != 0:
            return "others may not reach the host's interpreter"
        os.execv(sys.executable, [sys.executable, "-u", __file__, "puppet", str(name)])
    if what == "vfork":
        pid = guest.vfork()
        if pid == 0:
            os._exit(numbers[0])
        return f"p{pid} vforked"
    if what == "pipe":
        pipes[numbers[0]] = list(os.pipe())
        return "made"
    if what == "npipe":
        pipes[numbers[0]] = list(os.pipe2(os.O_NONBLOCK))
        return "made"
    if what == "dup":
        pipes[numbers[1]] = [os.dup(pipes[numbers[0]][0]), os.dup(pipes[numbers[0]][1])]
        return "made"
    if what == "dup2":
        os.dup2(pipes[numbers[0]][numbers[2]], pipes[numbers[1]][numbers[2]], False)
        return "done"
    if what == "umask":
        return str(os.umask(numbers[0]))
    if what == "waitfd":
        fd = os.pidfd_open(numbers[0])
        try:
            found = os.waitid(os.P_PIDFD, fd, numbers[1])
        finally:
            os.close(fd)
        return "nothing" if found is None else f"p{found.si_pid} {found.si_code} {found.si_status}"
    if what == "subreaper":
        guest.set_child_subreaper(bool(numbers[0]))
        return "done"
    if what == "pdeath":
        return str(guest.prctl(1, numbers[0]))
    if what == "cred":
        os.setresuid(numbers[0], numbers[1], numbers[2])
        return "done"
    if what == "ids":
        return f"{os.getuid()} {os.geteuid()}"
    if what == "write":
        return str(os.write(pipes[numbers[0]][1], b"x" * numbers[1]))
    if what == "read":
        return str(len(os.read(pipes[numbers[0]][0], numbers[1])))
    if what == "close":
        os.close(pipes[numbers[0]][numbers[1]])
        return "closed"
    if what == "nice":
        return str(os.nice(numbers[0]))
    if what == "setpriority":
        os.setpriority(numbers[0], numbers[1], numbers[2])
        return "done"
    if what == "getpriority":
        return str(os.getpriority(numbers[0], numbers[1]))
    if what == "store":
        private[numbers[0]] = numbers[1]
        shared[numbers[0]] = numbers[1]
        counter[0] += numbers[1]
        return "stored"
    if what == "load":
        return f"{private[numbers[0]]} {shared[numbers[0]]} {counter[0]}"
    if what == "acquire":
        return str(lock.acquire(bool(numbers[0])))
    if what == "release":
        lock.release()
        return "released"
    raise ValueError(f"no command {what}")


def puppet(name):
    """Do what comes through the command pipe, for ever."""
    while True:
        record = os.read(COMMAND_FD + name, RECORD)
        if not record:
            os._exit(0)
        text = record.decode().strip()
        try:
            result = perform(name, text.split())
        except OSError as error:
            result = f"errno {error.errno}"
        except KeyError:
            result = "no such pipe"
        except RuntimeError as error:
            result = f"error {error}"
        except ValueError as error:
            result = f"error {error}"
        os.write(REPLY_FD, f"{name}: {text.split()[0]}: {result}\n".encode())


def named(word, names):
    """Return a word of a reply with the name of a process for its pid."""
    if len(word) > 1 and word[0] == "p" and word[1:].isdigit():
        pid = int(word[1:])
        if pid < 2:
            return str(pid)
        return f"#{names[pid]}" if pid in names else "#?"
    return word


def replies(fd):
    """Return the lines that have come."""
    data = b""
    while True:
        try:
            part = os.read(fd, 65536)
        except BlockingIOError:
            return data.decode().splitlines()
        data += part


def state(pid, names):
    """Return whether a process is there, its group and its session."""
    try:
        os.kill(pid, 0)
        group, session = os.getpgid(pid), os.getsid(pid)
    except ProcessLookupError:
        return "gone"
    return f"{named(f'p{group}', names)}/{named(f'p{session}', names)}"


def direct(script, settle_ms):
    """Run a script."""
    writers = {}
    for name in range(1, PUPPETS + 1):
        read_end, write_end = os.pipe()
        os.dup2(read_end, COMMAND_FD + name)
        os.close(read_end)
        writers[name] = write_end
    reply_end, write_end = os.pipe2(os.O_NONBLOCK)
    os.dup2(write_end, REPLY_FD)
    os.close(write_end)
    pid = os.fork()
    if pid == 0:
        for name in writers:
            os.close(writers[name])
        os.close(reply_end)
        os.setsid()
        puppet(1)
    names = {pid: 1}
    pids = {1: pid}
    known = {}
    unnamed = 0
    for command in script.split(";"):
        words = command.split()
        if not words:
            continue
        text = ""
        missing = False
        for word in words[1:]:
            if word.lstrip("-").startswith("#"):
                target = int(word.lstrip("-#"))
                missing = missing or target not in pids
                word = word.split("#")[0] + str(pids.get(target, 0))
            text += word + " "
        print(">", " ".join(words))
        if missing:
            continue
        os.write(writers[int(words[0])], text.ljust(RECORD).encode())
        time.sleep(settle_ms / 1000)
        lines = []
        came = replies(reply_end)
        if words[1] == "again":  # a new interpreter takes its time
            for _ in range(60):
                if not came:
                    time.sleep(0.05)
                    came = replies(reply_end)
            time.sleep(settle_ms / 1000)
        for line in came:
            parts = line.split()
            if len(parts) == 5 and parts[3] == "is":
                names[int(parts[2][1:])] = int(parts[4])
                pids[int(parts[4])] = int(parts[2][1:])
            elif len(parts) == 4 and parts[3] in ("spawned", "vforked"):
                unnamed += 1
                names[int(parts[2][1:])] = 100 + unnamed
                pids[100 + unnamed] = int(parts[2][1:])
            lines.append(parts)
        for parts in sorted(lines):
            text = " "
            for part in parts:
                text += " " + named(part, names)
            print(text)
        for name in sorted(pids):
            now = state(pids[name], names)
            if known.get(name, "") != now:
                known[name] = now
                print("  #", name, now)
    for name in range(100 + unnamed, 0, -1):  # the youngest first: nobody loses his parent before
        try:
            if name in pids:
                os.kill(pids[name], 9)
        except ProcessLookupError:
            pass
    os.waitpid(pids[1], 0)


if len(sys.argv) > 2 and sys.argv[1] == "puppet":
    os.write(REPLY_FD, f"{sys.argv[2]}: again: here\n".encode())
    puppet(int(sys.argv[2]))
elif len(sys.argv) > 2:
    direct(sys.argv[1], int(sys.argv[2]))
else:
    direct(DEFAULT, 60)
