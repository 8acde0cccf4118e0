"""``sh -c COMMANDS [NAME [ARG]...]``, ``sh FILE [ARG]...``, ``sh``: a shell, as dash is one.

Lists with ``; & && ||`` and new lines, pipelines, ``!``, ``( )``, ``{ }``, ``if while until for``,
redirections (``< > >> <& >&``, with a descriptor before them), quotes, comments, variables,
special parameters, ``${NAME:-WORD}``, ``$(COMMAND)``, assignments. Known by the shell itself:
``: true false exit echo cd pwd exec export unset set -e wait break continue shift read``. Anything
else is a program: 127 if there is no such file, 126 if it cannot be executed. Like dash, the shell
forks for it, except for the last one of ``-c``, which takes its place. Patterns (``* ? [``),
functions, ``case``, arithmetic and here documents are refused with status 2.

Deviation: no message when a command was ended by a signal.
"""

import errno
import os
import sys

CHUNK = 65536
OPERATORS = ["&&", "||", ";;", ">>", ">&", "<&", "<<", ";", "&", "|", "<", ">", "(", ")", "\n"]
REDIRECTIONS = ["<", ">", ">>", ">&", "<&"]
RESERVED = "then else elif fi do done }"
REFUSED = [
    "alias",
    "bg",
    "case",
    "command",
    "eval",
    "fg",
    "function",
    "getopts",
    "hash",
    "jobs",
    "local",
    "readonly",
    "return",
    "times",
    "trap",
    "type",
    "ulimit",
    "umask",
    "unalias",
]


def say(fd, text):
    data = text.encode("utf-8", "replace")
    while data:
        data = data[os.write(fd, data) :]


def fail(sh, text, code):
    say(2, f"{sh['name']}: {sh['line']}: {text}\n")
    os._exit(code)


# ---- words --------------------------------------------------------------------------------------


def end_of_quote(sh, text, i):
    # the index after what begins at i, a quote, a backslash, or $( or ${
    letter = text[i]
    if letter == "\\":
        return min(i + 2, len(text))
    if letter == "'":
        end = text.find("'", i + 1)
        if end < 0:
            fail(sh, "Syntax error: Unterminated quoted string", 2)
        return end + 1
    if letter == '"':
        i += 1
        while i < len(text) and text[i] != '"':
            i = end_of_quote(sh, text, i) if text[i] == "\\" or text[i : i + 2] == "$(" else i + 1
        if i >= len(text):
            fail(sh, "Syntax error: Unterminated quoted string", 2)
        return i + 1
    if text[i : i + 3] == "$((":
        fail(sh, "arithmetic is not supported", 2)
    if text[i : i + 2] == "$(":
        depth = 0
        while i < len(text):
            if text[i] in "'\"\\":
                i = end_of_quote(sh, text, i)
                continue
            depth += {"(": 1, ")": -1}.get(text[i], 0)
            i += 1
            if not depth and text[i - 1] == ")":
                return i
        fail(sh, 'Syntax error: end of file unexpected (expecting ")")', 2)
    if text[i : i + 2] == "${":
        end = text.find("}", i)
        if end < 0:
            fail(sh, "Syntax error: Missing '}'", 2)
        return end + 1
    return i + 1


def tokens_of(sh, text):
    found = []
    i = 0
    line = 1
    while i < len(text):
        letter = text[i]
        if letter in " \t":
            i += 1
            continue
        if letter == "\\" and text[i + 1 : i + 2] == "\n":
            i += 2
            continue
        if letter == "#":
            while i < len(text) and text[i] != "\n":
                i += 1
            continue
        operator = ""
        for word in OPERATORS:
            if text.startswith(word, i):
                operator = word
                break
        if operator in ("<<", ";;"):
            fail(sh, f"{operator} is not supported", 2)
        if operator:
            found.append((operator, line))
            line += operator == "\n"
            i += len(operator)
            continue
        start = i
        while i < len(text) and text[i] not in " \t\n;&|<>()":
            if text[i] == "`":
                fail(sh, "command substitution with ` is not supported: write $( )", 2)
            i = end_of_quote(sh, text, i) if text[i] in "\\'\"$" else i + 1
        word = text[start:i]
        if word.isdecimal() and text[i : i + 1] in ("<", ">"):
            found.append(("fd", line, word))
        else:
            found.append(("word", line, word))
    return found


