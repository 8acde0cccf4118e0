"""``sh -c COMMAND``: run one simple command, as dash does.

The command is words with quotes ('...', "...", backslash), ``$$``, ``$?`` and comments. Known by
the shell itself: ``:  true  false  exit [N]  echo WORD...  exec COMMAND...``. Anything else is
looked for in the usual folders and executed in the shell's place: 127 if there is no such file,
126 if it cannot be executed. What a larger shell would do with pipes, lists, redirections,
variables and patterns is refused with status 2.
"""

import errno
import os
import sys

SPECIAL = "|&;<>()`*?[]{}~\n"


def fail(text, code):
    sys.stderr.write(f"sh: 1: {text}\n")
    sys.exit(code)


def parameter(letter):
    if letter == "$":
        return str(os.getpid())
    if letter == "?":
        return "0"
    fail("only the parameters $$ and $? are supported", 2)
    return ""


def words_of(text):
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
            word += parameter(text[index])
            index += 1
            inside = True
        elif quote:
            if letter == '"':
                quote = ""
            elif letter == "`":
                fail("command substitution is not supported", 2)
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
            fail(f"{letter!r} is not supported: only one simple command is", 2)
        else:
            word += letter
            inside = True
    if quote:
        fail("Syntax error: Unterminated quoted string", 2)
    if inside:
        words.append(word)
    return words


def execute(words):
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
    if found == errno.ENOENT:
        fail(f"{name}: not found", 127)
    fail(f"{name}: Permission denied", 126)


def leave(words):
    code = 0
    if len(words) > 1:
        if not words[1].isdecimal():
            fail(f"exit: Illegal number: {words[1]}", 2)
        code = int(words[1]) % 256
    sys.exit(code)


def main():
    if len(sys.argv) < 3 or sys.argv[1] != "-c":
        fail("only sh -c COMMAND is supported", 2)
    words = words_of(sys.argv[2])
    if words and words[0] == "exec":
        words = words[1:]
    elif words and words[0] == "exit":
        leave(words)
    elif words and words[0] in (":", "true"):
        sys.exit(0)
    elif words and words[0] == "false":
        sys.exit(1)
    elif words and words[0] == "echo":
        words[0] = "/bin/echo"
    if not words:
        sys.exit(0)
    if "=" in words[0] and words[0].partition("=")[0].isidentifier():
        fail("variables are not supported", 2)
    execute(words)


if __name__ == "__main__":
    main()
