"""`classify`: any answer or exception of any provider -> one `CrmError`, or None for a success.

It never raises, looks at no more than 1 MiB of a body, and copies nothing out of it that is not a
name, a code or an id by its shape.
"""

from __future__ import annotations

from typing import Any, Final

from crmlogging.errors.building import build
from crmlogging.errors.case import Case, valid_status
from crmlogging.errors.catalog import Catalog, builtin
from crmlogging.errors.detection import slug_of
from crmlogging.errors.faults import Fault
from crmlogging.errors.findings import Finding
from crmlogging.errors.headers import VOLATILE, header_request_id, lower_headers
from crmlogging.errors.judging import Answer, Verdict, judge
from crmlogging.errors.model import CrmError

__all__ = ["classify", "classify_with"]

_REMEMBERED: Final = 1_024


def classify(
    *,
    status: int | None = None,
    headers: Any = None,
    body: Any = None,
    provider: str | None = None,
    exception: BaseException | str | None = None,
    method: str | None = None,
    url: str | None = None,
) -> CrmError | None:
    """Say what an answer means and what to do about it.

    Args:
        status: HTTP status.
        headers: of the answer; any mapping or list of pairs.
        body: of the answer: text, bytes, or parsed JSON.
        provider: vendor slug; found out from host, headers or shape if absent.
        exception: an exception, or its text ``"module.Class: message"`` as found in a log.
        method: HTTP method of the request.
        url: of the request.

    Returns:
        The error, or None where there is none: a success without failed parts.

    Example:
        >>> error = classify(status=400, provider="salesforce",
        ...                  body='[{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "..."}]')
        >>> error.category.value, error.retryable, error.reason
        ('transient', True, 'LOCKED')
    """
    return classify_with(
        builtin(),
        status=status,
        headers=headers,
        body=body,
        provider=provider,
        exception=exception,
        method=method,
        url=url,
    )


def classify_with(
    catalog: Catalog,
    *,
    status: int | None = None,
    headers: Any = None,
    body: Any = None,
    provider: str | None = None,
    exception: BaseException | str | Fault | None = None,
    method: str | None = None,
    url: str | None = None,
) -> CrmError | None:
    """Do what `classify` does, by the rules of `catalog`.

    The last answers are remembered by a hash of what was asked, since failures come in storms of
    identical ones; neither bodies nor headers are kept. Times and ids in headers do not matter.
    """
    asked = (status, body, provider, method, url)
    try:
        memory = None if exception is not None else _Memory(catalog, asked, headers)
        if memory is not None and memory.knows():
            return memory.recalled()
        case = Case(catalog, status, headers, body, provider, exception, method, url)
        outcome = case.classified()
        if memory is not None:
            memory.keep(outcome)
        return outcome
    except Exception:  # noqa: BLE001  # no input may break the caller
        return _last_resort(catalog, status, provider)


class _Memory:
    """What is remembered of one question, by a hash of it; None where it has none."""

    __slots__ = ("_asked", "_catalog", "_headers", "_key", "_known")

    def __init__(self, catalog: Catalog, asked: tuple[Any, ...], headers: Any) -> None:
        self._catalog = catalog
        self._asked = asked
        self._headers = headers
        try:
            items = None if headers is None else tuple(headers.items())
            self._key: int | None = hash((*asked, items))
        except (TypeError, AttributeError):  # a parsed body; header values that are lists; pairs
            self._key = None
        self._known: tuple[CrmError | None, bool] | None = None

    def knows(self) -> bool:
        """Whether this was asked before, as it is or with other times and ids in headers."""
        if self._key is None:
            return False
        self._known = self._catalog.remembered.get(self._key)
        if self._known is None and self._headers:
            told = [(n, None if n.lower() in VOLATILE else v) for n, v in self._headers.items()]
            self._key = hash((*self._asked, tuple(told)))
            self._known = self._catalog.remembered.get(self._key)
        return self._known is not None

    def recalled(self) -> CrmError | None:
        """Return the error, with the id that these headers tell if it was theirs."""
        error, of_headers = self._known or (None, False)
        if error is None or not of_headers:
            return error
        found = self._id_for(error)
        if found == error.request_id:
            return error
        return CrmError.made({**vars(error), "request_id": found})

    def keep(self, outcome: CrmError | None) -> None:
        """Remember `outcome`, unless a clock had its say in its delay."""
        if self._key is None or (outcome is not None and outcome.retry_after_seconds is not None):
            return
        remembered = self._catalog.remembered
        if len(remembered) >= _REMEMBERED:
            remembered.clear()
        if not self._headers or outcome is None:
            remembered[self._key] = outcome, False
            return
        of_headers = outcome.request_id == self._id_for(outcome)
        remembered[self._key] = outcome, of_headers
        remembered[hash((*self._asked, tuple(self._headers.items())))] = outcome, False

    def _id_for(self, error: CrmError) -> str | None:
        provider = self._catalog.providers.get(error.provider or "")
        own = provider.id_headers if provider is not None else ()
        return header_request_id(lower_headers(self._headers), own)


def _last_resort(catalog: Catalog, status: object, provider: object) -> CrmError | None:
    """What is left when reading failed: the status alone."""
    answer = Answer(status=valid_status(status))
    verdict = judge(Finding(), answer, None, catalog)
    if verdict is None:
        verdict = Verdict(catalog.unknown, "none")
    return build(catalog, verdict, Finding(), answer, None, slug=slug_of(provider))