def value_of(sh, name):
    if name == "?":
        return str(sh["status"])
    if name == "$":
        return str(sh["pid"])
    if name == "!":
        return sh["last"]
    if name == "#":
        return str(len(sh["args"]))
    if name in ("@", "*"):
        return " ".join(sh["args"])
    if name == "0":
        return sh["name"]
    if name.isdecimal():
        place = int(name) - 1
        return sh["args"][place] if place < len(sh["args"]) else ""
    return sh["vars"].get(name, "")


def parameter(sh, text, i):
    # (value, index after it) of what begins with $ at i
    if text[i : i + 2] == "$(":
        end = end_of_quote(sh, text, i)
        return output_of(sh, text[i + 2 : end - 1]), end
    if text[i : i + 2] == "${":
        end = text.find("}", i)
        name = text[i + 2 : end]
        for mark in (":-", "-"):
            head, sign, rest = name.partition(mark)
            if sign and head.replace("_", "a").isalnum():
                value = value_of(sh, head)
                return value if value else " ".join(expand(sh, rest, False)), end + 1
        if not (name in "?$!#@*" or name.replace("_", "a").isalnum()):
            fail(sh, f"${{{name}}} is not supported", 2)
        return value_of(sh, name), end + 1
    j = i + 1
    if j < len(text) and text[j] in "?$!#@*0123456789":
        return value_of(sh, text[j]), j + 1
    while j < len(text) and (text[j] == "_" or (text[j].isalnum() and text[j].isascii())):
        j += 1
    return ("$", j) if j == i + 1 else (value_of(sh, text[i + 1 : j]), j)


def expand(sh, text, split):
    # the fields of one word; one field if it is not to be split
    fields = []
    field = ""
    there = False
    quoted = False
    i = 0
    while i < len(text):
        letter = text[i]
        if letter == "'" and not quoted:
            end = text.find("'", i + 1)
            field += text[i + 1 : end]
            there = True
            i = end + 1
        elif letter == '"':
            quoted = not quoted
            there = True
            i += 1
        elif letter == "\\":
            if quoted and text[i + 1 : i + 2] not in ("$", "`", '"', "\\", "\n"):
                field += "\\"
            field += text[i + 1 : i + 2]
            there = True
            i += 2
        elif letter == "$":
            if text[i : i + 2] == "$@" and quoted and split:
                args = sh["args"]
                for place, arg in enumerate(args):
                    field += arg
                    if place < len(args) - 1:
                        fields.append(field)
                        field = ""
                i += 2
                continue
            value, i = parameter(sh, text, i)
            if quoted or not split:
                field += value
                there = there or bool(value)
                continue
            parts = value.split()
            if parts and value[0] in " \t\n" and (there or field):
                fields.append(field)
                field = ""
            for part in parts[:-1]:
                fields.append(field + part)
                field = ""
            if parts:
                field += parts[-1]
                there = True
                if value[-1] in " \t\n":
                    fields.append(field)
                    field = ""
                    there = False
        else:
            if letter in "*?[" and not quoted and split and text != "[":
                fail(sh, f"the pattern {text} is not supported", 2)
            field += letter
            there = True
            i += 1
    if there or field or not split:
        fields.append(field)
    return fields


def output_of(sh, text):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        os.dup2(writer, 1)
        os.close(writer)
        run_text(sh, text, True)
        os._exit(sh["status"])
    os.close(writer)
    data = b""
    while True:
        part = os.read(reader, CHUNK)
        if not part:
            break
        data += part
    os.close(reader)
    sh["status"] = code_of(os.waitpid(pid, 0)[1])
    return data.decode("utf-8", "replace").rstrip("\n")


# ---- grammar: nodes are tuples ------------------------------------------------------------------


def peek(p):
    return p["t"][p["i"]] if p["i"] < len(p["t"]) else ("end", p["line"])


