"""What of a configuration can still be looked at when some of its values are wrong.

``Sound`` takes wrong values out, so that defaults stand in their place, until the rest fits the
model. Checks between keys, and of programs, then say what else is wrong at once; they ask
``is_sound`` about the keys they look at, for a default says nothing about what was meant.
"""

from copy import deepcopy
from typing import Any, Final

from cluster.config.errors import KeyPath

_GONE: Final = object()
# what stands for workloads if none is left: a program that takes nothing and refuses nothing
_SOME_WORKLOADS: Final = [{"program": "cow_touch"}]


class Sound:
    """The values of a configuration without the wrong ones.

    ``bad`` holds the paths of what is left out, as in the file.
    """

    def __init__(self, data: Any) -> None:
        self._tree = data
        self._copied = False
        self.bad: set[KeyPath] = set()
        self._kept: dict[KeyPath, list[int]] = {}  # list -> where its items are in the file

    def data(self) -> Any:
        """Return what is left, lists closed up."""
        self._kept = {}
        return self._close_up(self._tree, ()) if self.bad else self._tree

    def written(self, path: KeyPath) -> KeyPath:
        """Return where in the file the value is that ``data`` has at ``path``."""
        if not self._kept:
            return path
        for length, part in enumerate(path):
            kept = self._kept.get(path[:length])
            if kept is not None and isinstance(part, int) and part < len(kept):
                path = (*path[:length], kept[part], *path[length + 1 :])
        return path

    def is_sound(self, path: KeyPath) -> bool:
        """Tell whether all is left that the file has at ``path``, which is one of the file's."""
        return not any(
            bad[: len(path)] == path or path[: len(bad)] == bad for bad in self.bad if bad
        )

    def take_out(self, path: KeyPath) -> bool:
        """Leave out the value at ``path``, or what lacks it; return whether that changes a thing.

        The path is one of the file's.
        """
        if not self._copied:
            self._tree, self._copied = deepcopy(self._tree), True
        holders = [self._tree]
        for part in path[:-1]:
            try:
                holders.append(holders[-1][part])
            except (KeyError, IndexError, TypeError):
                break
        while holders and path:
            path = path[: len(holders)]
            holder, part = holders.pop(), path[-1]
            if isinstance(holder, dict) and part in holder:
                del holder[part]
            elif isinstance(holder, list) and isinstance(part, int) and part < len(holder):
                if holder[part] is _GONE:
                    return False
                holder[part] = _GONE
            else:
                path = path[:-1]  # it lacks a key: out with it
                continue
            self.bad.add(path)
            if path == ("workloads",):
                holder["workloads"] = deepcopy(_SOME_WORKLOADS)
            return True
        if isinstance(self._tree, dict) and "workloads" not in self._tree:
            self._tree["workloads"] = deepcopy(_SOME_WORKLOADS)
            self.bad.add(("workloads",))
            return True
        return False

    def _close_up(self, value: Any, path: KeyPath) -> Any:
        """Return ``value``, which the file has at ``path``, without what is left out."""
        if isinstance(value, dict):
            return {key: self._close_up(item, (*path, key)) for key, item in value.items()}
        if not isinstance(value, list):
            return value
        kept = [place for place, item in enumerate(value) if item is not _GONE]
        if len(kept) < len(value):
            self._kept[path] = kept
        return [self._close_up(value[place], (*path, place)) for place in kept]
