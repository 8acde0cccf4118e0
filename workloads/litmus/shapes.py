"""The classic shapes of memory ordering, in every variant one asks for by name.

``MP+wmb+rmb`` is the shape MP with smp_wmb() between the two accesses of its first process and
smp_rmb() between those of its second. What may stand there: ``o`` nothing; ``mb``, ``rmb``,
``wmb``; ``rel``, the second access is a release; ``acq``, the first is an acquire; ``data``,
``addr``, ``ctrl``, a dependency of the second on the first. A process with one access has ``o``.

Source: Alglave, Maranget, Tautschnig, "Herding cats", TOPLAS 2014, table 3; the kernel's
tools/memory-model/Documentation/recipes.txt.
"""

from typing import Final

from workloads.litmus.condition import Place
from workloads.litmus.test import Value

# an access: R or W, location, what is written, or what the register must hold for the outcome
Access = tuple[str, str, int]

LINKS: Final = ("o", "mb", "rmb", "wmb", "rel", "acq", "data", "addr", "ctrl")


class Shape:
    """The processes' accesses, and the locations' last values in the outcome it is about."""

    __slots__ = ("final", "processes")

    def __init__(self, text: str, final: str = "") -> None:
        self.processes: list[list[Access]] = [
            [(word[0], word[1], int(word[2:])) for word in process.split()]
            for process in text.split("|")
        ]
        self.final: dict[str, int] = {word[0]: int(word[1:]) for word in final.split()}


# Rx1: x is read and 1 found; Wx1: 1 is written to x. A final x2: x is 2 at the end.
SHAPES: Final[dict[str, Shape]] = {
    "SB": Shape("Wx1 Ry0 | Wy1 Rx0"),
    "MP": Shape("Wx1 Wy1 | Ry1 Rx0"),
    "LB": Shape("Rx1 Wy1 | Ry1 Wx1"),
    "S": Shape("Wx2 Wy1 | Ry1 Wx1", "x2"),
    "R": Shape("Wx1 Wy1 | Wy2 Rx0", "y2"),
    "2+2W": Shape("Wx1 Wy2 | Wy1 Wx2", "x1 y1"),
    "WRC": Shape("Wx1 | Rx1 Wy1 | Ry1 Rx0"),
    "RWC": Shape("Wx1 | Rx1 Ry0 | Wy1 Rx0"),
    "WWC": Shape("Wx2 | Rx2 Wy1 | Ry1 Wx1", "x2"),
    "ISA2": Shape("Wx1 Wy1 | Ry1 Wz1 | Rz1 Rx0"),
    "W+RWC": Shape("Wx1 Wy1 | Ry1 Rz0 | Wz1 Rx0"),
    "Z6.0": Shape("Wx1 Wy1 | Ry1 Wz1 | Wz2 Rx0", "z2"),
    "Z6.2": Shape("Wx2 Wy1 | Ry1 Wz1 | Rz1 Wx1", "x2"),
    "Z6.3": Shape("Wx1 Wy1 | Wy2 Wz1 | Rz1 Rx0", "y2"),
    "3.2W": Shape("Wx1 Wy2 | Wy1 Wz2 | Wz1 Wx2", "x1 y1 z1"),
    "IRIW": Shape("Wx1 | Rx1 Ry0 | Wy1 | Ry1 Rx0"),
    "CoRR": Shape("Wx1 | Rx1 Rx0"),
    "CoWW": Shape("Wx1 Wx2", "x1"),
    "CoRW": Shape("Rx2 Wx1 | Wx2", "x2"),
    "CoWR": Shape("Wx1 Rx2 | Wx2", "x1"),
}

# The variants that are made when none is named: for each shape those that tell models apart.
_VARIANTS: Final[dict[str, str]] = {
    "SB": "o+o mb+o mb+mb wmb+wmb",
    "MP": "o+o wmb+o o+rmb wmb+rmb wmb+addr wmb+ctrl rel+acq mb+mb",
    "LB": "o+o o+data data+data ctrl+ctrl rel+acq rel+o acq+acq mb+mb mb+ctrl",
    "S": "o+o wmb+o wmb+acq wmb+data wmb+ctrl rel+acq mb+mb",
    "R": "o+o wmb+o wmb+mb rel+mb mb+mb",
    "2+2W": "o+o wmb+o wmb+wmb rel+rel mb+mb",
    "WRC": "o+o+o o+data+rmb o+ctrl+rmb o+rel+rmb o+rel+acq o+acq+acq o+mb+rmb o+mb+mb",
    "RWC": "o+o+o o+acq+mb o+addr+mb o+rmb+mb o+mb+mb",
    "WWC": "o+o+o o+data+addr o+rel+addr o+mb+addr",
    "ISA2": "o+o+o rel+o+acq rel+acq+acq wmb+data+addr rel+data+addr rel+rel+acq mb+mb+mb",
    "W+RWC": "o+o+o rel+acq+mb wmb+rmb+mb mb+acq+mb mb+mb+mb",
    "Z6.0": "o+o+o rel+acq+mb rel+data+mb mb+acq+mb mb+mb+mb",
    "Z6.2": "o+o+o rel+acq+acq wmb+data+addr rel+rel+acq mb+mb+mb",
    "Z6.3": "o+o+o wmb+wmb+acq rel+rel+acq wmb+mb+acq mb+mb+mb",
    "3.2W": "o+o+o wmb+wmb+wmb rel+rel+rel mb+mb+mb",
    "IRIW": "o+o+o+o o+addr+o+addr o+rmb+o+rmb o+acq+o+acq o+mb+o+rmb o+mb+o+mb",
    "CoRR": "o+o",
    "CoWW": "o",
    "CoRW": "o+o",
    "CoWR": "o+o",
}