def advance(p):
    token = peek(p)
    p["i"] += 1
    p["line"] = token[1]
    return token


def is_word(p, text):
    token = peek(p)
    return token[0] == "word" and token[2] in text.split()


def unexpected(sh, p):
    token = peek(p)
    sh["line"] = token[1]
    what = {"end": "end of file", "\n": "newline"}.get(token[0], f'"{token[0]}"')
    if token[0] == "word":
        what = f'"{token[2]}"' if token[2] in RESERVED.split() else "word"
    fail(sh, f"Syntax error: {what} unexpected", 2)


def need(sh, p, text):
    if not is_word(p, text):
        unexpected(sh, p)
    return advance(p)[2]


def skip_lines(p):
    while peek(p)[0] == "\n":
        advance(p)


def parse_list(sh, p):
    items = []
    skip_lines(p)
    while peek(p)[0] not in ("end", ")") and not is_word(p, RESERVED):
        node = parse_and_or(sh, p)
        background = False
        if peek(p)[0] in (";", "&", "\n"):
            background = advance(p)[0] == "&"
        elif peek(p)[0] not in ("end", ")"):
            unexpected(sh, p)
        items.append((node, background))
        skip_lines(p)
    return ("list", items)


def parse_and_or(sh, p):
    node = parse_pipeline(sh, p)
    while peek(p)[0] in ("&&", "||"):
        operator = advance(p)[0]
        skip_lines(p)
        node = (operator, node, parse_pipeline(sh, p))
    return node


def parse_pipeline(sh, p):
    negated = False
    while is_word(p, "!"):
        advance(p)
        negated = not negated
    commands = [parse_command(sh, p)]
    while peek(p)[0] == "|":
        advance(p)
        skip_lines(p)
        commands.append(parse_command(sh, p))
    node = commands[0] if len(commands) == 1 else ("pipe", commands)
    return ("not", node) if negated else node


def redirection(sh, p):
    fd = advance(p)[2] if peek(p)[0] == "fd" else ""
    operator = advance(p)[0]
    if peek(p)[0] not in ("word", "fd"):
        unexpected(sh, p)
    number = int(fd) if fd else (0 if operator[0] == "<" else 1)
    return (operator, number, advance(p)[2])


def parse_command(sh, p):
    line = peek(p)[1]
    if peek(p)[0] == "(":
        advance(p)
        node = ("subshell", parse_list(sh, p))
        if peek(p)[0] != ")":
            unexpected(sh, p)
        advance(p)
    elif is_word(p, "{"):
        advance(p)
        node = parse_list(sh, p)
        need(sh, p, "}")
    elif is_word(p, "if"):
        node = parse_if(sh, p)
    elif is_word(p, "while until"):
        kind = advance(p)[2]
        test = parse_list(sh, p)
        need(sh, p, "do")
        node = (kind, test, parse_list(sh, p))
        need(sh, p, "done")
    elif is_word(p, "for"):
        node = parse_for(sh, p)
    else:
        words = []
        redirections = []
        while peek(p)[0] in ("word", "fd") or peek(p)[0] in REDIRECTIONS:
            if peek(p)[0] == "word":
                words.append(advance(p)[2])
            else:
                redirections.append(redirection(sh, p))
        if not words and not redirections:
            unexpected(sh, p)
        if peek(p)[0] == "(":
            fail(sh, "functions are not supported", 2)
        return ("simple", words, redirections, line)
    redirections = []
    while peek(p)[0] == "fd" or peek(p)[0] in REDIRECTIONS:
        redirections.append(redirection(sh, p))
    return ("redirected", node, redirections) if redirections else node


def parse_if(sh, p):
    advance(p)
    test = parse_list(sh, p)
    need(sh, p, "then")
    body = parse_list(sh, p)
    if is_word(p, "elif"):
        return ("if", test, body, parse_if(sh, p))
    other = ("list", [])
    if is_word(p, "else"):
        advance(p)
        other = parse_list(sh, p)
    need(sh, p, "fi")
    return ("if", test, body, other)


