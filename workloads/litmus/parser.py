"""From the text of a litmus test to data.

A test has five parts: a header, first values in braces, the processes, what to print, and a
condition. Its comments are OCaml's but for the processes' bodies.

Source: herd/splitter.mll, herdtools7's lib/ and herd/CParser.mly.
"""

import re
from typing import Final

from workloads.litmus.body import TYPE_WORDS, BodyParser
from workloads.litmus.condition import (
    QUANTIFIERS,
    Place,
    parse_formula,
    parse_place,
    places_of,
    show,
)
from workloads.litmus.errors import LitmusError
from workloads.litmus.scanner import Scanner
from workloads.litmus.test import Expression, Litmus, Process, Value

_HEADER: Final = re.compile(r"\s*(\S+)[ \t]+([A-Za-z0-9_/.+:\[\]-]+)")
_RESULT: Final = re.compile(r"Result:[ \t]*([A-Za-z]+)(.*)")
_PROCESS: Final = re.compile(r"P([0-9]+)$")
_MOST_PROCESSES: Final = 64
MOST_BYTES: Final = 1_000_000


def parse_litmus(text: str) -> Litmus:
    """Return the test that ``text`` is.

    Raises:
        LitmusError: with the place of what is wrong.
    """
    if len(text) > MOST_BYTES:
        raise LitmusError(f"longer than {MOST_BYTES:,} characters", 1, 1)
    header = _HEADER.match(text)
    if header is None:
        raise LitmusError("expected 'C' and the test's name, found something else", 1, 1)
    if header.group(1) != "C":
        line = text.count("\n", 0, header.start(1)) + 1
        raise LitmusError(
            f"expected a test in C, found one for {header.group(1)!r}: only C is supported", line, 1
        )
    scanner = Scanner(text, header.end())
    _to_first_values(scanner)
    initial: dict[str, Value] = {}
    registers: dict[Place, Value] = {}
    _initial(scanner, initial, registers)
    processes = _processes(scanner, initial, registers)
    locations = _locations(scanner)
    keep: Expression | None = None
    if scanner.take("filter"):
        keep = parse_formula(scanner)
    quantifier, formula = _condition(scanner)
    scanner.take(";")
    if scanner.kind != "end":
        scanner.expected("the end of the file")
    test = Litmus(
        name=header.group(2),
        initial=initial,
        processes=processes,
        quantifier=quantifier,
        condition=formula,
        condition_text=_condition_text(quantifier, formula),
        locations=locations,
        filter=keep,
    )
    _check_places(test, scanner)
    found = _RESULT.search(text)
    if found:
        test.result = found.group(1).capitalize() if found.group(1) != "DEADLOCK" else "DEADLOCK"
        test.racy = "RACE" in found.group(2).upper()
    return test


def _condition_text(quantifier: str, formula: Expression) -> str:
    return f"{quantifier} ({show(formula)})"


def _to_first_values(scanner: Scanner) -> None:
    """Pass what else is in the header: a name in parentheses, a text, ``Key=value`` lines."""
    end = scanner.text.find("{", scanner.start)
    while scanner.word != "{":
        if scanner.kind == "end" or end < 0:
            scanner.expected("'{' and the first values")
        if scanner.word == '"':
            closing = scanner.text.find('"', scanner.position)
            if closing < 0:
                scanner.fail("the text that begins here has no end")
            scanner.back_to(closing + 1)
        else:
            scanner.next()
    scanner.expect("{")


def _initial(scanner: Scanner, initial: dict[str, Value], registers: dict[Place, Value]) -> None:
    """``type *name = value;`` and ``0:r1 = value;`` up to the closing brace."""
    while not scanner.take("}"):
        if scanner.take(";"):
            continue
        if scanner.take("{"):  # braces nest
            _initial(scanner, initial, registers)
            continue
        place = _initial_place(scanner)
        if scanner.word == "[":
            scanner.fail("arrays are not supported")
        value: Value = 0
        if scanner.take("="):
            value = _initial_value(scanner)
        if place[0] < 0:
            initial[place[1]] = value
        else:
            registers[place] = value
        if scanner.word != "}":
            scanner.expect(";")