def variant_names() -> list[str]:
    """Return the names of the variants that are made when none is named."""
    return [f"{shape}+{links}" for shape, each in _VARIANTS.items() for links in each.split()]


def make_shape(name: str) -> str:
    """Return the litmus test ``name``.

    Raises: ValueError, with what is wrong with the name.
    """
    shape_name = max((each for each in SHAPES if name.startswith(each + "+")), key=len, default="")
    if not shape_name:
        raise ValueError(
            f"expected a shape ({', '.join(SHAPES)}) and what stands between its accesses, such as "
            f"MP+wmb+rmb; found {name!r}"
        )
    shape = SHAPES[shape_name]
    links = name[len(shape_name) + 1 :].split("+")
    if len(links) != len(shape.processes):
        raise ValueError(
            f"{name}: {shape_name} has {len(shape.processes)} processes, so expected that many "
            f"links, found {len(links)}"
        )
    bodies: list[str] = []
    wanted: dict[Place, Value] = {}
    for number, (accesses, link) in enumerate(zip(shape.processes, links, strict=True)):
        bodies.append(_process(name, number, accesses, link, wanted))
    wanted.update({(-1, location): value for location, value in shape.final.items()})
    outcome = " /\\ ".join(
        f"{process}:{place}={value}" if process >= 0 else f"{place}={value}"
        for (process, place), value in wanted.items()
    )
    return f"C {name}\n\n{{}}\n\n" + "\n".join(bodies) + f"\nexists ({outcome})\n"


def _process(
    name: str, number: int, accesses: list[Access], link: str, wanted: dict[Place, Value]
) -> str:
    if link not in LINKS:
        raise ValueError(f"{name}: expected one of {', '.join(LINKS)}, found {link!r}")
    if len(accesses) == 1:
        if link != "o":
            raise ValueError(f"{name}: P{number} has one access, so expected o, found {link!r}")
    elif not _fits(link, accesses):
        kinds = f"{accesses[0][0]} and {accesses[1][0]}"
        raise ValueError(f"{name}: {link!r} cannot stand between P{number}'s accesses, {kinds}")
    lines: list[str] = []
    read = ""
    for place, (kind, location, value) in enumerate(accesses):
        second = place == 1
        if kind == "R":
            register = f"r{place}"
            wanted[(number, register)] = value
            address = f"({location} + ({read} ^ {read}))" if second and link == "addr" else location
            if link == "acq" and not second:
                line = f"int {register} = smp_load_acquire({location});"
            else:
                line = f"int {register} = READ_ONCE(*{address});"
            if not second:
                read = register
        else:
            what = f"({read} ^ {read}) + {value}" if second and link == "data" else str(value)
            address = f"({location} + ({read} ^ {read}))" if second and link == "addr" else location
            if link == "rel" and second:
                line = f"smp_store_release({location}, {value});"
            else:
                line = f"WRITE_ONCE(*{address}, {what});"
        if second and link == "ctrl":
            if kind == "R":
                lines.insert(0, f"int r{place} = 0;")
                line = line.removeprefix("int ")
            lines.append(f"if ({read} == {accesses[0][2]})")
            line = "\t" + line
        elif second and link in ("mb", "rmb", "wmb"):
            lines.append(f"smp_{link}();")
        lines.append(line)
    locations = dict.fromkeys(location for _, location, _ in accesses)
    parameters = ", ".join(f"int *{location}" for location in locations)
    return f"P{number}({parameters})\n{{\n" + "".join(f"\t{each}\n" for each in lines) + "}\n"


def _fits(link: str, accesses: list[Access]) -> bool:
    first, second = accesses[0][0], accesses[1][0]
    if link in ("acq", "ctrl", "addr"):
        return first == "R"
    if link == "data":
        return first == "R" and second == "W"
    return link != "rel" or second == "W"