def parse_for(sh, p):
    advance(p)
    name = advance(p)[2]
    words = ['"$@"']
    skip_lines(p)
    if is_word(p, "in"):
        advance(p)
        words = []
        while peek(p)[0] == "word":
            words.append(advance(p)[2])
    if peek(p)[0] in (";", "\n"):
        advance(p)
    skip_lines(p)
    need(sh, p, "do")
    body = parse_list(sh, p)
    need(sh, p, "done")
    return ("for", name, words, body)


# ---- running: the status goes to sh["status"]; a loop is left when sh["leave"] is not 0 ---------


def code_of(status):
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def run(sh, node, last):
    kind = node[0]
    if kind == "simple":
        simple(sh, node, last)
    elif kind == "list":
        items = node[1]
        for place, (item, background) in enumerate(items):
            if sh["leave"]:
                return
            if background:
                start(sh, item)
            else:
                run(sh, item, last and place == len(items) - 1)
                if sh["errexit"] and sh["status"] and item[0] not in ("&&", "||", "not"):
                    os._exit(sh["status"])
    elif kind in ("&&", "||"):
        run(sh, node[1], False)
        if not sh["leave"] and (sh["status"] == 0) == (kind == "&&"):
            run(sh, node[2], last)
    elif kind == "not":
        run(sh, node[1], False)
        sh["status"] = int(not sh["status"])
    elif kind == "pipe":
        pipeline(sh, node[1])
    elif kind == "subshell":
        if last:
            run(sh, node[1], True)
            return
        pid = os.fork()
        if pid == 0:
            run(sh, node[1], True)
            os._exit(sh["status"])
        sh["status"] = code_of(os.waitpid(pid, 0)[1])
    elif kind == "redirected":
        saved = redirect(sh, node[2], True)
        if saved is not None:
            run(sh, node[1], False)
            restore(saved)
    elif kind == "if":
        run(sh, node[1], False)
        branch = node[2] if sh["status"] == 0 else node[3]
        sh["status"] = 0
        run(sh, branch, last)
    else:
        loop(sh, node)


def loop(sh, node):
    kind = node[0]
    status = 0
    items = []
    if kind == "for":
        for word in node[2]:
            items += expand(sh, word, True)
    while True:
        if kind == "for":
            if not items:
                break
            sh["vars"][node[1]] = items.pop(0)
        else:
            run(sh, node[1], False)
            if sh["leave"] or (sh["status"] == 0) != (kind == "while"):
                break
        run(sh, node[3] if kind == "for" else node[2], False)
        status = sh["status"]
        if sh["leave"]:
            sh["leave"] -= 1
            if sh["leave"] or not sh["again"]:
                break
            sh["again"] = False
    sh["status"] = status


def start(sh, node):
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_RDONLY)
        os.dup2(null, 0)
        run(sh, node, True)
        os._exit(sh["status"])
    sh["last"] = str(pid)
    sh["jobs"].append(pid)
    sh["status"] = 0


def pipeline(sh, commands):
    pids = []
    into = -1
    for place, node in enumerate(commands):
        reader = writer = -1
        if place < len(commands) - 1:
            reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            if into >= 0:
                os.dup2(into, 0)
            if writer >= 0:
                os.dup2(writer, 1)
            for fd in (into, reader, writer):
                if fd > 2:
                    os.close(fd)
            run(sh, node, True)
            os._exit(sh["status"])
        pids.append(pid)
        if into >= 0:
            os.close(into)
        if writer >= 0:
            os.close(writer)
        into = reader
    for pid in pids:
        sh["status"] = code_of(os.waitpid(pid, 0)[1])


