"""`classify`: any answer or exception of any provider -> one `CrmError`, or None for a success.

It never raises, looks at no more than 1 MiB of a body, and copies nothing out of it that is not a
name, a code or an id by its shape.
"""

from __future__ import annotations

from typing import Any, Final, cast

from crmlogging.errors.building import build
from crmlogging.errors.case import Case, valid_status
from crmlogging.errors.catalog import Catalog, builtin
from crmlogging.errors.detection import slug_of
from crmlogging.errors.faults import Fault
from crmlogging.errors.findings import Finding
from crmlogging.errors.judging import Answer, Verdict, judge
from crmlogging.errors.model import CrmError

__all__ = ["classify", "classify_with"]

_REMEMBERED: Final = 1_024
_UNSEEN: Final = object()


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
    identical ones; neither bodies nor headers are kept.
    """
    try:
        key = None if exception is not None else _key(status, headers, body, provider, method, url)
        known = _UNSEEN if key is None else catalog.remembered.get(key, _UNSEEN)
        if known is not _UNSEEN:
            return cast("CrmError | None", known)
        case = Case(catalog, status, headers, body, provider, exception, method, url)
        outcome = case.classified()
    except Exception:  # noqa: BLE001  # no input may break the caller
        return _last_resort(catalog, status, provider)
    # A delay may depend on the clock.
    if key is not None and (outcome is None or outcome.retry_after_seconds is None):
        if len(catalog.remembered) >= _REMEMBERED:
            catalog.remembered.clear()
        catalog.remembered[key] = outcome
    return outcome


def _key(status: Any, headers: Any, body: Any, provider: Any, method: Any, url: Any) -> int | None:
    """Return a hash of what was asked; None where hashing costs more than it saves."""
    if headers is None:
        items: Any = None
    elif type(headers) is dict:
        items = tuple(headers.items())
    else:
        return None
    try:
        return hash((status, body, provider, method, url, items))
    except TypeError:  # a parsed body, or header values that are lists
        return None


def _last_resort(catalog: Catalog, status: object, provider: object) -> CrmError | None:
    """What is left when reading failed: the status alone."""
    answer = Answer(status=valid_status(status))
    verdict = judge(Finding(), answer, None, catalog)
    if verdict is None:
        verdict = Verdict(catalog.unknown, "none")
    return build(catalog, verdict, Finding(), answer, None, slug=slug_of(provider))
