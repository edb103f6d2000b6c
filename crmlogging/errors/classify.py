"""`classify`: any answer or exception of any provider -> one `CrmError`, or None for a success.

It never raises, looks at no more than 1 MiB of a body, and copies nothing out of it that is not a
name, a code or an id by its shape.
"""

from __future__ import annotations

from typing import Any

from crmlogging.errors.catalog import Catalog, builtin
from crmlogging.errors.findings.finding import Finding
from crmlogging.errors.memory.answers import memory_of
from crmlogging.errors.model import CrmError
from crmlogging.errors.raised.faults import Fault, names_a_code
from crmlogging.errors.verdicts.building import build
from crmlogging.errors.verdicts.case import Case, valid_status
from crmlogging.errors.verdicts.judging import Answer, Verdict, judge
from crmlogging.errors.verdicts.providers import slug_of

__all__ = ["classify", "classify_with"]


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

    The last answers are remembered (`crmlogging.errors.memory`), since failures come in storms.
    """
    try:
        memory = memory_of(catalog)
        if exception is None:
            return memory.answer(status, headers, body, provider, method, url)
        # What an answer says itself goes before its exception, which need not be read then.
        if isinstance(exception, BaseException) and status and headers and method and url:
            error = memory.answer(status, headers, body, provider, method, url)
            if error is not None and _stands(error, exception):
                return error
        return Case(catalog, status, headers, body, provider, exception, method, url).classified()
    except Exception:  # noqa: BLE001  # no input may break the caller
        return _last_resort(catalog, status, provider)


def _stands(error: CrmError, exception: BaseException) -> bool:
    """Whether the exception that brought an answer cannot overrule what that says itself."""
    if error.evidence == "status":
        return not names_a_code(exception)
    return error.evidence != "none"


def _last_resort(catalog: Catalog, status: object, provider: object) -> CrmError | None:
    """What is left when reading failed: the status alone."""
    answer = Answer(status=valid_status(status))
    verdict = judge(Finding(), answer, None, catalog)
    if verdict is None:
        verdict = Verdict(catalog.unknown, "none")
    return build(catalog, verdict, Finding(), answer, None, slug=slug_of(provider))