def redirect(sh, redirections, keep):
    # what to undo; None: one failed, and the status says so
    saved = []
    for operator, number, word in redirections:
        target = expand(sh, word, False)[0]
        try:
            if operator in (">&", "<&"):
                fd = -1 if target == "-" else int(target)
            else:
                flags = {
                    "<": os.O_RDONLY,
                    ">": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
                    ">>": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
                }[operator]
                fd = os.open(target, flags, 0o666)
        except OSError as error:
            what = "cannot open" if operator == "<" else "cannot create"
            text = (
                "No such file"
                if error.errno == errno.ENOENT and operator == "<"
                else error.strerror
            )
            if error.errno == errno.ENOENT and operator != "<":
                text = "Directory nonexistent"
            say(2, f"{sh['name']}: {sh['line']}: {what} {target}: {text}\n")
            restore(saved)
            sh["status"] = 2
            return None
        if keep:
            try:
                saved.append((number, os.dup(number)))
            except OSError:
                saved.append((number, -1))
        if fd < 0:
            os.close(number)
        elif fd != number:
            os.dup2(fd, number)
            if operator not in (">&", "<&"):
                os.close(fd)
        else:
            os.set_inheritable(fd, True)
    return saved


def restore(saved):
    for number, copy in reversed(saved):
        if copy < 0:
            os.close(number)
        else:
            os.dup2(copy, number)
            os.close(copy)


def is_assignment(word):
    name, sign, _ = word.partition("=")
    return bool(sign) and name.isidentifier()


def simple(sh, node, last):
    sh["line"] = node[3]
    words = node[1]
    assigned = {}
    while words and is_assignment(words[0]):
        name, _, value = words[0].partition("=")
        assigned[name] = expand(sh, value, False)[0]
        words = words[1:]
    fields = []
    for word in words:
        fields += expand(sh, word, True)
    if not fields:
        for name in assigned:
            sh["vars"][name] = assigned[name]
        saved = redirect(sh, node[2], True)
        if saved is not None:
            sh["status"] = sh["status"] if words else 0
            restore(saved)
        return
    name = fields[0]
    if name in REFUSED:
        fail(sh, f"{name} is not supported", 2)
    if name == "exec":
        if redirect(sh, node[2], False) is not None and len(fields) > 1:
            execute(sh, fields[1:], assigned)
        return
    if name in BUILTINS:
        saved = redirect(sh, node[2], True)
        if saved is not None:
            for key in assigned:
                sh["vars"][key] = assigned[key]
            builtin(sh, fields)
            restore(saved)
        elif last:
            os._exit(sh["status"])
        return
    pid = 0 if last else os.fork()
    if pid == 0:
        if redirect(sh, node[2], False) is None:
            os._exit(sh["status"])
        execute(sh, fields, assigned)
    sh["status"] = code_of(os.waitpid(pid, 0)[1])


