"""The walk of one record's values along the allowlist's graph.

Keys: a name is written only if the graph knows it or the calling code holds it as a constant;
the rest of a mapping is one count under ``[KEYS]``. Mappings become flat dotted names, lists stay
lists.

Limits keep a line bounded and the call short: depth, entries of one mapping or list, values and
characters of one record. What is cut off shows ``[TRUNCATED]``.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from itertools import islice
from typing import Any, Final

from crmlogging.fields import FIELDS, MISFIT
from crmlogging.records import STANDARD_ATTRIBUTES
from crmlogging.redaction import masks
from crmlogging.redaction.allowlist import Allowlist, is_clean_name, is_wild_name
from crmlogging.redaction.fitting import CIRCULAR, REDACTED, TRUNCATED
from crmlogging.redaction.patterns import Node, line_name
from crmlogging.redaction.values import Lazy, Members, Pairs, scalar_of, unfold

__all__ = ["ANY_NAME", "KEYS", "PASSED_OVER", "SCALARS", "Walk"]

KEYS: Final = "[KEYS]"
"""Name of the count of keys that may not be named."""

DEPTH_MAXIMUM: Final = 16
WIDTH_MAXIMUM: Final = 1_000
VALUES_MAXIMUM: Final = 5_000
CHARACTERS_MAXIMUM: Final = 100_000

_AUDIT: Final = "audit"
_DROPPED: Final[Any] = object()
_UNNAMED: Final[Any] = object()
SCALARS: Final = frozenset({str, int, float, bool, type(None)})
"""Types whose values are judged as they are."""
PASSED_OVER: Final = STANDARD_ATTRIBUTES | {"record.id"}  # no fields of the call
# Our own stages write last, so the end of a record's attributes counts as well.
_ATTRIBUTES_LAST: Final = 100
# What our own stages wrote on a safe record, out of facts or of fields allowed before.
_OWN_FIELDS: Final = frozenset(
    field.name
    for field in FIELDS
    if field.writer in ("allowlist", "levels", "grouping", "handlers")
    and field.name != "error.suppressed_ids"
) | {_AUDIT}


class _AnyName(Container[str]):
    def __contains__(self, name: object) -> bool:
        return True


ANY_NAME: Final = _AnyName()
"""In place of the calling code's constants: every name passed an allowlist before."""


def is_hollow(node: Node, shown: Any) -> bool:
    """Tell whether nothing that `node` allows is in `shown`: then a wildcard named it in vain."""
    if node.field is not None or node.mask is not None:
        return False
    if type(shown) is dict:
        return shown.keys() <= {KEYS}
    if type(shown) is list:
        return all(is_hollow(node, each) for each in shown)
    return shown is _DROPPED or shown == REDACTED


