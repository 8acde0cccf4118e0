"""``ps [-eAfF] [-p PIDS] [--ppid PIDS] [-C NAMES] [-u USERS] [-o FORMAT] [ax] [u]``: processes.

Without a selection: those of the caller's effective user and terminal. -e, -A, ``ax``: all.
``--no-headers``, ``h``: no line of names; ``--sort KEYS``; -w is taken and changes nothing, since
lines are never cut. -o: ``pid,ppid,stat``, ``name=HEADER``, ``name:WIDTH``; several are one list.
Exits 1 if no process is selected.

Source: procps-ng 4.0.2 src/ps/{output,parser,select}.c.
Deviation: users have no names but root; kernel functions (wchan), threads (-L), trees (--forest)
and formats other than those of ``COLUMNS`` are refused.
"""

import os
import sys

TICKS = 100
DAYS = "Thu Fri Sat Sun Mon Tue Wed"
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"

# name: (header, width, aligned left)
COLUMNS = {
    "args": ("COMMAND", 27, True),
    "c": ("C", 2, False),
    "cls": ("CLS", 3, False),
    "comm": ("COMMAND", 15, True),
    "cmd": ("CMD", 27, True),
    "cmdname": ("CMD", 15, True),
    "command": ("COMMAND", 27, True),
    "egid": ("EGID", 5, False),
    "etime": ("ELAPSED", 11, False),
    "etimes": ("ELAPSED", 7, False),
    "euid": ("EUID", 5, False),
    "euser": ("EUSER", 8, True),
    "f": ("F", 1, False),
    "gid": ("GID", 5, False),
    "lstart": ("STARTED", 24, False),
    "ni": ("NI", 3, False),
    "nlwp": ("NLWP", 4, False),
    "pcpu": ("%CPU", 4, False),
    "pgid": ("PGID", 5, False),
    "pid": ("PID", 5, False),
    "pmem": ("%MEM", 4, False),
    "ppid": ("PPID", 5, False),
    "pri": ("PRI", 3, False),
    "psr": ("PSR", 3, False),
    "rgid": ("RGID", 5, False),
    "rss": ("RSS", 5, False),
    "rtprio": ("RTPRIO", 6, False),
    "ruid": ("RUID", 5, False),
    "ruser": ("RUSER", 8, True),
    "s": ("S", 1, True),
    "sid": ("SID", 5, False),
    "start": ("STARTED", 8, False),
    "stat": ("STAT", 4, True),
    "stime": ("STIME", 5, True),
    "sz": ("SZ", 5, False),
    "time": ("TIME", 8, False),
    "bsdtime": ("TIME", 6, False),
    "bsdstart": ("START", 5, True),
    "tpgid": ("TPGID", 5, False),
    "tt": ("TT", 8, True),
    "tname": ("TTY", 8, True),
    "uid": ("UID", 5, False),
    "user": ("USER", 8, True),
    "fuser": ("UID", 8, True),
    "vsz": ("VSZ", 6, False),
}
NUMBERS = "egid euid gid ni nlwp pgid pid ppid pri psr rgid rss ruid sid sz tpgid uid vsz etimes c"
ALIASES = {
    "%cpu": "pcpu",
    "%mem": "pmem",
    "class": "cls",
    "cputime": "time",
    "flag": "f",
    "flags": "f",
    "nice": "ni",
    "pgrp": "pgid",
    "policy": "cls",
    "rssize": "rss",
    "rsz": "rss",
    "sess": "sid",
    "session": "sid",
    "start_time": "stime",
    "state": "s",
    "thcount": "nlwp",
    "tty": "tt",
    "ucmd": "comm",
    "ucomm": "comm",
    "vsize": "vsz",
}
HEADERS = {
    "policy": "POL",
    "pgrp": "PGRP",
    "sess": "SESS",
    "session": "SESS",
    "start_time": "START",
    "ucmd": "CMD",
}
FULL = "fuser pid ppid c stime tname time cmd"
BSD_USER = "user pid pcpu pmem vsz rss tname stat bsdstart bsdtime command"
PLAIN = "pid tname time cmdname"
BSD = "pid tname stat bsdtime command"
ONE_LIST = {"-p": "pid", "-q": "pid", "p": "pid", "q": "pid", "-C": "comm", "-u": "uid"}
MISSING = {
    "pid": "list of process IDs must follow -p",
    "comm": "list of command names must follow -C",
}


