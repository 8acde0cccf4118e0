"""``sh -c COMMANDS [NAME [ARG]...]`` and ``sh FILE [ARG]...``: run simple commands, as dash does.

One command per line: words with quotes ('...', "...", backslash), the parameters ``$$ $? $# $0``
to ``$9``, and comments. Known by the shell itself: ``:  true  false  exit [N]  echo WORD...
cd FOLDER  exec COMMAND...``. Anything else is looked for in the usual folders: 127 if there is no
such file, 126 if it cannot be executed. Like dash, the shell forks for it, except for the last
command of ``-c``, which takes its place. What a larger shell would do with pipes, lists,
redirections, variables, patterns and its other built-in commands is refused with status 2.

Deviation: no message when a command was ended by a signal.
"""

import errno
import os
import sys

SPECIAL = "|&;<>()`*?[]{}~"
REFUSED = (
    ". alias bg break case command continue eval export fc fg for getopts hash if jobs local"
    " pwd read readonly return set shift test times trap type ulimit umask unalias unset until"
    " wait while ["
)
CHUNK = 65536


def fail(shell, text, code):
    sys.stderr.write(f"{shell[0]}: {shell[3]}: {text}\n")
    sys.exit(code)


def parameter(shell, letter):
    if letter == "$":
        return str(os.getpid())
    if letter == "?":
        return str(shell[2])
    if letter == "#":
        return str(len(shell[1]))
    if letter == "0":
        return shell[0]
    if letter in "123456789":
        place = int(letter) - 1
        return shell[1][place] if place < len(shell[1]) else ""
    fail(shell, "only the parameters $$ $? $# and $0 to $9 are supported", 2)
    return ""


def words_of(shell, text):
    words = []
    word = ""
    inside = False
    quote = ""
    index = 0
    while index < len(text):
        letter = text[index]
        index += 1
        if quote == "'":
            if letter == "'":
                quote = ""
            else:
                word += letter
        elif letter == "\\":
            if index == len(text):
                word += "\\"
            elif quote and text[index] not in '$`"\\':
                word += "\\" + text[index]
            else:
                word += text[index]
            index += 1
            inside = True
        elif letter == "$" and index < len(text) and text[index] not in " \t\"'":
            value = parameter(shell, text[index])
            index += 1
            if quote:
                word += value
                inside = True
            else:
                # fields of an unquoted parameter are words of their own
                fields = value.split()
                if fields and value[0] in " \t\n" and inside:
                    words.append(word)
                    word = ""
                for field in fields[:-1]:
                    words.append(word + field)
                    word = ""
                if fields:
                    word += fields[-1]
                    inside = True
        elif quote:
            if letter == '"':
                quote = ""
            elif letter == "`":
                fail(shell, "command substitution is not supported", 2)
            else:
                word += letter
        elif letter in "'\"":
            quote = letter
            inside = True
        elif letter in " \t":
            if inside:
                words.append(word)
            word = ""
            inside = False
        elif letter == "#" and not inside:
            index = len(text)
        elif letter in SPECIAL:
            fail(shell, f"{letter!r} is not supported: only simple commands are", 2)
        else:
            word += letter
            inside = True
    if quote:
        fail(shell, "Syntax error: Unterminated quoted string", 2)
    if inside:
        words.append(word)
    return words


def execute(shell, words):
    name = words[0]
    folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    candidates = [name] if "/" in name else [f"{folder}/{name}" for folder in folders]
    found = errno.ENOENT
    for path in candidates:
        try:
            os.execv(path, words)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                found = error.errno
                if found == errno.ENOEXEC:
                    os.execv("/bin/sh", ["sh", path] + words[1:])
    if found == errno.ENOENT:
        fail(shell, f"{name}: not found", 127)
    fail(shell, f"{name}: Permission denied", 126)


def leave(shell, words):
    code = shell[2]
    if len(words) > 1:
        if not words[1].isdecimal():
            fail(shell, f"exit: Illegal number: {words[1]}", 2)
        code = int(words[1]) % 256
    sys.exit(code)


def change_folder(shell, words):
    folder = words[1] if len(words) > 1 else os.environ.get("HOME", "/")
    try:
        os.chdir(folder)
        return 0
    except OSError:
        sys.stderr.write(f"{shell[0]}: {shell[3]}: cd: can't cd to {folder}\n")
        return 2


def echo(shell, words):
    end = "\n"
    if words and words[0] == "-n":
        words = words[1:]
        end = ""
    text = " ".join(words) + end
    if "\\" in text:
        fail(shell, "echo with a backslash is not supported", 2)
    sys.stdout.write(text)
    return 0


def run(shell, words, last):
    """Run one command; return its status."""
    name = words[0]
    if "=" in name and name.partition("=")[0].isidentifier():
        fail(shell, "variables are not supported", 2)
    if name in REFUSED.split():
        fail(shell, f"{name} is not supported", 2)
    if name == "exec":
        if len(words) > 1:
            execute(shell, words[1:])
        return 0
    if name == "exit":
        leave(shell, words)
    if name in (":", "true"):
        return 0
    if name == "false":
        return 1
    if name == "cd":
        return change_folder(shell, words)
    if name == "echo":
        return echo(shell, words[1:])
    if last:
        execute(shell, words)
    pid = os.fork()
    if pid == 0:
        execute(shell, words)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def text_of(path):
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        sys.stderr.write(f"sh: 0: cannot open {path}: No such file\n")
        sys.exit(2)
    data = b""
    while True:
        piece = os.read(fd, CHUNK)
        if not piece:
            break
        data += piece
    os.close(fd)
    return data.decode()


def main():
    # name, arguments, status of the last command, number of the line
    shell = ["sh", [], 0, 1]
    arguments = sys.argv[1:]
    replaces = bool(arguments) and arguments[0] == "-c"
    if replaces:
        arguments = arguments[1:]
    if not arguments or arguments[0].startswith("-"):
        fail(shell, "only sh -c COMMANDS and sh FILE are supported", 2)
    if replaces:
        text = arguments[0]
        if len(arguments) > 1:
            shell[0] = arguments[1]
        shell[1] = arguments[2:]
    else:
        text = text_of(arguments[0])
        shell[0] = arguments[0]
        shell[1] = arguments[1:]
    lines = text.rstrip().split("\n")
    for number, line in enumerate(lines):
        shell[3] = number + 1
        words = words_of(shell, line)
        if words:
            status = run(shell, words, replaces and number + 1 == len(lines))
            shell[2] = status if status >= 0 else 128 - status
    sys.exit(shell[2])


if __name__ == "__main__":
    main()
