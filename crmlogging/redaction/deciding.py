"""Deciding: what is shown of records with the same names, as far as names tell.

Each rule of the `walk` stands here once more, applied to names instead of values: what depends
on more than a value by itself leaves the record undecided, and it goes the long way.
"""

from __future__ import annotations

from collections.abc import Container
from functools import partial
from typing import Any, Final, NamedTuple

from crmlogging.redaction import masks
from crmlogging.redaction.allowlist import Allowlist, is_clean_name, is_wild_name
from crmlogging.redaction.fitting import REDACTED, Fitting, fitting_by
from crmlogging.redaction.masks import HmacKey
from crmlogging.redaction.patterns import Node, line_name
from crmlogging.redaction.picking import Picking
from crmlogging.redaction.walk import (
    CHARACTERS_MAXIMUM,
    DEPTH_MAXIMUM,
    KEYS,
    PASSED_OVER,
    SCALARS,
)

__all__ = ["NAMES_MAXIMUM", "Decision", "Place", "UndecidedError", "place_of"]

NAMES_MAXIMUM: Final = 1_000
"""Names of a record, those in its mappings among them; no limit of the walk is met below."""

_LONGEST: Final = {"text": 2_001, "path": 2_001}
_LONGEST_WORD: Final = 128


class UndecidedError(Exception):
    """What is shown of an attribute depends on more than its own value."""


class Place(NamedTuple):
    """Where a value goes, and what judges it."""

    line: str
    fitting: Fitting


class Decision:
    """What is shown of records with the names of one of them.

    Args:
        allowlist: that decides.
        constants: strings that the calling code holds; such keys may be named.
        base: facts of the record; what is withheld is written to it, None for what differs.

    Attributes:
        places: of the values that differ, in the order in which they are picked.

    Raises:
        UndecidedError: by its methods.
    """

    def __init__(
        self, allowlist: Allowlist, constants: Container[str], base: dict[str, Any]
    ) -> None:
        self._allowlist = allowlist
        self._constants = constants
        self._base = base
        self._characters = CHARACTERS_MAXIMUM
        self._names = NAMES_MAXIMUM
        self.places: list[Place] = []

    def attributes(self, attributes: dict[str, Any]) -> dict[str, Picking | None]:
        """Decide on a record's attributes; return which of them have values to pick."""
        self._count(len(attributes))
        picked: dict[str, Picking | None] = {}
        unnamed = 0
        for key, value in attributes.items():
            if key == "audit":
                raise UndecidedError
            if key in PASSED_OVER:
                continue
            place = self._allowlist.at(key)
            if place is not None and type(value) is dict and _is_open(place.node):
                if place.wild and place.node.field is None:
                    raise UndecidedError  # it may be named in vain
                picked[key] = self._mapping(place.node, place.line, place.line, value, 0)
                continue
            line, decided = place_of(self._allowlist, key)
            if not line:
                bare = key.removeprefix("extra.")
                if not self._may_name(bare):
                    unnamed += 1
                    continue
                line = line_name(key)
            if decided is None:
                self._withhold(line)
                continue
            if type(value) not in SCALARS:
                raise UndecidedError
            if place is not None and place.wild:
                self._spend(place.node)
            picked[key] = None
            self._show(line, decided)
        if unnamed and not self._allowlist.drop:
            self._base[KEYS] = unnamed
        return picked

    def _mapping(
        self, node: Node, name: str, line: str, mapping: dict[Any, Any], depth: int
    ) -> Picking:
        """Decide on a mapping below an allowed name, as `Walk` does on its entries."""
        entries = list(mapping.items())  # at once: another thread may change it meanwhile
        self._count(len(entries))
        if depth >= DEPTH_MAXIMUM or any(type(key) is not str for key, _ in entries):
            raise UndecidedError
        picked: dict[str, Picking | None] = {}
        unnamed, before = 0, len(self._base)
        for key, value in entries:
            child = None if "." in key else self._child(node, key)
            path, entry = f"{name}.{key}", line_name(f"{line}.{key}")
            if child is None:
                if "." not in key and self._may_name(key):
                    self._withhold(entry)
                else:
                    unnamed += 1
            elif not child.live:
                self._withhold(entry)
            elif type(value) is dict and _is_open(child):
                picked[key] = self._mapping(child, path, entry, value, depth + 1)
            elif type(value) in SCALARS:
                picked[key] = None
                self._show(entry, Place(entry, self._fitting(child, path)))
            else:
                raise UndecidedError  # a list, or something foreign
        if not self._allowlist.drop and unnamed:
            self._base[line_name(f"{line}.{KEYS}")] = unnamed
        if len(self._base) == before:
            raise UndecidedError  # it is shown as an empty one
        return Picking(tuple(key for key, _ in entries), picked)

    def _child(self, node: Node, key: str) -> Node | None:
        child = node.children.get(key)
        if child is not None or node.other is None or not is_wild_name(key):
            return child
        if node.other.field is None and node.other.mask is None:
            raise UndecidedError  # it may be named in vain
        return node.other

    def _fitting(self, node: Node, name: str) -> Fitting:
        if node.mask is not None or node.fitting is None:
            return _unshaped(self._allowlist, node, name)
        self._spend(node)
        return node.fitting

    def _spend(self, node: Node) -> None:
        if node.field is not None and node.mask is None:
            self._characters -= _LONGEST.get(node.field.shape, _LONGEST_WORD)
        if self._characters < 0:
            raise UndecidedError  # a record's bound on characters may cut it

    def _count(self, names: int) -> None:
        self._names -= names
        if self._names < 0:
            raise UndecidedError

    def _may_name(self, key: str) -> bool:
        return key in self._constants and is_clean_name(key)

    def _show(self, line: str, place: Place) -> None:
        if line in self._base:
            raise UndecidedError
        self._base[line] = None
        self.places.append(place)

    def _withhold(self, line: str) -> None:
        if line in self._base:
            raise UndecidedError
        if not self._allowlist.drop:
            self._base[line] = REDACTED


def place_of(allowlist: Allowlist, key: str) -> tuple[str, Place | None]:
    """Return the line's name for `key` and what judges its value; no name where unknown.

    Raises:
        UndecidedError: the value's kind decides as well.
    """
    place = allowlist.at(key)
    if place is None:
        return "", None
    line, node = place.line, place.node
    if node.mask is None and node.fitting is not None:
        if place.wild and node.field is not None and node.field.shape == "text":
            raise UndecidedError  # a record's bound on characters may cut it
        return line, Place(line, node.fitting)
    if node.mask is not None or node.live:
        return line, Place(line, _unshaped(allowlist, node, line))
    return ("" if place.wild else line), None


def _is_open(node: Node) -> bool:
    """Tell whether a mapping at `node` is looked into."""
    return node.live and node.mask is None


def _unshaped(allowlist: Allowlist, node: Node, name: str) -> Fitting:
    if node.mask is None or node.mask == "seal":
        raise UndecidedError  # a container of allowed fields; what awaits sealing is no JSON yet
    # A key may be changed while the program runs.
    steadily = node.mask == "last4"
    return fitting_by(partial(_masked, node.mask, name, allowlist.hmac_key), steadily=steadily)


def _masked(mask: str, name: str, key: HmacKey | None, value: object) -> object:
    return masks.masked(mask, name, value, key)