def execute(sh, words, assigned):
    environ = {}
    for name in sh["vars"]:
        if name in sh["exported"]:
            environ[name] = sh["vars"][name]
    for name in assigned:
        environ[name] = assigned[name]
    folders = sh["vars"].get("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    name = "test" if words[0] == "[" else words[0]
    candidates = [name] if "/" in name else [f"{folder}/{name}" for folder in folders.split(":")]
    found = errno.ENOENT
    for path in candidates:
        try:
            os.execve(path, words, environ)
        except OSError as error:
            if error.errno == errno.ENOEXEC:
                os.execve("/bin/sh", ["sh", path] + words[1:], environ)
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                found = error.errno
    if found == errno.ENOENT:
        fail(sh, f"{name}: not found", 127)
    fail(sh, f"{name}: Permission denied", 126)


BUILTINS = [
    ":",
    "true",
    "false",
    "exit",
    "echo",
    "cd",
    "pwd",
    "export",
    "unset",
    "set",
    "wait",
    "break",
    "continue",
    "shift",
    "read",
]


def builtin(sh, words):
    name = words[0]
    status = 0
    if name == "false":
        status = 1
    elif name == "exit":
        if len(words) > 1 and not words[1].isdecimal():
            fail(sh, f"exit: Illegal number: {words[1]}", 2)
        os._exit(int(words[1]) % 256 if len(words) > 1 else sh["status"])
    elif name == "echo":
        status = echo(sh, words[1:])
    elif name == "cd":
        folder = words[1] if len(words) > 1 else sh["vars"].get("HOME", "/")
        try:
            os.chdir(folder)
            sh["vars"]["PWD"] = os.getcwd()
        except OSError:
            say(2, f"{sh['name']}: {sh['line']}: cd: can't cd to {folder}\n")
            status = 2
    elif name == "pwd":
        say(1, os.getcwd() + "\n")
    elif name == "export":
        for word in words[1:]:
            key, sign, value = word.partition("=")
            if sign:
                sh["vars"][key] = value
            sh["exported"][key] = True
    elif name == "unset":
        for word in words[1:]:
            sh["vars"].pop(word, None)
    elif name == "set":
        if words[1:] not in (["-e"], ["+e"]):
            fail(sh, "set is supported as set -e and set +e", 2)
        sh["errexit"] = words[1] == "-e"
    elif name == "wait":
        status = wait(sh, words[1:])
    elif name in ("break", "continue"):
        sh["leave"] = int(words[1]) if len(words) > 1 else 1
        sh["again"] = name == "continue"
    elif name == "shift":
        sh["args"] = sh["args"][int(words[1]) if len(words) > 1 else 1 :]
    elif name == "read":
        status = read(sh, words[1:])
    sh["status"] = status


def echo(sh, words):
    end = "\n"
    if words and words[0] == "-n":
        words = words[1:]
        end = ""
    text = " ".join(words)
    if "\\" in text:
        fail(sh, "echo with a backslash is not supported: use printf", 2)
    try:
        say(1, text + end)
    except OSError:
        say(2, f"{sh['name']}: {sh['line']}: echo: echo: I/O error\n")
        return 1
    return 0


def read(sh, names):
    line = b""
    while not line.endswith(b"\n"):
        letter = os.read(0, 1)
        if not letter:
            break
        line += letter
    words = line.decode("utf-8", "replace").rstrip("\n").split(None, max(len(names) - 1, 0))
    for place, name in enumerate(names):
        sh["vars"][name] = words[place] if place < len(words) else ""
    return 0 if line.endswith(b"\n") else 1


def wait(sh, words):
    status = 0
    for word in words or [str(pid) for pid in sh["jobs"]]:
        try:
            code = code_of(os.waitpid(int(word), 0)[1])
        except OSError:
            code = 127
        if int(word) in sh["jobs"]:
            sh["jobs"].remove(int(word))
        status = code if words else 0
    return status


def run_text(sh, text, last):
    p = {"t": tokens_of(sh, text), "i": 0, "line": 1}
    node = parse_list(sh, p)
    if peek(p)[0] != "end":
        unexpected(sh, p)
    run(sh, node, last)


def text_of(fd):
    data = b""
    while True:
        piece = os.read(fd, CHUNK)
        if not piece:
            return data.decode("utf-8", "replace")
        data += piece


def main():
    sh = {
        "name": "sh",
        "args": [],
        "status": 0,
        "line": 1,
        "vars": os.environ.copy(),
        "exported": {},
        "jobs": [],
        "last": "",
        "leave": 0,
        "again": False,
        "errexit": False,
        "pid": os.getpid(),
    }
    for name in sh["vars"]:
        sh["exported"][name] = True
    arguments = sys.argv[1:]
    if arguments and arguments[0] == "-e":
        sh["errexit"] = True
        arguments = arguments[1:]
    last = bool(arguments) and arguments[0] == "-c"
    if last:
        arguments = arguments[1:]
        if not arguments:
            fail(sh, "-c requires an argument", 2)
        text = arguments[0]
        if len(arguments) > 1:
            sh["name"] = arguments[1]
        sh["args"] = arguments[2:]
    elif not arguments:
        text = text_of(0)
    elif arguments[0].startswith("-"):
        fail(sh, f"the option {arguments[0]} is not supported", 2)
        return
    else:
        path = arguments[0]
        try:
            fd = os.open(path, os.O_RDONLY)
        except OSError:
            say(2, f"sh: 0: cannot open {path}: No such file\n")
            os._exit(2)
        text = text_of(fd)
        os.close(fd)
        sh["name"] = path
        sh["args"] = arguments[1:]
    run_text(sh, text, last)
    os._exit(sh["status"])


if __name__ == "__main__":
    main()
