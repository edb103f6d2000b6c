"""The compiled allowlist, as a record's own attributes see it: by dotted name."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from crmlogging.redaction.masks import HmacKey
from crmlogging.redaction.patterns import RESERVED, Node, line_name
from crmlogging.scrubbing import is_secret, prepare, scrub

__all__ = ["Allowlist", "Place", "is_clean_name", "is_wild_name"]

_WILD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_NAME_CHARACTERS: Final = 1_024
_KEY_CHARACTERS: Final = 128
_NAMES_KEPT: Final = 4_096


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
        names: each name without wildcards that the graph knows, to where it leads.
        unknown: names met that lead nowhere and are fit to be written, to their name in the line.
        drop: leave out what is withheld, rather than show a placeholder.
        hmac_key: see `masks.masked`.
    """

    def __init__(self, root: Node, *, drop: bool, hmac_key: HmacKey | None) -> None:
        prepare()
        self.root, self.drop, self.hmac_key = root, drop, hmac_key
        self.names: dict[str, Place] = {}
        self.unknown: dict[str, str] = {}
        self._collect(root, "")
        for name in RESERVED:
            # A caller's field of a reserved name has a place of its own, or none.
            meant = self.names.get(f"extra.{name}")
            if meant is not None:
                self.names[name] = meant
            else:
                self.names.pop(name, None)

    def _collect(self, node: Node, prefix: str) -> None:
        for name, child in node.children.items():
            path = f"{prefix}{name}"
            self.names[path] = Place(child, line_name(path))
            self._collect(child, f"{path}.")

    def remember_unknown(self, name: str) -> None:
        """Remember that `name`, fit to be written, leads nowhere; within bounds."""
        if len(self.unknown) >= _NAMES_KEPT:
            self.unknown.clear()
        self.unknown[name] = line_name(name)

    def at(self, name: str) -> Place | None:
        """Return where a caller's dotted `name` leads, or None if it is unknown."""
        known = self.names.get(name)
        if known is not None:
            return known
        root = self.root
        if root.other is None and name.partition(".")[0] not in root.children:
            return None
        return self._follow(name) if len(name) <= _NAME_CHARACTERS else None

    def _follow(self, name: str) -> Place | None:
        node: Node | None = self.root
        for part in name.split("."):
            if node is None:
                return None
            further = node.children.get(part)
            if further is None and node.other is not None and is_wild_name(part):
                further = node.other
            node = further
        return None if node is None else Place(node, line_name(name), wild=True)


def is_wild_name(key: str) -> bool:
    """Tell whether a key that a wildcard stands for reads as a name, and not as data."""
    return _WILD_NAME.fullmatch(key) is not None and not is_secret(key)


_clean_names: set[str] = set()


def is_clean_name(key: str) -> bool:
    """Tell whether a literal of the source may stand as a name, and remember it if so."""
    if key in _clean_names:
        return True
    clean = (
        0 < len(key) <= _KEY_CHARACTERS
        and key[0] != "["
        and key.isprintable()
        and not is_secret(key)
        and scrub(key) == key
    )
    if clean:
        if len(_clean_names) >= _NAMES_KEPT:
            _clean_names.clear()
        _clean_names.add(key)
    return clean