def _initial_place(scanner: Scanner) -> Place:
    if scanner.kind == "number" or scanner.word in ("[", "*"):
        return parse_place(scanner)
    while True:  # words of a type, stars, and at last the name
        while scanner.take("*"):
            pass
        if scanner.kind == "number":
            return parse_place(scanner)
        name = scanner.name("a location")
        if name[0] == "P" and name[1:].isdigit() and scanner.take(":"):
            return (int(name[1:]), scanner.name("a register"))
        if scanner.kind not in ("name", "number") and scanner.word != "*":
            if name in TYPE_WORDS:
                scanner.expected("a location")
            return (-1, name)


def _initial_value(scanner: Scanner) -> Value:
    if scanner.take("-"):
        return -scanner.number()
    if scanner.kind == "number":
        return scanner.number()
    if scanner.take("&"):
        return scanner.name("a location")
    if scanner.take("("):  # a cast, or parentheses
        while scanner.word in TYPE_WORDS or scanner.word == "*":
            scanner.next()
        if scanner.take(")"):
            return _initial_value(scanner)
        value = _initial_value(scanner)
        scanner.expect(")")
        return value
    name = scanner.name("a value")
    if name == "NULL":
        return 0
    if name == "ATOMIC_INIT":
        scanner.expect("(")
        value = _initial_value(scanner)
        scanner.expect(")")
        return value
    return name


def _processes(
    scanner: Scanner, initial: dict[str, Value], registers: dict[Place, Value]
) -> list[Process]:
    processes: list[Process] = []
    while True:
        begin = scanner.start
        while scanner.word in ("static", "void"):
            scanner.next()
        found = _PROCESS.match(scanner.word)
        if found is None:
            if scanner.start != begin:
                scanner.expected("a process: P and its number")
            break
        number = int(found.group(1))
        if number != len(processes):
            scanner.fail(f"expected P{len(processes)}, found P{number}: processes are numbered on")
        if number >= _MOST_PROCESSES:
            scanner.fail(f"more than {_MOST_PROCESSES} processes")
        scanner.next()
        parameters = _parameters(scanner)
        for name in parameters:
            initial.setdefault(name, 0)
        scanner.mode(ocaml=False)
        scanner.expect("{")
        body = BodyParser(scanner, parameters).block()
        scanner.mode(ocaml=True)
        own = {place[1]: value for place, value in registers.items() if place[0] == number}
        processes.append(Process(number, parameters, body, own))
    if not processes:
        scanner.expected("a process: P0(…)")
    for place in registers:
        if place[0] >= len(processes):
            scanner.fail(f"a register of process {place[0]}, which there is none of")
    for value in (*initial.values(), *registers.values()):
        if isinstance(value, str):
            initial.setdefault(value, 0)
    return processes


def _parameters(scanner: Scanner) -> tuple[str, ...]:
    scanner.expect("(")
    names: list[str] = []
    while not scanner.take(")"):
        name = ""
        while scanner.word not in (",", ")"):
            if scanner.kind == "name":
                name = scanner.next()
            elif not scanner.take("*"):
                scanner.expected("a parameter")
        if not name:
            scanner.expected("the name of a parameter")
        if name not in TYPE_WORDS:
            names.append(name)
        elif name != "void":
            scanner.expected("the name of a parameter")
        scanner.take(",")
    return tuple(names)


def _locations(scanner: Scanner) -> list[Place]:
    found: list[Place] = []
    while scanner.take("locations"):
        scanner.expect("[")
        while not scanner.take("]"):
            place = parse_place(scanner)
            scanner.take("*")
            if scanner.kind == "name":  # its type comes behind it
                scanner.next()
                scanner.take("*")
            if place not in found:
                found.append(place)
            scanner.take(";")
    return found


def _condition(scanner: Scanner) -> tuple[str, Expression]:
    if scanner.take("~"):
        scanner.expect("exists")
        return "~exists", parse_formula(scanner)
    if scanner.kind == "end":
        return "forall", ("true",)  # none at all: herd7's, too
    if scanner.word == "(":
        return "exists", parse_formula(scanner)
    if scanner.word not in QUANTIFIERS:
        scanner.expected("a condition: exists, ~exists, forall or final")
    quantifier = scanner.next()
    return quantifier, parse_formula(scanner)


def _check_places(test: Litmus, scanner: Scanner) -> None:
    """Refuse a condition on a process that there is none of."""
    formulas = [test.condition] if test.filter is None else [test.condition, test.filter]
    places = [place for formula in formulas for place in places_of(formula)]
    for process, name in (*places, *test.locations):
        if process >= len(test.processes):
            scanner.fail(f"{process}:{name} in the condition: there is no process {process}")
