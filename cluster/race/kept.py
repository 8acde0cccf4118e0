"""The state of an exploration as plain lists and dictionaries, and back: checkpoints."""

import json
from binascii import crc32
from typing import Any, Final

from cluster.race.dpor import Node, Touched
from cluster.race.subtrees import Part, Tree

FORMAT: Final = 5


class BadCheckpoint(Exception):
    """A checkpoint is damaged, or of something else; the message is one line."""


def checkpoint_text(checkpoint: dict[str, Any]) -> str:
    """Return a checkpoint as the contents of a file."""
    return json.dumps({**checkpoint, "crc32": _sum(checkpoint)}, separators=(",", ":")) + "\n"


def _sum(checkpoint: dict[str, Any]) -> int:
    return crc32(json.dumps(checkpoint, sort_keys=True).encode())


def read_checkpoint(text: str) -> dict[str, Any]:
    """Return the checkpoint in a file.

    Raises:
        BadCheckpoint: it is none.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadCheckpoint(f"the checkpoint is no JSON: {error}") from None
    if not isinstance(found, dict) or found.get("kind") != "prove":
        raise BadCheckpoint("the file is no checkpoint of a proof")
    if found.get("format") != FORMAT:
        raise BadCheckpoint(
            f"the checkpoint has format {found.get('format')}, and this is {FORMAT}"
        )
    if found.pop("crc32", None) != _sum(found):
        raise BadCheckpoint("the checkpoint is damaged: its checksum is wrong")
    return found


def packed(tree: Tree) -> dict[str, Any]:
    """Return a tree as it can be written; each field that steps touch is named once."""
    numbers: dict[Any, int] = {}

    def put(touched: Touched) -> list[int]:
        flat: list[int] = []
        for key, mode in touched.items():
            flat += (numbers.setdefault(key, len(numbers)), mode)
        return flat

    def all_of(by_actor: dict[int, Touched]) -> list[Any]:
        return [[actor, put(touched)] for actor, touched in by_actor.items()]

    def node(one: Node) -> list[Any]:
        return [
            list(one.enabled), one.chosen, put(one.touched), list(one.branches),
            all_of(one.done), all_of(one.sleep),
        ]  # fmt: skip

    parts = [
        [
            [node(one) for one in part.nodes], part.base, part.begun, part.ended, part.left,
            [[depth, list(initials)] for depth, initials in part.wishes],
        ]
        for part in tree.parts
    ]  # fmt: skip
    return {
        "parts": parts,
        "shared": [[list(way), node(one)] for way, one in tree.shared.items()],
        "opening": [[list(way), actor] for way, actor in tree.opening.items()],
        "waiting": [list(way) for way in tree.waiting],
        "unexplained": tree.unexplained,
        "keys": [[label, name] for label, name in numbers],
    }


def unpacked(kept: dict[str, Any]) -> Tree:
    """Return the tree that ``packed`` has written.

    Raises:
        BadCheckpoint: this is none.
    """
    try:
        keys = [(_label(label), str(name)) for label, name in kept["keys"]]

        def get(flat: list[int]) -> Touched:
            return {keys[flat[at]]: flat[at + 1] for at in range(0, len(flat), 2)}

        def all_of(pairs: list[Any]) -> dict[int, Touched]:
            return {int(actor): get(flat) for actor, flat in pairs}

        def node(one: list[Any]) -> Node:
            enabled, chosen, touched, branches, done, sleep = one
            return Node(
                tuple(enabled), all_of(sleep), chosen, get(touched), list(branches), all_of(done)
            )

        tree = Tree()
        tree.parts = [
            Part(
                [node(one) for one in nodes],
                int(base),
                bool(begun),
                bool(ended),
                int(left),
                [(int(depth), list(initials)) for depth, initials in wishes],
            )
            for nodes, base, begun, ended, left, wishes in kept["parts"]
        ]
        tree.shared = {tuple(way): node(one) for way, one in kept["shared"]}
        tree.opening = {tuple(way): int(actor) for way, actor in kept["opening"]}
        tree.waiting = {tuple(way): None for way in kept["waiting"]}
        tree.unexplained = int(kept["unexplained"])
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise BadCheckpoint(f"the checkpoint is damaged: {error!r}") from None
    return tree


def _label(label: Any) -> Any:
    """Return a label as it was before JSON: lists were tuples."""
    return tuple(map(_label, label)) if isinstance(label, list) else label