class Walk:
    """One record's way through the allowlist.

    Args:
        allowlist: compiled.
        constants: strings that the calling code holds; such keys may be named.
        fields: dotted names to plain JSON values, the outcome; written to.
    """

    __slots__ = ("_active", "_allowlist", "_characters", "_constants", "_left", "fields")

    def __init__(
        self, allowlist: Allowlist, constants: Container[str], fields: dict[str, Any]
    ) -> None:
        self._allowlist = allowlist
        self._constants = constants
        self._left = VALUES_MAXIMUM
        self._characters = CHARACTERS_MAXIMUM
        self._active: set[int] = set()
        self.fields = fields

    def attributes(self, attributes: dict[str, object]) -> None:
        """Take in what a record carries beside the standard attributes."""
        fields, constants, withheld = self.fields, self._constants, self._withheld()
        names, unknown = self._allowlist.names, self._allowlist.unknown
        unnamed, items = 0, list(attributes.items())
        if len(items) > WIDTH_MAXIMUM + _ATTRIBUTES_LAST:
            fields[TRUNCATED] = len(items) - WIDTH_MAXIMUM - _ATTRIBUTES_LAST
            items[WIDTH_MAXIMUM:-_ATTRIBUTES_LAST] = []
        for key, value in items:
            if type(key) is not str:
                unnamed += 1
                continue
            if key in PASSED_OVER:
                continue
            if value is True and key == _AUDIT:  # First: other records have a field of that name.
                fields[_AUDIT] = True
                continue
            # The common cases, at the least cost: a flat field, and a literal unknown name.
            place = names.get(key)
            if place is None:
                line = unknown.get(key)
                if line is not None and key in constants:
                    if withheld is not _DROPPED:
                        fields[line] = withheld
                    continue
            elif type(value) in SCALARS and place.node.mask is None:
                fit = place.node.fit
                shown = withheld if fit is None else fit(value)
                if shown is not _DROPPED:
                    fields[place.line] = shown
                continue
            unnamed += not self._attribute(key, value)
        if unnamed and not self._allowlist.drop:
            fields[KEYS] = unnamed

    def _attribute(self, key: str, value: object) -> bool:
        """Take in one attribute; answer False if its name may not be written."""
        place = self._allowlist.at(key)
        if place is not None:
            shown = self._value(place.node, place.line, value, 0)
            if not place.wild or not is_hollow(place.node, shown):
                self._put(place.line, shown)
                return True
        bare = key.removeprefix("extra.")
        if not self._may_name(bare):
            return False
        if place is None and bare is key:
            self._allowlist.remember_unknown(key)
        self._put(line_name(key), self._withheld())
        return True

    def arguments(
        self,
        arguments: Iterable[tuple[str, object]],
        taken: Container[str],
        *,
        exact: bool,
    ) -> None:
        """Take in a message's arguments, scalars only; fields of the same name win.

        Args:
            arguments: pairs of name and value.
            taken: names of the fields that are there.
            exact: False where the values were taken back out of a rendered text: then only a
                name allowed in full, of a strict shape, shows its value.
        """
        for name, value in arguments:
            place = self._allowlist.at(name)
            node = None if place is None else place.node
            line = line_name(name)
            if line in taken or line in self.fields:
                continue
            if node is None or not (exact or node.is_strict):
                self._put(line, self._withheld())
                continue
            if node.live and type(value) not in SCALARS:
                value = scalar_of(value)
            self._put(line, REDACTED if value is MISFIT else self._value(node, line, value, 0))

    def again(self, attributes: Mapping[str, Any]) -> None:
        """Take in the attributes of a `SafeRecord`, whose names passed an allowlist before."""
        for name, value in islice(attributes.items(), VALUES_MAXIMUM):
            if name in STANDARD_ATTRIBUTES:
                continue
            place = self._allowlist.at(name)
            if name in _OWN_FIELDS or name == TRUNCATED or name.endswith("." + TRUNCATED):
                self.fields[name] = value
            elif name == KEYS or name.endswith("." + KEYS):
                self._put(name, _DROPPED if self._allowlist.drop else value)
            elif place is None:
                self._put(name, self._withheld())
            elif place.node.mask is not None and masks.is_masked(value):
                self.fields[name] = value
            else:
                self._put(name, self._value(place.node, name, value, 0))

    def _may_name(self, key: str) -> bool:
        return key in self._constants and is_clean_name(key)

    def _put(self, name: str, value: Any) -> None:
        """Write `value` under `name`; a mapping flat, each entry under its dotted name."""
        if type(value) is dict and value:
            for key, each in value.items():
                self._put(line_name(f"{name}.{key}"), each)
        elif value is not _DROPPED:
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
        if type(value) in SCALARS:
            return self._scalar(node, name, value)
        try:
            if type(value) is Lazy:
                value = value.fetch()
            content = value if type(value) in SCALARS else unfold(value, WIDTH_MAXIMUM)
        except Exception:  # noqa: BLE001  # a foreign object's own error: the value is withheld
            return REDACTED
        if type(content) is Members or (type(content) is Pairs and node.mask is None):
            return self._container(node, name, value, content, depth)
        return self._scalar(node, name, content) if type(content) in SCALARS else REDACTED

    def _scalar(self, node: Node, name: str, value: object) -> Any:
        if node.mask is not None:
            return masks.masked(node.mask, name, value, self._allowlist.hmac_key)
        if node.fit is None:
            return self._withheld()
        shown = node.fit(value)
        if type(shown) is str:
            self._characters -= len(shown)
            if self._characters < 0:
                return TRUNCATED
        return shown

    def _container(
        self, node: Node, name: str, value: object, content: Pairs | Members, depth: int
    ) -> Any:
        identity = id(value)
        if identity in self._active:
            return CIRCULAR
        self._active.add(identity)
        try:
            if isinstance(content, Pairs):
                return self._mapping(node, name, content, depth)
            return self._list(node, name, content, depth)
        finally:
            self._active.discard(identity)

    def _mapping(self, node: Node, name: str, pairs: Pairs, depth: int) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        unnamed = 0
        for key, value in pairs.entries:
            each = _UNNAMED
            if self._constants is ANY_NAME and type(key) is str and key in (KEYS, TRUNCATED):
                each = value  # counts of the allowlist before
            elif type(key) is str and "." not in key:
                each = self._entry(node, name, key, value, depth)
            if each is _UNNAMED:
                unnamed += 1
            elif each is not _DROPPED:
                shown[key] = each  # type: ignore[index]  # only a str leads here
        if unnamed and not self._allowlist.drop:
            shown[KEYS] = unnamed
        if pairs.more:
            shown[TRUNCATED] = pairs.more
        return shown

    def _entry(self, node: Node, name: str, key: str, value: object, depth: int) -> Any:
        """Return what is shown under `key`, or `_UNNAMED` if the key itself is not."""
        child = node.children.get(key)
        if child is not None:
            return self._value(child, f"{name}.{key}", value, depth + 1)
        if node.other is not None and is_wild_name(key):
            shown = self._value(node.other, f"{name}.{key}", value, depth + 1)
            if not is_hollow(node.other, shown):
                return shown
        return self._withheld() if self._may_name(key) else _UNNAMED

    def _list(self, node: Node, name: str, members: Members, depth: int) -> list[Any]:
        """Return the items: by the pattern of items, else scalars under the list's own name."""
        below = node.items if node.items is not None and node.items.live else None
        shown: list[Any] = []
        for each in members.items:
            own = type(each) in SCALARS and below is not None and below.field is None
            if below is not None and node.mask is None and not own:
                item = self._value(below, name, each, depth + 1)
            else:
                item = self._item(node, name, each)
            shown.append(REDACTED if item is _DROPPED else item)
        if members.more:
            shown.append(TRUNCATED)
        return shown

    def _item(self, node: Node, name: str, value: object) -> Any:
        self._left -= 1
        if self._left < 0:
            return TRUNCATED
        if type(value) not in SCALARS:
            value = scalar_of(value)
        return REDACTED if value is MISFIT else self._scalar(node, name, value)
