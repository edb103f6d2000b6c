"""The walk of one record's values along the allowlist's graph.

Keys: a name is written only if the graph knows it or the calling code holds it as a constant;
the rest of a mapping is one count under ``[KEYS]``. Mappings become flat dotted names, lists stay
lists.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from typing import Any, Final

from crmlogging.records import STANDARD_ATTRIBUTES
from crmlogging.fields import FIELDS, MISFIT
from crmlogging.redaction import masks
from crmlogging.redaction.fitting import CIRCULAR, REDACTED, TRUNCATED, fitted
from crmlogging.redaction.masks import HmacKey
from crmlogging.redaction.patterns import Node, line_name
from crmlogging.redaction.values import Lazy, Members, Pairs, unfold
from crmlogging.scrubbing import is_secret, scrub

__all__ = ["KEYS", "Allowlist", "Walk"]

KEYS: Final = "[KEYS]"
"""Name of the count of keys that may not be named."""

DEPTH_MAXIMUM: Final = 16
WIDTH_MAXIMUM: Final = 1_000
VALUES_MAXIMUM: Final = 5_000
CHARACTERS_MAXIMUM: Final = 100_000

_AUDIT: Final = "audit"
_DROPPED: Final[Any] = object()
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_WILD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_KEY_CHARACTERS: Final = 128
# What our own stages wrote on a safe record, out of facts or of fields allowed before.
_OWN_FIELDS: Final = frozenset(
    field.name
    for field in FIELDS
    if field.writer in ("allowlist", "levels", "grouping") and field.name != "error.suppressed_ids"
)


class Allowlist:
    """The compiled graph, and what a record's own attributes lead to in it.

    Attributes:
        root: the graph.
        names: each full name without wildcards, to its node and its name in the line.
    """

    def __init__(self, root: Node, *, drop: bool, hmac_key: HmacKey | None) -> None:
        self.root, self.drop, self.hmac_key = root, drop, hmac_key
        self.names: dict[str, tuple[Node, str]] = {}
        self._collect(root, "", 0)

    def _collect(self, node: Node, prefix: str, depth: int) -> None:
        for name, child in node.children.items():
            path = f"{prefix}{name}"
            self.names[path] = (child, line_name(path))
            self._collect(child, f"{path}.", depth + 1)

    def at(self, name: str) -> tuple[Node, str] | None:
        """Return node and line's name for a dotted `name` of ``extra``; None if unknown."""
        known = self.names.get(line_name(name))
        if known is not None:
            return known
        node: Node | None = self.root
        for part in name.split("."):
            if node is None:
                return None
            node = node.children.get(part) or (node.other if is_wild_name(part) else None)
        return None if node is None else (node, line_name(name))


def is_wild_name(key: str) -> bool:
    """Tell whether a key that a wildcard stands for reads as a name, and not as data."""
    return _WILD_NAME.fullmatch(key) is not None and not is_secret(key)


