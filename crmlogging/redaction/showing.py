"""Showing: the values of one record's fields as JSON, judged by their types and by themselves."""

from __future__ import annotations

from collections.abc import Iterable
from operator import is_
from typing import Any, Final, NamedTuple

from crmlogging.redaction.fitting import Encode, Fit, Fitting, Kept, encode
from crmlogging.redaction.walk import SCALARS

__all__ = ["Showing"]

_FORMS_KEPT: Final = 16
_SCALAR_IDS: Final = frozenset(map(id, SCALARS))
_get: Final = dict.get
_NO_TYPE: Final = object()


class _Form(NamedTuple):
    """Types that the values of a record had, and for each field what judges such a value."""

    types: tuple[object, ...]
    kept: tuple[Kept, ...]
    encoders: tuple[Encode, ...]


class Showing:
    """How the values of some fields are shown.

    Args:
        fittings: of the fields, in order.
    """

    __slots__ = ("_fittings", "_forms", "_last")

    def __init__(self, fittings: Iterable[Fitting]) -> None:
        self._fittings = tuple(fittings)
        self._forms: dict[tuple[int, ...], _Form] = {}
        # Replaced whole, so that threads cannot mix two.
        self._last = _Form((_NO_TYPE,) * len(self._fittings), (), ())

    def show(self, values: tuple[object, ...]) -> list[bytes] | None:
        """Return `values` as their fields may carry them, as JSON.

        None if one is no scalar, or none of JSON's.

        Args:
            values: in the order of the fields; what stands behind those is not looked at.
        """
        types, kept, encoders = self._last
        # By identity: to compare types could run the code of a metaclass.
        if not all(map(is_, map(type, values), types)):
            form = self._form(values)
            if form is None:
                return None
            self._last = form
            _, kept, encoders = form
        shown: list[Any] = list(map(_get, kept, values))
        missing = shown.count(None)
        if missing:
            at = -1
            try:
                for _ in range(missing):
                    at = shown.index(None, at + 1)
                    shown[at] = encoders[at](values[at])
            except TypeError:  # half a surrogate pair, a number beyond 64 bits
                return None
        return shown

    def _form(self, values: tuple[object, ...]) -> _Form | None:
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


def _by(fit: Fit) -> Encode:
    return lambda value: encode(fit(value))
