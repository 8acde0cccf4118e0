"""``sh -c COMMANDS [NAME [ARG]...]``, ``sh FILE [ARG]...``, ``sh``: a shell, as dash is one.

Lists with ``; & && ||`` and new lines, pipelines, ``!``, ``( )``, ``{ }``, ``if while until for``,
redirections (``< > >> <& >&``, with a descriptor before them), quotes, comments, variables,
special parameters, ``${NAME:-WORD}``, ``$(COMMAND)``, assignments. Known by the shell itself:
``: true false exit echo cd pwd exec export unset set -e wait break continue shift read``. Anything
else is a program: 127 if there is no such file, 126 if it cannot be executed. Like dash, the shell
forks for it, except for the last one of ``-c``, which takes its place. Also ``case``, patterns of
file names (``* ? [ ]``), ``$((arithmetic))`` in 64 bits and here documents. Functions, traps,
command substitution with backquotes and the other ``${}`` forms are refused with status 2.

A guest program is one file, so the whole shell is this one.

Deviation: no message when a command was ended by a signal; ``test``, ``[``, ``printf`` and ``kill``
are programs, whose complaints are not those of dash.
"""

import errno
import os
import sys

CHUNK = 65536
OPERATORS = [
    "&&",
    "||",
    ";;",
    ">>",
    ">&",
    "<&",
    "<<-",
    "<<",
    ";",
    "&",
    "|",
    "<",
    ">",
    "(",
    ")",
    "\n",
]
REDIRECTIONS = ["<", ">", ">>", ">&", "<&", "<<"]
SPECIAL = "*?[]\\!-"  # what means something in a pattern; after a NUL it does not
RESERVED = "then else elif fi do done esac }"
REFUSED = [
    "alias",
    "bg",
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


def end_of_word(sh, text, i):
    while i < len(text) and text[i] not in " \t\n;&|<>()":
        if text[i] == "`":
            fail(sh, "command substitution with ` is not supported: write $( )", 2)
        i = end_of_quote(sh, text, i) if text[i] in "\\'\"$" else i + 1
    return i


def take_here(here, text, i):
    # the lines of a here document, which begin at i; (index after them, how many)
    end = here["end"]
    here["quoted"] = False
    for letter in "'\"\\":
        here["quoted"] = here["quoted"] or letter in end
        end = end.replace(letter, "")
    lines = 0
    while i < len(text):
        stop = text.find("\n", i)
        stop = len(text) if stop < 0 else stop
        row = text[i:stop]
        i = stop + 1
        lines += 1
        if here["tabs"]:
            row = row.lstrip("\t")
        if row == end:
            break
        here["body"] += row + text[stop : stop + 1]
    return i, lines


def tokens_of(sh, text):
    found = []
    pending = []
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
        if operator in ("<<", "<<-"):
            i += len(operator)
            while text[i : i + 1] in (" ", "\t"):
                i += 1
            start = i
            i = end_of_word(sh, text, i)
            here = {"end": text[start:i], "tabs": operator == "<<-", "body": ""}
            found.append(("<<", line, here))
            pending.append(here)
            continue
        if operator:
            found.append((operator, line))
            i += len(operator)
            if operator == "\n":
                line += 1
                for here in pending:
                    i, lines = take_here(here, text, i)
                    line += lines
                pending = []
            continue
        start = i
        i = end_of_word(sh, text, i)
        word = text[start:i]
        if len(word) == 1 and word in "0123456789" and text[i : i + 1] in ("<", ">"):
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
    if text[i : i + 3] == "$((":
        end = end_of_quote(sh, text, i)
        if text[end - 2 : end] == "))":
            return arithmetic(sh, expand(sh, text[i + 3 : end - 2], False)[0]), end
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
    fields = marked(sh, text, split, False)
    if not split:
        return [plain(field) for field in fields]
    found = []
    for field in fields:
        found += file_names(field)
    return found


def mark(text):
    # quoted text: nothing in it is a pattern
    out = ""
    for letter in text:
        out += "\0" + letter if letter in SPECIAL else letter
    return out


def plain(text):
    return text.replace("\0", "")


def marked(sh, text, split, here):
    # the fields of a word, what was quoted marked; a here document is quoted but for its quotes
    fields = []
    field = ""
    there = False
    quoted = here
    i = 0
    while i < len(text):
        letter = text[i]
        if letter == "'" and not quoted:
            end = text.find("'", i + 1)
            field += mark(text[i + 1 : end])
            there = True
            i = end + 1
        elif letter == '"' and not here:
            quoted = not quoted
            there = True
            i += 1
        elif letter == "\\":
            after = text[i + 1 : i + 2]
            if quoted and (after not in ("$", "`", '"', "\\", "\n") or (here and after == '"')):
                field += mark("\\")
            field += mark(after) if after != "\n" else ""
            there = True
            i += 2
        elif letter == "$":
            if text[i : i + 2] == "$@" and quoted and split:
                args = sh["args"]
                for place, arg in enumerate(args):
                    field += mark(arg)
                    if place < len(args) - 1:
                        fields.append(field)
                        field = ""
                i += 2
                continue
            value, i = parameter(sh, text, i)
            if quoted or not split:
                field += mark(value) if quoted else value
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
            field += mark(letter) if quoted else letter
            there = True
            i += 1
    if there or field or not split:
        fields.append(field)
    return fields


# ---- patterns -----------------------------------------------------------------------------------


def items_of(pattern):
    # the items of a pattern: a letter, "*", "?", or (negated, letters, ranges); the first two of
    # them in a list of one where they are letters
    items = []
    i = 0
    while i < len(pattern):
        letter = pattern[i]
        if letter == "\0" or (letter == "\\" and i + 1 < len(pattern)):
            items.append([pattern[i + 1]])
            i += 2
            continue
        if letter == "[":
            item, after = bracket(pattern, i)
            if item is not None:
                items.append(item)
                i = after
                continue
        items.append(letter if letter in "*?" else [letter])
        i += 1
    return items


def bracket(pattern, i):
    begin = i + 1
    negated = pattern[begin : begin + 1] in ("!", "^")
    begin += negated
    i = begin
    letters = []
    while i < len(pattern) and (pattern[i] != "]" or i == begin):
        if pattern[i] == "\0":
            i += 1
        letters.append(pattern[i])
        i += 1
    if i >= len(pattern):
        return None, i
    ranges = []
    place = 0
    while place < len(letters):
        if letters[place + 1 : place + 2] == ["-"] and place + 2 < len(letters):
            ranges.append((letters[place], letters[place + 2]))
            place += 3
        else:
            ranges.append((letters[place], letters[place]))
            place += 1
    return (negated, ranges), i + 1


def fits(item, letter):
    if type(item) is list:
        return item[0] == letter
    if item == "?":
        return True
    inside = False
    for low, high in item[1]:
        inside = inside or low <= letter <= high
    return inside != item[0]


def matches(pattern, text):
    places = [0]
    for item in items_of(pattern):
        if item == "*":
            places = list(range(places[0], len(text) + 1))
        else:
            places = [i + 1 for i in places if i < len(text) and fits(item, text[i])]
        if not places:
            return False
    return places[-1] == len(text)


def is_pattern(text):
    return bool([item for item in items_of(text) if type(item) is not list])


def file_names(field):
    # the files that a field names; itself if there are none
    if not is_pattern(field):
        return [plain(field)]
    found = [""]
    parts = field.split("/")
    for place, part in enumerate(parts):
        end = "/" if place < len(parts) - 1 else ""
        if not is_pattern(part):
            found = [path + plain(part) + end for path in found]
            continue
        longer = []
        for path in found:
            try:
                names = os.listdir(path or ".")
            except OSError:
                continue
            for name in sorted(names):
                hidden = name.startswith(".") and not plain(part).startswith(".")
                if not hidden and matches(part, name) and (not end or os.path.isdir(path + name)):
                    longer.append(path + name + end)
        found = longer
    found = sorted([path for path in found if os.path.lexists(path)])
    return found or [plain(field)]


# ---- arithmetic: a["t"] are the tokens, a["live"] is False in a branch not taken -----------------

BINARY = ["||", "&&", "|", "^", "&", "== !=", "<= >= < >", "<< >>", "+ -", "* / %"]
SIGNS = "<<= >>= || && == != <= >= << >> += -= *= /= %= &= |= ^= + - * / % < > = ! ~ & | ^ ? : ( )"


def arithmetic(sh, text):
    a = {"sh": sh, "text": text, "t": [], "i": 0, "live": True}
    i = 0
    while i < len(text):
        end = i
        while end < len(text) and (
            text[end] == "_" or (text[end].isalnum() and text[end].isascii())
        ):
            end += 1
        if text[i] in " \t\n":
            i += 1
            continue
        if end == i:
            for sign in SIGNS.split():
                if text.startswith(sign, i):
                    end = i + len(sign)
                    break
        if end == i:
            broken(a, "expecting EOF" if a["t"] else "expecting primary")
        a["t"].append(text[i:end])
        i = end
    value = choice(a) if a["t"] else 0
    if now(a):
        broken(a, "expecting EOF")
    return str(value)


def broken(a, what):
    fail(a["sh"], f'arithmetic expression: {what}: "{a["text"]}"', 2)


def now(a):
    return a["t"][a["i"]] if a["i"] < len(a["t"]) else ""


def wrapped(value):
    return (value + 2**63) % 2**64 - 2**63


def number(sh, word):
    sign = word[:1] if word[:1] in ("-", "+") else ""
    digits = word[len(sign) :]
    base, known = 10, "0123456789"
    if digits[:2] in ("0x", "0X"):
        base, known, digits = 16, "0123456789abcdefABCDEF", digits[2:]
    elif digits[:1] == "0":
        base, known = 8, "01234567"
    if not digits or digits.strip(known):
        fail(sh, f"Illegal number: {word}", 2)
    value = int(digits, base)
    return max(min(-value if sign == "-" else value, 2**63 - 1), -(2**63))


def variable(a, name):
    text = value_of(a["sh"], name).strip()
    return number(a["sh"], text) if text and a["live"] else 0


def choice(a):
    # an assignment, or ?:
    name = now(a)
    sign = a["t"][a["i"] + 1] if a["i"] + 1 < len(a["t"]) else ""
    if name.isidentifier() and sign.endswith("=") and sign not in ("==", "!=", "<=", ">="):
        a["i"] += 2
        value = choice(a)
        if sign != "=":
            value = apply(a, sign[:-1], variable(a, name), value)
        if a["live"]:
            a["sh"]["vars"][name] = str(value)
        return value
    value = binary(a, 0)
    if now(a) != "?":
        return value
    live = a["live"]
    a["i"] += 1
    a["live"] = live and value != 0
    first = choice(a)
    if now(a) != ":":
        broken(a, "expecting ':'")
    a["i"] += 1
    a["live"] = live and value == 0
    second = choice(a)
    a["live"] = live
    return first if value else second


def binary(a, level):
    if level == len(BINARY):
        return unary(a)
    left = binary(a, level + 1)
    while now(a) and now(a) in BINARY[level].split():
        sign = now(a)
        a["i"] += 1
        live = a["live"]
        if sign in ("||", "&&"):
            a["live"] = live and (left == 0) == (sign == "||")
        right = binary(a, level + 1)
        a["live"] = live
        left = apply(a, sign, left, right)
    return left


def apply(a, sign, left, right):
    if sign in ("||", "&&"):
        return int((left or right) != 0) if sign == "||" else int(left != 0 and right != 0)
    if sign in ("/", "%"):
        if not right:
            if not a["live"]:
                return 0
            broken(a, "division by zero")
        quotient = abs(left) // abs(right)
        quotient = quotient if (left < 0) == (right < 0) else -quotient
        return wrapped(quotient if sign == "/" else left - quotient * right)
    if sign in ("<<", ">>"):
        right %= 64
        return wrapped(left << right) if sign == "<<" else left >> right
    return wrapped(
        {
            "+": left + right,
            "-": left - right,
            "*": left * right,
            "|": left | right,
            "&": left & right,
            "^": left ^ right,
            "==": int(left == right),
            "!=": int(left != right),
            "<": int(left < right),
            ">": int(left > right),
            "<=": int(left <= right),
            ">=": int(left >= right),
        }[sign]
    )


def unary(a):
    word = now(a)
    a["i"] += 1
    if word and word in "-+!~":
        value = unary(a)
        return wrapped({"-": -value, "+": value, "!": int(not value), "~": ~value}[word])
    if word == "(":
        value = choice(a)
        if now(a) != ")":
            broken(a, "expecting ')'")
        a["i"] += 1
        return value
    if word.isidentifier():
        return variable(a, word)
    if not word or not word.isalnum():
        broken(a, "expecting primary")
    if word[0] not in "0123456789":
        broken(a, "expecting primary")
    known = "01234567" if word[0] == "0" else "0123456789"
    known = "0123456789abcdefABCDEFxX" if word[:2] in ("0x", "0X") else known
    if word.strip(known):
        broken(a, "expecting EOF")
    return number(a["sh"], word)


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


def unexpected(sh, p, expected=""):
    token = peek(p)
    sh["line"] = token[1]
    what = {"end": "end of file", "\n": "newline"}.get(token[0], f'"{token[0]}"')
    if token[0] == "word":
        what = f'"{token[2]}"' if token[2] in RESERVED.split() else "word"
    end = f" (expecting {expected})" if expected else ""
    fail(sh, f"Syntax error: {what} unexpected{end}", 2)


def need(sh, p, text):
    if not is_word(p, text):
        unexpected(sh, p, f'"{text}"')
    return advance(p)[2]


def skip_lines(p):
    while peek(p)[0] == "\n":
        advance(p)


def parse_list(sh, p):
    items = []
    skip_lines(p)
    while peek(p)[0] not in ("end", ")", ";;") and not is_word(p, RESERVED):
        node = parse_and_or(sh, p)
        background = False
        if peek(p)[0] in (";", "&", "\n"):
            background = advance(p)[0] == "&"
        elif peek(p)[0] not in ("end", ")", ";;"):
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
    token = advance(p)
    operator = token[0]
    if operator == "<<":
        if not token[2]["end"]:
            unexpected(sh, p)
        return (operator, int(fd or "0"), token[2])
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
            unexpected(sh, p, '")"')
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
    elif is_word(p, "case"):
        node = parse_case(sh, p)
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


def parse_case(sh, p):
    advance(p)
    if peek(p)[0] not in ("word", "fd"):
        unexpected(sh, p, "word")
    word = advance(p)[2]
    skip_lines(p)
    need(sh, p, "in")
    skip_lines(p)
    branches = []
    while not is_word(p, "esac"):
        if peek(p)[0] == "(":
            advance(p)
        patterns = []
        while True:
            if peek(p)[0] not in ("word", "fd"):
                unexpected(sh, p)
            patterns.append(advance(p)[2])
            if peek(p)[0] != "|":
                break
            advance(p)
        if peek(p)[0] != ")":
            unexpected(sh, p, '")"')
        advance(p)
        branches.append((patterns, parse_list(sh, p)))
        if peek(p)[0] == ";;":
            advance(p)
        elif not is_word(p, "esac"):
            unexpected(sh, p, '";;"')
        skip_lines(p)
    need(sh, p, "esac")
    return ("case", word, branches)


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
    elif kind == "case":
        word = expand(sh, node[1], False)[0]
        for patterns, body in node[2]:
            if [p for p in patterns if matches(marked(sh, p, False, False)[0], word)]:
                if body[1]:
                    run(sh, body, last)
                    return
                break
        sh["status"] = 0
    else:
        loop(sh, node)


def loop(sh, node):
    kind = node[0]
    status = 0
    items = []
    sh["loops"] += 1
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
    sh["loops"] -= 1
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


def here_document(sh, here):
    body = here["body"]
    if not here["quoted"]:
        body = plain(marked(sh, body, False, True)[0])
    data = body.encode("utf-8", "replace")
    reader, writer = os.pipe()
    if len(data) <= 4096:
        say(writer, body)
    elif os.fork() == 0:
        os.close(reader)
        try:
            say(writer, body)
        except OSError:
            os._exit(1)
        os._exit(0)
    os.close(writer)
    return reader


def redirect(sh, redirections, keep):
    # what to undo; None: one failed, and the status says so
    saved = []
    for operator, number, word in redirections:
        target = "" if operator == "<<" else expand(sh, word, False)[0]
        try:
            if operator == "<<":
                fd = here_document(sh, word)
            elif operator in (">&", "<&"):
                if target != "-" and (len(target) != 1 or target not in "0123456789"):
                    fail(sh, "Syntax error: Bad fd number", 2)
                fd = -1 if target == "-" else int(target)
                if fd >= 0:
                    os.close(os.dup(fd))
            else:
                flags = {
                    "<": os.O_RDONLY,
                    ">": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
                    ">>": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
                }[operator]
                fd = os.open(target, flags, 0o666)
        except OSError as error:
            what = "cannot open" if operator == "<" else "cannot create"
            if operator in (">&", "<&"):
                say(2, f"{sh['name']}: {sh['line']}: {target}: {error.strerror}\n")
                restore(saved)
                sh["status"] = 2
                return None
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
            try:
                os.close(number)
            except OSError:
                continue
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
            try:
                os.close(number)
            except OSError:
                continue
        else:
            os.dup2(copy, number)
            os.close(copy)


def is_assignment(word):
    name, sign, _ = word.partition("=")
    return bool(sign) and name.isidentifier()


def simple(sh, node, last):
    sh["line"] = node[3]
    words = node[1]
    assignments = []
    while words and is_assignment(words[0]):
        assignments.append(words[0])
        words = words[1:]
    fields = []
    for word in words:
        fields += expand(sh, word, True)
    assigned = {}
    for word in assignments:
        name, _, value = word.partition("=")
        assigned[name] = expand(sh, value, False)[0]
        if not fields:
            sh["vars"][name] = assigned[name]
    if not fields:
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
    name = words[0]
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


def is_number(text):
    return text.isdecimal() and text.isascii() and int(text) < 2**31


def builtin(sh, words):
    name = words[0]
    status = 0
    if name == "false":
        status = 1
    elif name == "exit":
        if len(words) > 1 and not is_number(words[1]):
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
    elif name in ("break", "continue", "shift"):
        text = words[1] if len(words) > 1 else "1"
        if not is_number(text) or (name != "shift" and int(text) == 0):
            fail(sh, f"{name}: Illegal number: {text}", 2)
        if name != "shift":
            sh["leave"] = min(int(text), sh["loops"])
            sh["again"] = name == "continue" and sh["loops"] > 0
        elif int(text) > len(sh["args"]):
            fail(sh, "shift: can't shift that many", 2)
        else:
            sh["args"] = sh["args"][int(text) :]
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
    if not names:
        say(2, f"{sh['name']}: {sh['line']}: read: arg count\n")
        return 2
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
        if not is_number(word):
            say(2, f"{sh['name']}: {sh['line']}: wait: Illegal number: {word}\n")
            return 2
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
        "loops": 0,
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
