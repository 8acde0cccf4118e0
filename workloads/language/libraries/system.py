# ruff: noqa: F821
"""What system() of C, os.popen() and os.spawn*() do, in the guest language: see ``streams``.

The third part of ``libraries/buffered.py`` and ``libraries/text.py``, whose functions it calls.

Source: glibc sysdeps/posix/system.c:do_system(); CPython Lib/os.py:popen(), _spawnvef(),
Lib/subprocess.py.
"""

import os

from _runtime import popen_handle, popen_parts, set_mask, set_signal, spawn_shell


def run_system(command):
    # SIGINT and SIGQUIT ignored and SIGCHLD blocked until the shell has ended, but not in the shell
    interrupt = set_signal(2, 1)
    leave = set_signal(3, 1)
    mask = set_mask(0, 1 << 16)
    defaults = (0 if interrupt == 1 else 1 << 1) | (0 if leave == 1 else 1 << 2)
    try:
        pid = spawn_shell(command, mask, defaults, ())
    except OSError:
        pid = 0
    status = 127 << 8
    if pid:
        try:
            status = os.waitpid(pid, 0)[1]
        except OSError:
            status = -1
    set_signal(2, interrupt)
    set_signal(3, leave)
    set_mask(2, mask)
    return status


def popen_start(command, mode, buffering):
    reader, writer = os.pipe()
    if mode == "r":
        mine, other, number = reader, writer, 1
    else:
        mine, other, number = writer, reader, 0
    mask = set_mask(0, 0)
    try:
        pid = spawn_shell(command, mask, 1 << 12 | 1 << 24, ((2, other, number),))
    finally:
        os.close(other)
    stream = open_file(popen_parts(mine, mode, buffering), None, 0)
    return popen_handle(stream, pid)


def popen_close(stream, self):
    text_close(stream)
    if self["status"] is None:
        try:
            status = os.waitpid(self["pid"], 0)[1]
        except ChildProcessError:
            status = 0
        self["status"] = os.waitstatus_to_exitcode(status)
    return self["status"] << 8 if self["status"] else None


def spawn_in_child(search, file, args, env, given):
    try:
        if search and given:
            os.execvpe(file, args, env)
        elif search:
            os.execvp(file, args)
        elif given:
            os.execve(file, args, env)
        else:
            os.execv(file, args)
    except BaseException:
        os._exit(127)


def run_spawn(mode, search, file, args, env, given):
    pid = os.fork()
    if not pid:
        spawn_in_child(search, file, args, env, given)
    if mode == 1:
        return pid
    while True:
        status = os.waitpid(pid, 0)[1]
        if not os.WIFSTOPPED(status):
            return os.waitstatus_to_exitcode(status)
