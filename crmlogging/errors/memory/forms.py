"""The form of a body: its text with blanks where ids, times and echoed values stand.

Bodies that fit one form have one answer, save the id of the request. A form follows what
`crmlogging.errors.findings` looks at: blank are only values under keys without a role, and ids,
which are asked for their shape; where a mapping's keys may be names of fields, nothing is blank.

A form keeps no text: of what stands between the blanks it knows length and hash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum
from operator import itemgetter
from typing import Any, Final

import orjson

from crmlogging.errors.findings.elements import tells
from crmlogging.errors.findings.field_maps import (
    MAPS_OF_FIELDS,
    is_map_of_fields,
    never_a_field_map,
)
from crmlogging.errors.findings.ids import has_plain_id, is_plain_id, may_name_an_error_by_id
from crmlogging.errors.findings.named_fields import may_list_names
from crmlogging.errors.findings.roles import TELLING_ENDS, Key, Role, role_of
from crmlogging.errors.text.late import late
from crmlogging.errors.text.shapes import is_request_id

__all__ = ["PROBES", "Form", "form_of"]

PROBES: Final = (("is required", 429), ("RATE_LIMIT", 0), ("/a/b 401", 1_700_000_000))
"""What to try in blanks, if it is not certain that nobody reads them: text and number."""

_MAX_BLANKS: Final = 40
_TOKEN: Final = late(r'[\[\]{},:]|"[^"\\]*(?:\\.[^"\\]*)*"|[^\s\[\]{},:"]+')
_ERRORS: Final = frozenset(("errors", "userErrors"))
_UNREAD: Final = frozenset((Role.NONE, Role.SKIP, Role.ID))
"""Roles of which at most errors below them are read."""
_WALKED: Final = frozenset(
    (
        *(Role.ERRORS, Role.CONTEXT, Role.STATUS, Role.SUCCESS, Role.FAILURES),
        *(Role.PARTS, Role.WRAPPER),
    )
)
"""Roles below which objects are read by the roles of their keys again."""


class _Way(IntEnum):
    """How a part of a body is read."""

    WHOLE = 0
    """All of it decides."""
    MAPPED = 1
    """By the roles of its keys, unless these may be names of fields."""
    FREE = 2
    """By the roles of its keys."""
    UNREAD = 3
    """Not at all, save errors in it."""
    ID = 4
    PLAIN_ID = 5


class _Blank(IntEnum):
    """What may stand in a blank."""

    ID = 1
    PLAIN_ID = 2
    TEXT = 3
    NUMBER = 4


# Possessive, so that each ends in one place only.
_TEXT: Final = r'[^"\\]*+(?=")'
_NUMBER: Final = r"(?>-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?)(?![0-9.eE+-])"
_IN_BLANK: Final = {
    _Blank.ID: _TEXT,
    _Blank.PLAIN_ID: _TEXT,
    _Blank.TEXT: _TEXT,
    _Blank.NUMBER: _NUMBER,
}


class Form:
    """A body's text with blanks.

    Args:
        text: of the body.
        blanks: where they begin and end, in order, what may stand there, and whether that is the
            id which the answer tells.
    """

    __slots__ = ("_between", "_blanks", "_ids", "_numbers", "_pattern", "_pieces", "_said", "_size")

    def __init__(self, text: str, blanks: list[tuple[int, int, _Blank, bool]]) -> None:
        self._blanks = tuple(blanks)
        # Which of the blanks hold an id: their number, whether it is a plain one, and its own.
        self._ids = tuple(
            (number, kind is _Blank.PLAIN_ID, own)
            for number, (_, _, kind, own) in enumerate(blanks)
            if kind in (_Blank.ID, _Blank.PLAIN_ID)
        )
        between: list[str] = []
        pattern, at = "(?s)", 0
        for start, end, kind, _ in blanks:
            between.append(text[at:start])
            pattern += f"(.{{{start - at}}})({_IN_BLANK[kind]})"
            at = end
        between.append(text[at:])
        self._between = hash(tuple(between))
        # Mostly what stands in the blanks is as long as before. One slice more, so that these are
        # tuples also where there is one blank only.
        ends = [0, *[at for start, end, _, _ in blanks for at in (start, end)], len(text)]
        spans = [slice(*span) for span in zip(ends[::2], ends[1::2], strict=True)]
        self._size = len(text)
        self._pieces = itemgetter(*spans)
        self._said = itemgetter(*(slice(b[0], b[1]) for b in blanks), slice(0, 0))
        self._numbers = any(kind is _Blank.NUMBER for _, _, kind, _ in blanks)
        self._pattern = re.compile(f"{pattern}(.{{{len(text) - at}}})")

    def id_in(self, text: str) -> str | None:
        """Return the request's id if `text` is of this form, "" if it has none, None if it is not.

        A string in a blank has no escapes, so that it ends at the next quotation mark.
        """
        said: tuple[str, ...]
        # In variables: an attribute that is called is looked for among methods first.
        pieces_of, said_in = self._pieces, self._said
        if len(text) == self._size and not self._numbers and hash(pieces_of(text)) == self._between:
            said = said_in(text)
            joined = "".join(said)
            if '"' in joined or "\\" in joined:
                return None
        else:
            match = self._pattern.fullmatch(text)
            if match is None:
                return None
            pieces = match.groups()
            if hash(pieces[::2]) != self._between:
                return None
            said = pieces[1::2]
            joined = "".join(said)
        if not joined.isprintable():
            return None
        found = ""
        for number, plain, own in self._ids:
            identity = said[number]
            if not is_request_id(identity) or (plain and not is_plain_id(identity)):
                return None
            found = identity if own else found
        return found

    def filled(self, text: str, words: str, number: int) -> str:
        """Return the text it was made from with something else in its blanks."""
        pieces, at = [], 0
        for count, (start, end, kind, _) in enumerate(self._blanks):
            said = {_Blank.TEXT: words, _Blank.NUMBER: str(number)}.get(kind)
            pieces += [text[at:start], f"probe-{count}-{number:08}" if said is None else said]
            at = end
        return "".join((*pieces, text[at:]))


class _Walk:
    """A walk along a body's tree and its text at once, to find the blanks."""

    def __init__(self, text: str, code_keys: frozenset[str], id_place: tuple[Any, str] | None):
        self.blanks: list[tuple[int, int, _Blank, bool]] = []
        self._tokens: Iterator[re.Match[str]] = _TOKEN.finditer(text)
        self._code_keys = code_keys
        self._id_place = id_place

    def take(self, value: Any, way: _Way, *, own: bool = False) -> None:
        """Walk over a value; raises StopIteration or ValueError where text and tree part."""
        token = next(self._tokens)
        if type(value) is dict:
            _check(token[0] == "{")
            self._take_mapping(value, way)
        elif type(value) is list:
            _check(token[0] == "[")
            for number, each in enumerate(value):
                if number:
                    self._expect(",")
                self.take(each, _way_of_element(each, way))
            self._expect("]")
        elif type(value) is str and way >= _Way.UNREAD and "\\" not in token[0]:
            kind = {_Way.ID: _Blank.ID, _Way.PLAIN_ID: _Blank.PLAIN_ID}.get(way, _Blank.TEXT)
            self.blanks.append((token.start() + 1, token.end() - 1, kind, own))
        elif way is _Way.UNREAD and type(value) in (int, float):
            self.blanks.append((token.start(), token.end(), _Blank.NUMBER, False))

    def _take_mapping(self, node: dict[str, Any], way: _Way) -> None:
        if way is _Way.MAPPED and not never_a_field_map(node):
            way = _Way.WHOLE
        for number, (name, value) in enumerate(node.items()):
            if number:
                self._expect(",")
            _check(orjson.loads(next(self._tokens)[0]) == name)  # keys may stand there twice
            self._expect(":")
            place = self._id_place
            own = place is not None and node is place[0] and name == place[1]
            below = self._way_below(name, value, way)
            if name == "id" and way is not _Way.UNREAD and may_name_an_error_by_id(node):
                below = _Way.WHOLE
            if own and below is _Way.UNREAD:  # an ``id`` that is the error's own
                below = _Way.PLAIN_ID
            self.take(value, below, own=own)
        self._expect("}")

    def _expect(self, mark: str) -> None:
        _check(next(self._tokens)[0] == mark)

    def _way_below(self, name: str, value: Any, way: _Way) -> _Way:
        nested = type(value) is dict or type(value) is list
        if way is _Way.WHOLE:
            return way
        if way is _Way.UNREAD:  # what GraphQL puts there is read
            return way if name not in _ERRORS else _Way.FREE if nested else _Way.WHOLE
        key = role_of(name)
        if key.role in _UNREAD and name not in self._code_keys:
            if type(value) is list and may_list_names(name):
                return _Way.WHOLE
            return _way_below_unread(key, value)
        if not nested or key.role not in _WALKED:
            return _Way.WHOLE
        free = key.role is Role.CONTEXT and key.plain not in MAPS_OF_FIELDS
        return _Way.FREE if free else _Way.MAPPED


