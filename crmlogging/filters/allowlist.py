"""Lets out literals of the source, the record's own facts, and fields allowed by name."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from crmlogging.exceptions import ConfigurationError, Problems
from crmlogging.records import Stage
from crmlogging.redaction.masks import HmacKey
from crmlogging.redaction.projection import Projection

if TYPE_CHECKING:
    from crmlogging.redaction.sealing import FieldSealer

__all__ = ["AllowlistFilter"]

_EMPTY: Final = 'is empty; start with "@crm", the safe fields of the table'


class AllowlistFilter(Stage):
    """Reduce each record to a `SafeRecord`; never drop one.

    What is not allowed becomes ``[REDACTED]``; a message is shown as its static template, an
    exception without its values. Put it on a handler, behind `CorrelationFilter` and
    `ErrorFilter`: on a logger it would miss the records of child loggers. A second one only
    narrows what the first let out.

    Args:
        fields: patterns of what may be shown: ``user.id``, ``request.*``, ``errors[].field``,
            ``details.**``, ``@crm`` for the safe fields of the table. A string must have the
            shape ``id``, or the one declared: ``{"campaign.name": "text"}``.
        mask: pattern to ``last4``, ``hmac`` or ``seal``; wins over `fields`, needs no entry there.
        unknown: ``mask`` shows a placeholder for what is withheld, ``drop`` leaves it out.
        messages: ``template``; ``literal`` shows no message that was built at run time; ``any``
            shows every message, scrubbed only.
        loggers: logger names to show as they are.
        trusted: exception classes (``module.Class``) whose text is shown, scrubbed.
        hmac_key: returns the key of the mask ``hmac``; without it ``CRMLOGGING_HMAC_KEY`` holds it.
        seal_to: public key of the mask ``seal``: the line that ``crmlogging keygen`` printed, PEM,
            or a file; without it ``CRMLOGGING_SEAL_KEY`` holds it.
        service: as the formatter has it; what is sealed opens in lines of this service only.

    Raises:
        ConfigurationError: names every option that is wrong.
    """

    passes_all = True

    def __init__(
        self,
        fields: Iterable[str | Mapping[str, str]],
        *,
        mask: Mapping[str, str] | None = None,
        unknown: str = "mask",
        messages: str = "template",
        loggers: Iterable[str] = (),
        trusted: Iterable[str | type[BaseException]] = (),
        hmac_key: HmacKey | None = None,
        seal_to: str | os.PathLike[str] | None = None,
        service: str | None = None,
        **unknown_options: object,
    ) -> None:
        super().__init__()
        problems = Problems("AllowlistFilter")
        if not isinstance(fields, str | bytes | Mapping) and isinstance(fields, Iterable):
            fields = list(fields)
            if not fields:
                problems.add("fields", _EMPTY)
        try:
            self._projection = Projection(
                fields,
                mask=mask,
                unknown=unknown,
                messages=messages,
                loggers=loggers,
                trusted=trusted,
                hmac_key=hmac_key,
                **unknown_options,
            )
        except ConfigurationError as error:
            problems.found.extend(error.problems)
        sealed = mask.items() if isinstance(mask, Mapping) else ()
        patterns = [pattern for pattern, kind in sealed if kind == "seal"]
        if not patterns:
            problems.paths(seal_to=seal_to)
        self._sealer: FieldSealer | None = None
        if patterns or service is not None:
            from crmlogging.redaction.sealing import sealer_for  # who seals nothing never loads it

            self._sealer = sealer_for(patterns, seal_to, service, problems)
        problems.raise_if_any()
        # It looks, and writes a new record; who overrides it may do otherwise.
        own = type(self)
        self.writes = (own.refine, own.filter) != (AllowlistFilter.refine, Stage.filter)
        if not self.writes and self._sealer is None:
            self.brief = self._projection.brief
            self.answer = self._projection.answer

    def refine(self, record: logging.LogRecord) -> logging.LogRecord | bool:
        """Return the `SafeRecord` of `record`; never raises."""
        safe = self._projection.project(record)
        return safe if self._sealer is None else self._sealer.complete(safe)

    def shows(self, name: str) -> Callable[[object], object]:
        """Return what tells what `refine` would show of a field of the table, given its value."""
        return self._projection.shows(name)