def fail(text):
    sys.stdout.flush()
    sys.stderr.write(
        f"error: {text}\n\nUsage:\n ps [options]\n\n"
        " Try 'ps --help <simple|list|output|threads|misc|all>'\n"
        "  or 'ps --help <s|l|o|t|m|a>'\n"
        " for additional help text.\n\nFor more details see ps(1).\n"
    )
    sys.exit(1)


# ---- reading /proc ------------------------------------------------------------------------------


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def process(pid):
    # what is known of a process; None if it is gone
    try:
        text = contents(f"/proc/{pid}/stat").decode("utf-8", "replace")
        lines = contents(f"/proc/{pid}/status").decode("utf-8", "replace").split("\n")
        command = contents(f"/proc/{pid}/cmdline").decode("utf-8", "replace")
    except OSError:
        return None
    end = text.rindex(")")
    fields = text[end + 2 :].split()
    status = {}
    for line in lines:
        key, _, value = line.partition(":\t")
        status[key] = value
    number = [int(field) if field.lstrip("-").isdecimal() else 0 for field in fields]
    uids = [int(word) for word in status["Uid"].split()]
    gids = [int(word) for word in status["Gid"].split()]
    found = {
        "pid": pid,
        "comm": text[text.index("(") + 1 : end],
        "words": command.rstrip("\0").replace("\0", " ").replace("\n", "?"),
        "s": fields[0],
        "ppid": number[1],
        "pgid": number[2],
        "sid": number[3],
        "terminal": number[4],
        "tpgid": number[5],
        "flags": number[6],
        "ticks": number[11] + number[12],
        "kernel_pri": number[15],
        "ni": number[16],
        "nlwp": number[17],
        "begun": number[19],
        "vsz": number[20] // 1024,
        "rss": number[21] * 4,
        "psr": number[36],
        "rt_priority": number[37],
        "class": number[38],
        "locked": status.get("VmLck", "0 kB").split()[0] != "0",
        "ruid": uids[0],
        "uid": uids[1],
        "euid": uids[1],
        "rgid": gids[0],
        "gid": gids[1],
        "egid": gids[1],
    }
    found["pri"] = 39 - found["kernel_pri"]
    found["sz"] = number[20] // 4096
    return found


def user_name(uid):
    return "root" if uid == 0 else str(uid)


def clock(seconds):
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def date_of(seconds):
    # (weekday, month, day, year, HH:MM:SS) of a time in UTC
    days = seconds // 86400
    weekday = DAYS.split()[days % 7]
    year = 1970
    while True:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        if days < 365 + leap:
            break
        days -= 365 + leap
        year += 1
    month = 0
    for length in (31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31):
        if days < length:
            break
        days -= length
        month += 1
    return weekday, MONTHS.split()[month], days + 1, year, clock(seconds % 86400)


# ---- one field ----------------------------------------------------------------------------------


