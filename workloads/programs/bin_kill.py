"""``kill [-SIGNAL | -s SIGNAL] PID...``: send a signal, SIGTERM by default.

SIGNAL is a number or a name with or without SIG. A PID of 0 means the caller's group, -1 everyone,
any other negative number a group; after ``--`` the first one may be negative too. Exits 1 if a
signal could not be sent, after trying the others.
"""

import os
import signal
import sys

NAMES = {
    "HUP": signal.SIGHUP,
    "INT": signal.SIGINT,
    "QUIT": signal.SIGQUIT,
    "ILL": signal.SIGILL,
    "TRAP": signal.SIGTRAP,
    "ABRT": signal.SIGABRT,
    "BUS": signal.SIGBUS,
    "FPE": signal.SIGFPE,
    "KILL": signal.SIGKILL,
    "USR1": signal.SIGUSR1,
    "SEGV": signal.SIGSEGV,
    "USR2": signal.SIGUSR2,
    "PIPE": signal.SIGPIPE,
    "ALRM": signal.SIGALRM,
    "TERM": signal.SIGTERM,
    "CHLD": signal.SIGCHLD,
    "CONT": signal.SIGCONT,
    "STOP": signal.SIGSTOP,
    "TSTP": signal.SIGTSTP,
    "TTIN": signal.SIGTTIN,
    "TTOU": signal.SIGTTOU,
    "URG": signal.SIGURG,
    "XCPU": signal.SIGXCPU,
    "XFSZ": signal.SIGXFSZ,
    "VTALRM": signal.SIGVTALRM,
    "PROF": signal.SIGPROF,
    "WINCH": signal.SIGWINCH,
    "IO": signal.SIGIO,
    "PWR": signal.SIGPWR,
    "SYS": signal.SIGSYS,
}


def fail(text):
    sys.stderr.write(f"kill: {text}\n")
    sys.exit(1)


def signal_number(text):
    if text.isdecimal() and int(text) <= 64:
        return int(text)
    name = text.upper()
    if name.startswith("SIG"):
        name = name[3:]
    if name not in NAMES:
        fail(f"unknown signal {text}")
    return int(NAMES[name])


def main():
    words = sys.argv[1:]
    sig = int(signal.SIGTERM)
    if words and words[0] == "-s":
        if len(words) < 2:
            fail("option -s wants a signal")
        sig = signal_number(words[1])
        words = words[2:]
    elif words and words[0].startswith("-") and words[0] != "--":
        sig = signal_number(words[0][1:])
        words = words[1:]
    if words and words[0] == "--":
        words = words[1:]
    if not words:
        fail("not enough arguments")
    code = 0
    for word in words:
        digits = word[1:] if word.startswith("-") else word
        if not digits.isdecimal():
            fail(f"failed to parse argument: '{word}'")
        try:
            os.kill(int(word), sig)
        except OSError as error:
            sys.stderr.write(f"kill: sending signal to {word} failed: {error.strerror}\n")
            code = 1
    sys.exit(code)


if __name__ == "__main__":
    main()
