"""Relations over a few events, as rows of bits: ``r[a] >> b & 1`` says that a is related to b.

Sets of events are ints, too: bit e is event e.
"""

Relation = list[int]


def seq(first: Relation, second: Relation) -> Relation:
    """Return ``first ; second``."""
    out = []
    for row in first:
        reached = 0
        while row:
            last = row.bit_length() - 1
            reached |= second[last]
            row ^= 1 << last
        out.append(reached)
    return out


def union(*relations: Relation) -> Relation:
    """Return what is in any of ``relations``."""
    out = list(relations[0])
    for relation in relations[1:]:
        for event, row in enumerate(relation):
            out[event] |= row
    return out


def restrict(left: int, relation: Relation, right: int) -> Relation:
    """Return ``[left] ; relation ; [right]``."""
    return [row & right if left >> event & 1 else 0 for event, row in enumerate(relation)]


def within(relation: Relation, other: Relation) -> Relation:
    """Return the intersection."""
    return [row & mask for row, mask in zip(relation, other, strict=True)]


def inverse(relation: Relation) -> Relation:
    """Return ``relation`` the other way round."""
    out = [0] * len(relation)
    for event, row in enumerate(relation):
        bit = 1 << event
        while row:
            low = row & -row
            out[low.bit_length() - 1] |= bit
            row ^= low
    return out


def or_same(relation: Relation) -> Relation:
    """Return ``relation?``."""
    return [row | 1 << event for event, row in enumerate(relation)]


def star(relation: Relation) -> Relation:
    """Return the reflexive and transitive closure."""
    return or_same(plus(relation))


def plus(relation: Relation) -> Relation:
    """Return the transitive closure."""
    out = list(relation)
    leading = [event for event, row in enumerate(out) if row]
    for middle in leading:
        bit, through = 1 << middle, out[middle]
        for event in leading:
            if out[event] & bit:
                out[event] |= through
    return out


def is_acyclic(relation: Relation) -> bool:
    """Tell whether no event leads back to itself."""
    left = 0
    for event, row in enumerate(relation):
        if row:
            left |= 1 << event
    while left:
        gone = 0
        rest = left
        while rest:
            low = rest & -rest
            rest ^= low
            if not relation[low.bit_length() - 1] & left:
                gone |= low
        if not gone:
            return False
        left ^= gone
    return True


def is_irreflexive(relation: Relation) -> bool:
    """Tell whether no event is related to itself."""
    return all(not row >> event & 1 for event, row in enumerate(relation))


def is_empty(relation: Relation) -> bool:
    """Tell whether nothing is related."""
    return not any(relation)
