"""Showing: the values of a plan's fields as JSON.

In one of two ways, of which each gives the same:

- one by one: a value that is known is looked up, any other is judged as its field does it;
- all at once: they are rendered as one array, and a single expression tells whether each has a
  form that its field shows as it is. It takes milliseconds to compile, so only a call that is
  made again and again gets one, for the fields that its records show so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from operator import is_, itemgetter
from typing import Any, Final, NamedTuple

import orjson

from crmlogging.redaction.fitting import Encode, Fit, Fitting, Kept, encode
from crmlogging.redaction.walk import SCALARS

__all__ = ["Showing"]

_FORMS_KEPT: Final = 16
_FIELDS_AT_ONCE: Final = 32
_RECORDS_BEFORE: Final = 256
_FAILURES: Final = 32
_SCALAR_IDS: Final = frozenset(map(id, SCALARS))
_dumps: Final = orjson.dumps
_get: Final = dict.get
_NO_TYPE: Final = object()


class _Form(NamedTuple):
    """Types that the values of a record had, and for each field what judges such a value."""

    types: tuple[object, ...]
    kept: tuple[Kept, ...]
    encoders: tuple[Encode, ...]


class _AtOnce(NamedTuple):
    """What judges most values together.

    Attributes:
        pick: takes them from all.
        match: tells by their JSON whether all of them are shown as they are.
        others: positions of the rest.
    """

    pick: Callable[[Sequence[object]], tuple[object, ...]]
    match: Callable[[bytes], object]
    others: tuple[int, ...]


class Showing:
    """How the values of some fields are shown.

    Args:
        fittings: of the fields, in order.
    """

    __slots__ = ("_at_once", "_fittings", "_forms", "_last", "_left")

    def __init__(self, fittings: Iterable[Fitting]) -> None:
        self._fittings = tuple(fittings)
        self._forms: dict[tuple[int, ...], _Form] = {}
        # Replaced whole, as the other, so that threads cannot mix two.
        self._last = _Form((_NO_TYPE,) * len(self._fittings), (), ())
        self._at_once: _AtOnce | None = None
        self._left = _RECORDS_BEFORE
        """Records until the other way is tried; failures until it is given up."""

    def show(self, values: Sequence[object]) -> list[bytes] | None:
        """Return `values` as their fields may carry them, as JSON.

        None if one is no scalar, or none of JSON's.

        Args:
            values: in the order of the fields; what stands behind those is not looked at.
        """
        form = self._last
        # By identity: to compare types could run the code of a metaclass.
        if not all(map(is_, map(type, values), form.types)):
            found = self._form(values)
            if found is None:
                return None
            self._last = form = found
        try:
            if self._at_once is not None:
                shown = _all_at_once(self._at_once, form, values)
                if shown is not None:
                    return shown
                self._fail()
            return self._one_by_one(form, values)
        except TypeError:  # half a surrogate pair, a number beyond 64 bits
            return None

    def _one_by_one(self, form: _Form, values: Sequence[object]) -> list[bytes]:
        self._left -= 1
        if self._left <= 0:
            self._at_once = self._tried(values)
            self._left = _RECORDS_BEFORE if self._at_once is None else _FAILURES
        shown: list[Any] = list(map(_get, form.kept, values))
        at = -1
        for _ in range(shown.count(None)):
            at = shown.index(None, at + 1)
            shown[at] = form.encoders[at](values[at])
        return shown

    def _fail(self) -> None:
        """Go back to the other way once too many records had to take it."""
        if self._left <= 1:
            self._at_once = None
            self._left = _RECORDS_BEFORE

    def _tried(self, values: Sequence[object]) -> _AtOnce | None:
        """Return what judges at once the fields that have a plain value now, if those are most."""
        plain: dict[int, str] = {}
        for at, (fitting, value) in enumerate(zip(self._fittings, values, strict=False)):
            if fitting.plain is not None and _is_plain(fitting.plain, value):
                plain[at] = fitting.plain
        count = len(self._fittings)
        if not 2 <= len(plain) <= _FIELDS_AT_ONCE or 2 * len(plain) < count:
            return None
        pattern = ",".join(f"(?:{each})" for each in plain.values())
        return _AtOnce(
            itemgetter(*plain),
            re.compile(rf"\[{pattern}\]".encode()).fullmatch,
            tuple(at for at in range(count) if at not in plain),
        )

    def _form(self, values: Sequence[object]) -> _Form | None:
        types = tuple(map(type, values[: len(self._fittings)]))
        ids = tuple(map(id, types))
        form = self._forms.get(ids)
        if form is None and _SCALAR_IDS.issuperset(ids):
            if len(self._forms) >= _FORMS_KEPT:
                self._forms.clear()
            pairs = list(zip(self._fittings, types, strict=True))
            self._forms[ids] = form = _Form(
                types,
                tuple(fitting.kept.get(kind, {}) for fitting, kind in pairs),
                tuple(fitting.encoders.get(kind) or _by(fitting.fit) for fitting, kind in pairs),
            )
        return form


def _all_at_once(at_once: _AtOnce, form: _Form, values: Sequence[object]) -> list[bytes] | None:
    pick, match, others = at_once
    picked = pick(values)
    try:
        text = _dumps(picked)
    except TypeError:
        return None
    # What is no number (NaN) is rendered as null too.
    if not match(text) or (b"null" in text and text.count(b"null") != picked.count(None)):
        return None
    shown = text[1:-1].split(b",")
    for at in others:
        value = values[at]
        shown.insert(at, form.kept[at].get(value) or form.encoders[at](value))
    return shown


def _is_plain(expression: str, value: object) -> bool:
    try:
        return re.fullmatch(expression.encode(), _dumps(value)) is not None
    except TypeError:
        return False


def _by(fit: Fit) -> Encode:
    return lambda value: encode(fit(value))