def _check(fits: bool) -> None:
    if not fits:
        raise ValueError("not the text of this tree")


def _way_below_unread(key: Key, value: Any) -> _Way:
    if key.role is Role.ID and type(value) is str:
        if not has_plain_id(key):
            return _Way.ID if is_request_id(value) else _Way.WHOLE
        return _Way.PLAIN_ID if is_request_id(value) and is_plain_id(value) else _Way.WHOLE
    if key.role is Role.ID and not isinstance(value, (dict, list)):
        return _Way.WHOLE
    if key.role is Role.NONE:
        if type(value) is dict and (
            "status" in value or key.plain.endswith(TELLING_ENDS) or tells(value)
        ):
            return _Way.MAPPED
        if type(value) is list and value and type(value[0]) is dict:
            return _Way.FREE
    return _Way.UNREAD


def _way_of_element(element: Any, way: _Way) -> _Way:
    if way in (_Way.WHOLE, _Way.UNREAD):
        return way
    if is_map_of_fields(element):
        return _Way.WHOLE
    return _Way.FREE if type(element) is dict or type(element) is list else _Way.WHOLE


def form_of(
    text: str, tree: Any, code_keys: frozenset[str], id_place: tuple[Any, str] | None
) -> Form | None:
    """Return the form of a body, or None where it has none worth knowing.

    Args:
        text: of the body.
        tree: what it was read as.
        code_keys: keys that hold a code with some provider, whatever they mean elsewhere.
        id_place: the object that holds the id which the answer tells, and its key there.
    """
    walk = _Walk(text, code_keys, id_place)
    try:
        walk.take(tree, _Way.MAPPED if type(tree) is dict else _Way.FREE)
    except (ValueError, StopIteration):
        return None
    if not 0 < len(walk.blanks) <= _MAX_BLANKS:
        return None
    form = Form(text, walk.blanks)
    return form if form.id_in(text) is not None else None