class Walk:
    """One record's way through the allowlist.

    Args:
        allowlist: compiled.
        constants: strings that the calling code holds; such keys may be named.

    Attributes:
        fields: dotted names to plain JSON values, the outcome.
    """

    __slots__ = ("_active", "_allowlist", "_characters", "_constants", "_left", "fields")

    def __init__(self, allowlist: Allowlist, constants: Container[str]) -> None:
        self._allowlist = allowlist
        self._constants = constants
        self._left = VALUES_MAXIMUM
        self._characters = CHARACTERS_MAXIMUM
        self._active: set[int] = set()
        self.fields: dict[str, Any] = {}

    def attributes(self, attributes: Mapping[str, object]) -> None:
        """Take in what a record carries beside the standard attributes."""
        unnamed = 0
        for key, value in list(attributes.items()):
            if type(key) is not str:
                unnamed += 1
            elif key in STANDARD_ATTRIBUTES or key == "record.id":
                continue
            elif key == _AUDIT and value is True:
                self.fields[_AUDIT] = True
            elif not self._field(key, value):
                unnamed += 1
        if unnamed and not self._allowlist.drop:
            self.fields[KEYS] = unnamed

    def arguments(self, arguments: Iterable[tuple[str, object]], exact: bool) -> None:
        """Take in a message's arguments; fields of the same name win.

        Args:
            arguments: pairs of name and value.
            exact: False where the values were taken back out of a rendered text: then only a
                name allowed in full, of a strict shape, shows its value.
        """
        for name, value in arguments:
            at = self._allowlist.at(name)
            line = at[1] if at else line_name(name)
            if line in self.fields:
                continue
            node = at[0] if at else None
            shown = node is not None and (
                exact or (node.exact and node.field is not None and node.field.shape != "text")
            )
            if shown and type(value) not in _SCALARS:
                value = unfold(value, 0)
                shown = type(value) in _SCALARS
            if shown and node is not None:
                self._put(line, self._value(node, line, value, 0), nested=False)
            else:
                self._put(line, self._withheld(), nested=False)

    def again(self, attributes: Mapping[str, Any]) -> None:
        """Take in the attributes of a `SafeRecord`, whose names passed an allowlist before."""
        for name, value in attributes.items():
            if name in STANDARD_ATTRIBUTES:
                continue
            if name in _OWN_FIELDS or name == _AUDIT or name == KEYS or name.endswith("." + KEYS):
                self.fields[name] = value
                continue
            at = self._allowlist.at(name)
            if at is None:
                self._put(name, self._withheld(), nested=False)
            elif at[0].mask is not None and masks.is_masked(value):
                self.fields[name] = value
            else:
                self._put(name, self._value(at[0], name, value, 0), nested=False)

    def _field(self, key: str, value: object) -> bool:
        """Take in one attribute; answer False if its name may not be written."""
        at = self._allowlist.at(key)
        if at is not None:
            self._put(at[1], self._value(at[0], at[1], value, 0), nested="." not in key)
            return True
        if not self._may_name(key.removeprefix("extra.")):
            return False
        self._put(line_name(key), self._withheld(), nested=False)
        return True

    def _may_name(self, key: str) -> bool:
        return (
            key in self._constants
            and 0 < len(key) <= _KEY_CHARACTERS
            and key[0] != "["
            and key.isprintable()
            and not is_secret(key)
            and scrub(key) == key
        )

    def _put(self, name: str, value: Any, *, nested: bool) -> None:
        """Write `value` under `name`; a mapping flat, each entry under its dotted name."""
        if value is _DROPPED:
            return
        if type(value) is dict and value and nested:
            for key, each in value.items():
                self._put(line_name(f"{name}.{key}"), each, nested=True)
        else:
            self.fields[name] = value

    def _withheld(self) -> Any:
        return _DROPPED if self._allowlist.drop else REDACTED

    def _value(self, node: Node, name: str, value: object, depth: int) -> Any:
        """Return what `node` lets out of `value`: a plain JSON value."""
        if not node.live:
            return self._withheld()
        self._left -= 1
        if self._left < 0 or depth > DEPTH_MAXIMUM:
            return TRUNCATED
        if node.mask is not None:
            return self._masked(node.mask, name, value)
        if type(value) in _SCALARS:
            return self._scalar(node, value)
        try:
            if type(value) is Lazy:
                value = value.fetch()
            content = value if type(value) in _SCALARS else unfold(value, WIDTH_MAXIMUM)
        except Exception:  # noqa: BLE001  # a foreign object's own error: the value is withheld
            return REDACTED
        if type(content) is Pairs or type(content) is Members:
            return self._container(node, name, value, content, depth)
        return REDACTED if content is MISFIT else self._scalar(node, content)

    def _scalar(self, node: Node, value: object) -> Any:
        if node.field is None:
            return self._withheld()
        shown = fitted(node.field, value)
        if type(shown) is str:
            self._characters -= len(shown)
            if self._characters < 0:
                return TRUNCATED
        return shown

    def _masked(self, mask: str, name: str, value: object) -> Any:
        if type(value) not in _SCALARS:
            try:
                value = value.fetch() if type(value) is Lazy else value
                value = value if type(value) in _SCALARS else unfold(value, WIDTH_MAXIMUM)
            except Exception:  # noqa: BLE001  # as above
                return REDACTED
            if type(value) is Members:
                self._left -= len(value.items)
                return [
                    self._masked(mask, name, each) if type(each) in _SCALARS else REDACTED
                    for each in value.items
                ]
        return masks.masked(mask, name, value, self._allowlist.hmac_key)

    def _container(
        self, node: Node, name: str, value: object, content: Pairs | Members, depth: int
    ) -> Any:
        identity = id(value)
        if identity in self._active:
            return CIRCULAR
        self._active.add(identity)
        try:
            if type(content) is Pairs:
                return self._mapping(node, name, content, depth)
            return self._list(node, name, content, depth)  # type: ignore[arg-type]  # Members
        finally:
            self._active.discard(identity)

    def _mapping(self, node: Node, name: str, pairs: Pairs, depth: int) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        unnamed = 0
        for key, value in pairs.entries:
            if type(key) is not str or "." in key:
                unnamed += 1
                continue
            child = node.children.get(key)
            if child is None and node.other is not None and is_wild_name(key):
                child = node.other
            if child is not None:
                each = self._value(child, f"{name}.{key}", value, depth + 1)
            elif self._may_name(key):
                each = self._withheld()
            else:
                unnamed += 1
                continue
            if each is not _DROPPED:
                shown[key] = each
        if not self._allowlist.drop:
            if unnamed:
                shown[KEYS] = unnamed
        if pairs.more:
            shown[TRUNCATED] = pairs.more
        return shown

    def _list(self, node: Node, name: str, members: Members, depth: int) -> list[Any]:
        shown: list[Any] = []
        for each in members.items:
            if node.items is not None and node.items.live:
                item = self._value(node.items, name, each, depth + 1)
                shown.append(REDACTED if item is _DROPPED else item)
            elif type(each) in _SCALARS or (not isinstance(each, Lazy) and node.field is not None):
                shown.append(self._element(node, each))
            else:
                shown.append(REDACTED)
        if members.more:
            shown.append(TRUNCATED)
        return shown

    def _element(self, node: Node, value: object) -> Any:
        """Return an item of a list whose name is allowed: a scalar, or the placeholder."""
        self._left -= 1
        if self._left < 0:
            return TRUNCATED
        if type(value) not in _SCALARS:
            try:
                value = unfold(value, 0)
            except Exception:  # noqa: BLE001  # as above
                return REDACTED
            if type(value) not in _SCALARS:
                return REDACTED
        return REDACTED if node.field is None else self._scalar(node, value)
