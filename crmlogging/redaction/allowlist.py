"""The compiled allowlist, as a record's own attributes see it: by dotted name."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from crmlogging.redaction.masks import HmacKey
from crmlogging.redaction.patterns import RESERVED, Node, line_name
from crmlogging.scrubbing import is_secret

__all__ = ["Allowlist", "Place", "is_wild_name"]

_WILD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_NAME_CHARACTERS: Final = 1_024


class Place(NamedTuple):
    """Where a dotted name leads.

    Attributes:
        node: what holds there.
        line: the field's name in the line.
        wild: a wildcard stands for a part of the name, so nobody wrote it down.
    """

    node: Node
    line: str
    wild: bool = False


class Allowlist:
    """The graph of `patterns`, and what is done with what it does not let out.

    Attributes:
        root: the graph.
        drop: leave out what is withheld, rather than show a placeholder.
        hmac_key: see `masks.masked`.
    """

    def __init__(self, root: Node, *, drop: bool, hmac_key: HmacKey | None) -> None:
        self.root, self.drop, self.hmac_key = root, drop, hmac_key
        self._names: dict[str, Place] = {}
        self._collect(root, "")
        for name in RESERVED:
            if f"extra.{name}" in self._names:
                self._names[name] = self._names[f"extra.{name}"]

    def _collect(self, node: Node, prefix: str) -> None:
        for name, child in node.children.items():
            path = f"{prefix}{name}"
            self._names[path] = Place(child, line_name(path))
            self._collect(child, f"{path}.")

    def at(self, name: str) -> Place | None:
        """Return where a caller's dotted `name` leads, or None if it is unknown."""
        known = self._names.get(name)
        return known if known is not None else self._at(line_name(name))

    def _at(self, name: str) -> Place | None:
        known = self._names.get(name)
        if known is not None or len(name) > _NAME_CHARACTERS:
            return known
        node: Node | None = self.root
        for part in name.split("."):
            if node is None:
                return None
            further = node.children.get(part)
            node = node.other if further is None and is_wild_name(part) else further
        return None if node is None else Place(node, line_name(name), wild=True)


def is_wild_name(key: str) -> bool:
    """Tell whether a key that a wildcard stands for reads as a name, and not as data."""
    return _WILD_NAME.fullmatch(key) is not None and not is_secret(key)