def share(thousandths):
    return (
        str(thousandths // 10) if thousandths > 999 else f"{thousandths // 10}.{thousandths % 10}"
    )


def stat_letters(p):
    return (
        p["s"]
        + "<" * (p["ni"] < 0)
        + "N" * (p["ni"] > 0)
        + "L" * p["locked"]
        + "s" * (p["sid"] == p["pid"])
        + "l" * (p["nlwp"] > 1)
        + "+" * (p["pgid"] == p["tpgid"])
    )


def started(machine, p, name):
    weekday, month, day, year, hour = date_of(machine["boot"] + p["begun"] // TICKS)
    today = date_of(machine["now"])
    same_year = today[3] == year
    same_day = same_year and today[1:3] == (month, day)
    if name == "lstart":
        return f"{weekday} {month} {day:2} {hour} {year}"
    if name == "start":
        recent = machine["now"] - (machine["boot"] + p["begun"] // TICKS) < 86400
        return hour if recent else f"  {month} {day:02}"
    if name == "bsdstart":
        recent = machine["now"] - (machine["boot"] + p["begun"] // TICKS) < 86400
        return hour[:5] if recent else f"{month} {day:02}"
    return hour[:5] if same_day else (f"{month}{day:02}" if same_year else str(year))


def field(machine, p, name):
    if name in ("comm", "cmdname"):
        return p["comm"]
    if name in ("args", "cmd", "command"):
        if p["s"] == "Z" or not p["words"]:
            return f"[{p['comm']}]" + (" <defunct>" if p["s"] == "Z" else "")
        return p["words"]
    if name == "stat":
        return stat_letters(p)
    if name in ("user", "fuser", "euser", "ruser"):
        return user_name(p["ruid" if name == "ruser" else "euid"])
    if name in ("tt", "tname"):
        number = p["terminal"]
        return "?" if not number else f"pts/{number % 256 + (number >> 20) * 256}"
    if name in ("start", "stime", "lstart", "bsdstart"):
        return started(machine, p, name)
    seconds = p["ticks"] // TICKS
    lived = max(machine["uptime"] - p["begun"], 0)
    if name == "time":
        days = seconds // 86400
        return (f"{days}-" if days else "") + clock(seconds % 86400)
    if name == "bsdtime":
        return f"{seconds // 60:3}:{seconds % 60:02}"
    if name in ("etime", "etimes"):
        seconds = lived // TICKS
        if name == "etimes":
            return str(seconds)
        days = seconds // 86400
        text = clock(seconds % 86400)
        return f"{days}-{text}" if days else text[3:] if text.startswith("00:") else text
    if name in ("c", "pcpu"):
        part = p["ticks"] * 1000 // lived if lived else 0
        return share(part) if name == "pcpu" else str(min(part // 10, 99))
    if name == "pmem":
        return share(min(p["rss"] * 1000 // machine["memory"], 999))
    if name == "cls":
        classes = ["TS", "FF", "RR", "B", "ISO", "IDL", "DLN"]
        return classes[p["class"]] if p["class"] < len(classes) else "?"
    if name == "rtprio":
        return str(p["rt_priority"]) if p["class"] in (1, 2) else "-"
    if name == "f":
        return str(p["flags"] >> 6 & 5)
    return str(p[name])


# ---- options ------------------------------------------------------------------------------------


def add_format(o, text):
    # headers may hold blanks and, for the last name of the list, anything
    words = text.replace(",", " ").split() if "=" not in text else text.split(",")
    for word in words:
        name, sign, header = word.strip().partition("=")
        name, _, width = name.partition(":")
        known = ALIASES.get(name, name)
        if known not in COLUMNS or name in ("fuser", "cmdname"):
            fail(f'unknown user-defined format specifier "{name}"')
        usual = COLUMNS[known]
        head = header if sign else HEADERS.get(name, usual[0])
        if width and not width.isdecimal():
            fail("improper format list")
        size = int(width) if width else max(usual[1], len(head))
        o["columns"].append((known, head, size, usual[2]))
    if not words:
        fail("format specification must follow -o")


def numbers_of(text, what):
    found = []
    for word in text.replace(",", " ").split():
        if what == "uid" and word == "root":
            word = "0"
        if what != "comm" and not word.isdecimal():
            fail("user name does not exist" if what == "uid" else "process ID list syntax error")
        found.append(word[:15] if what == "comm" else int(word))
    if not found:
        fail(MISSING.get(what, "list of process IDs must follow --ppid"))
    return found


def argument(words, rest, what):
    if rest:
        return rest
    if not words:
        fail(what)
    return words.pop(0)


def long_option(o, word, words):
    name, sign, value = word.partition("=")
    if name in ("--no-headers", "--no-heading", "--no-headings", "--noheaders", "--noheading"):
        o["headers"] = False
    elif name in ("--headers", "--cols", "--columns", "--width"):
        if name != "--headers" and not sign and words:
            words.pop(0)
    elif name in ("--pid", "--ppid", "--sort", "--format", "--user"):
        if not sign:
            value = argument(words, "", f"list must follow {name}")
        if name == "--sort":
            o["sort"] += value.replace(",", " ").split()
        elif name == "--format":
            add_format(o, value)
        else:
            what = {"--user": "uid"}.get(name, name[2:])
            o["select"].append((what, numbers_of(value, what)))
    else:
        fail("unknown gnu long option")


def options(words):
    o = {"columns": [], "select": [], "all": False, "headers": True, "sort": [], "x": False}
    o["a"] = False
    o["layout"] = ""
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            long_option(o, word, words)
            continue
        if word.replace(",", "0").isdecimal():
            o["select"].append(("pid", numbers_of(word, "pid")))
            o["layout"] = o["layout"] or BSD
            continue
        bsd = not word.startswith("-")
        letters = word if bsd else word[1:]
        if not letters:
            fail("improper list")
        for place, letter in enumerate(letters):
            option = letter if bsd else "-" + letter
            rest = letters[place + 1 :]
            if option in ("-o", "o", "-O"):
                if option == "-O":
                    fail("unsupported SysV option")
                add_format(o, argument(words, rest, "format specification must follow -o"))
                break
            if option in ONE_LIST:
                what = ONE_LIST[option]
                value = argument(words, rest, MISSING.get(what, "list of users must follow -u"))
                o["select"].append((what, numbers_of(value, what)))
                if bsd:
                    o["layout"] = o["layout"] or BSD
                break
            if option in ("-e", "-A"):
                o["all"] = True
            elif option in ("a", "x"):
                o[option] = True
                o["layout"] = o["layout"] or BSD
            elif option in ("u", "-f"):
                o["layout"] = BSD_USER if bsd else FULL
            elif option in ("h", "-h"):
                o["headers"] = False
            elif option not in ("w", "-w"):
                fail("unsupported option (BSD syntax)" if bsd else "unsupported SysV option")
    return o


# ---- all together -------------------------------------------------------------------------------


def is_selected(o, own, p):
    if o["all"] or (o["a"] and o["x"]):
        return True
    for what, values in o["select"]:
        if p[what] in values:
            return True
    if o["select"]:
        return False
    if o["a"]:
        return p["terminal"] != 0
    if o["x"]:
        return p["euid"] == own["euid"]
    return p["euid"] == own["euid"] and p["terminal"] == own["terminal"]


def main():
    o = options(sys.argv[1:])
    own = process(os.getpid())
    machine = {"boot": 0, "memory": 1}
    for line in contents("/proc/stat").decode().split("\n"):
        if line.startswith("btime "):
            machine["boot"] = int(line.split()[1])
    machine["memory"] = int(contents("/proc/meminfo").decode().split()[1])
    whole, part = contents("/proc/uptime").decode().split()[0].split(".")
    machine["uptime"] = int(whole) * TICKS + int(part)
    machine["now"] = machine["boot"] + int(whole)
    digits = len(str(int(contents("/proc/sys/kernel/pid_max").decode()) - 1))
    columns = o["columns"]
    if not columns:
        for name in (o["layout"] or PLAIN).split():
            columns.append((name, COLUMNS[name][0], COLUMNS[name][1], COLUMNS[name][2]))
    if [head for _, head, _, _ in columns] == [""] * len(columns):
        o["headers"] = False
    columns = [
        (
            name,
            head,
            max(size, digits) if name in ("pid", "ppid", "pgid", "sid", "tpgid") else size,
            left,
        )
        for name, head, size, left in columns
    ]
    rows = []
    for name in sorted([int(name) for name in os.listdir("/proc") if name.isdecimal()]):
        p = own if name == own["pid"] else process(name)
        if p is not None and is_selected(o, own, p):
            rows.append(p)
    for key in reversed(o["sort"]):
        name = ALIASES.get(key.lstrip("+-"), key.lstrip("+-"))
        if name not in COLUMNS:
            fail("unknown sort specifier")
        rows.sort(key=lambda p: sort_key(machine, p, name), reverse=key.startswith("-"))
    if o["headers"]:
        print(line_of([head for _, head, _, _ in columns], columns))
    for p in rows:
        print(line_of([field(machine, p, column[0]) for column in columns], columns))
    sys.exit(0 if rows else 1)


def sort_key(machine, p, name):
    if name in ("time", "bsdtime"):
        return p["ticks"]
    if name == "pcpu":
        return p["ticks"] * 1000 // max(machine["uptime"] - p["begun"], 1)
    if name == "pmem":
        return p["rss"]
    if name in ("start", "stime", "lstart", "bsdstart"):
        return p["begun"]
    if name in NUMBERS.split() and name in p:
        return p[name]
    return field(machine, p, name)


def line_of(texts, columns):
    # a text too long for its column is cut, a number is not; the last column is as long as it is
    line = ""
    for place, text in enumerate(texts):
        name, _, size, left = columns[place]
        if left and place < len(texts) - 1:
            if len(text) > size:
                text = text[: size - 1] + "+" if name.endswith("user") else text[:size]
            line += text.ljust(size) + " "
        elif left:
            line += text
        else:
            line += text.rjust(size) + ("" if place == len(texts) - 1 else " ")
    return line


if __name__ == "__main__":
    main()
