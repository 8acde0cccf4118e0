"""What models allow the outcome of each classic shape.

A letter each for SC, TSO, PSO, ARMv8 and the kernel's model: A the outcome is allowed, - it is not.
Herding cats (TOPLAS 2014) has the figures for hardware; the kernel's are herd7's.
"""

from typing import Final

MODELS: Final = ("sc", "tso", "pso", "arm", "lkmm")

_TABLE: Final = """
SB o+o -AAAA | SB mb+o -AAAA | SB mb+mb ----- | SB wmb+wmb -AAAA
MP o+o --AAA | MP wmb+o ---AA | MP o+rmb --AAA | MP wmb+rmb ----- | MP wmb+addr -----
MP wmb+ctrl ---AA | MP rel+acq ----- | MP mb+mb -----
LB o+o ---AA | LB o+data ---AA | LB data+data ----- | LB ctrl+ctrl ----- | LB rel+acq -----
LB rel+o ---AA | LB acq+acq ----- | LB mb+mb ----- | LB mb+ctrl -----
S o+o --AAA | S wmb+o ---AA | S wmb+acq ----- | S wmb+data ----- | S wmb+ctrl -----
S rel+acq ----- | S mb+mb -----
R o+o -AAAA | R wmb+o -AAAA | R wmb+mb ----A | R rel+mb ----A | R mb+mb -----
2+2W o+o --AAA | 2+2W wmb+o --AAA | 2+2W wmb+wmb ----A | 2+2W rel+rel ----A | 2+2W mb+mb -----
WRC o+o+o ---AA | WRC o+data+rmb ----A | WRC o+ctrl+rmb ----A | WRC o+rel+rmb -----
WRC o+rel+acq ----- | WRC o+acq+acq ----A | WRC o+mb+rmb ----- | WRC o+mb+mb -----
RWC o+o+o -AAAA | RWC o+acq+mb ----A | RWC o+addr+mb ----A | RWC o+rmb+mb ----A | RWC o+mb+mb -----
WWC o+o+o ---AA | WWC o+data+addr ----A | WWC o+rel+addr ----- | WWC o+mb+addr -----
ISA2 o+o+o --AAA | ISA2 rel+o+acq ---AA | ISA2 rel+acq+acq ----A | ISA2 wmb+data+addr ----A
ISA2 rel+data+addr ----A | ISA2 rel+rel+acq ----- | ISA2 mb+mb+mb -----
W+RWC o+o+o -AAAA | W+RWC rel+acq+mb ----A | W+RWC wmb+rmb+mb ----A | W+RWC mb+acq+mb -----
W+RWC mb+mb+mb -----
Z6.0 o+o+o -AAAA | Z6.0 rel+acq+mb ----A | Z6.0 rel+data+mb ----A | Z6.0 mb+acq+mb -----
Z6.0 mb+mb+mb -----
Z6.2 o+o+o --AAA | Z6.2 rel+acq+acq ----A | Z6.2 wmb+data+addr ----A | Z6.2 rel+rel+acq -----
Z6.2 mb+mb+mb -----
Z6.3 o+o+o --AAA | Z6.3 wmb+wmb+acq ----A | Z6.3 rel+rel+acq ----A | Z6.3 wmb+mb+acq ----A
Z6.3 mb+mb+mb -----
3.2W o+o+o --AAA | 3.2W wmb+wmb+wmb ----A | 3.2W rel+rel+rel ----A | 3.2W mb+mb+mb -----
IRIW o+o+o+o ---AA | IRIW o+addr+o+addr ----A | IRIW o+rmb+o+rmb ----A | IRIW o+acq+o+acq ----A
IRIW o+mb+o+rmb ----A | IRIW o+mb+o+mb -----
CoRR o+o ----- | CoWW o ----- | CoRW o+o ----- | CoWR o+o -----
"""


def verdicts() -> dict[str, str]:
    """Return name -> letters, in the order of MODELS."""
    found = {}
    for cell in _TABLE.replace("\n", "|").split("|"):
        if cell.strip():
            shape, links, letters = cell.split()
            found[f"{shape}+{links}"] = letters
    return found
