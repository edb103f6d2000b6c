"""Exceptions: their chain of causes, and the answer that one of them carries.

Live objects are walked along ``__cause__`` and ``__context__``, wrapped reasons and groups,
bounded. The text form ``"module.Class: message"``, as logs have it, gives the same as far as a
text can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from crmlogging.errors.answers.bodies import embedded_tree
from crmlogging.errors.raised.responses import Exchange, exchange_of, get_attribute
from crmlogging.errors.text.late import late

__all__ = ["Fault", "answer_in", "names_a_code", "read_fault", "told_fault"]

_MAX_LINKS: Final = 24
_MAX_TEXT: Final = 16_384
_NAMED: Final = late(r"([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)(?::\s|:?$)")
_STATUSES: Final = (
    late(r"^(\d{3}) (?:Client|Server) Error\b"),
    late(r"(?:Client|Server|Redirect) (?:error|response) '(\d{3}) "),
    late(r"HTTP Error (\d{3})\b"),
    late(r"<?HttpError (\d{3})\b"),
    late(r"^[(\[](\d{3})(?:[)\]]|: [A-Z]{3,7}\])\s"),
    late(r"^(?:HTTP )?(\d{3}), message="),
    late(r"^Error code: (\d{3})\b"),
    late(
        r"\b(?:status[ _]?code|response code|http status|status|HTTP)[ :=]{1,3}(\d{3})\b",
        re.IGNORECASE,
    ),
    late(r"^(\d{3}) [A-Z][a-z]+"),
    late(r"too many (\d{3}) error responses"),
)
# Before it may stand other braces: those of the headers' mapping.
_BODY: Final = late(r"\b(?:response )?(?:body|content|text): ?(?=b?['\"]?[\[{])", re.IGNORECASE)
_CODE: Final = late(r"An error occurred \(([A-Za-z0-9._-]{2,64})\) when calling")
_GRPC: Final = late(r"StatusCode\.([A-Z_]{2,32})")
_LEADING_CODE: Final = late(r"^(?:Error Code )?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b[:.]")


@dataclass(slots=True)
class Fault:
    """An exception, read.

    Attributes:
        names: qualified class names, the innermost cause first.
        text: what all of them say.
        exchange: the answer that one carries, or what its text tells of it.
        code: an error code that the text names.
    """

    names: list[str] = field(default_factory=list)
    text: str = ""
    exchange: Exchange | None = None
    code: str = ""


def read_fault(exception: object) -> Fault | None:
    """Return `exception` (an exception, its text, or a fault) as a fault, else None."""
    if isinstance(exception, Fault):
        return exception
    if isinstance(exception, BaseException):
        fault = _from_chain(exception)
    elif isinstance(exception, str) and exception.strip():
        fault = _from_text(exception[:_MAX_TEXT])
    else:
        return None
    if fault.exchange is None:
        fault.exchange = _told_exchange(fault)
    return fault


def told_fault(names: list[str], text: str) -> Fault:
    """Return a fault of which no more is known than these classes and words."""
    fault = Fault(names=names, text=text)
    fault.exchange = _told_exchange(fault)
    return fault


def _from_chain(exception: BaseException) -> Fault:
    fault = Fault()
    texts = []
    for link in _links(exception):
        kind = type(link)
        fault.names.append(f"{kind.__module__}.{kind.__qualname__}")
        try:
            texts.append(str(link)[:_MAX_TEXT])
        except Exception:  # noqa: BLE001  # a __str__ that raises says nothing
            pass
        if fault.exchange is None:
            fault.exchange = exchange_of(link)
        if not fault.code:
            code = get_attribute(link, "code")
            fault.code = code if isinstance(code, str) else ""
    fault.names.reverse()
    fault.text = "\n".join(texts)[:_MAX_TEXT]
    return fault


def answer_in(exception: BaseException) -> Exchange | None:
    """Return the answer that an exception or one of its causes carries, without reading more."""
    for link in _links(exception):
        exchange = exchange_of(link)
        if exchange is not None:
            return exchange
    return None


def names_a_code(exception: BaseException) -> bool:
    """Whether an exception or one of its causes has an error code beside its answer."""
    return any(isinstance(get_attribute(link, "code"), str) for link in _links(exception))


def _links(exception: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what caused it, outermost first, each once."""
    waiting: list[Any] = [exception]
    seen: set[int] = set()
    while waiting and len(seen) < _MAX_LINKS:
        link = waiting.pop(0)
        # By type: a proxy asked for its class looks up what it stands for.
        if not issubclass(type(link), BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        if isinstance(link, BaseExceptionGroup):
            waiting.extend(link.exceptions[:8])
        reason = get_attribute(link, "reason")  # urllib3, urllib
        attempt = get_attribute(link, "last_attempt")  # tenacity
        waiting.extend(
            (reason, get_attribute(attempt, "_exception"), get_attribute(link, "os_error"))
        )
        waiting.extend(arg for arg in link.args[:4] if issubclass(type(arg), BaseException))
        waiting.append(link.__cause__ or (None if link.__suppress_context__ else link.__context__))


def _from_text(text: str) -> Fault:
    # A traceback ends in the line that counts.
    if text.startswith("Traceback "):
        lines = [line for line in text.splitlines() if line and not line[0].isspace()]
        text = lines[-1] if lines else text
    match = _NAMED.match(text.strip())
    if match is None:
        return Fault(text=text)
    return Fault(names=[match[1]], text=text.strip()[match.end() :])


def _told_exchange(fault: Fault) -> Exchange | None:
    """Return the status and body that the texts of SDKs quote."""
    text = fault.text
    match = _CODE.search(text) or _GRPC.search(text) or _LEADING_CODE.match(text)
    if match is not None:
        fault.code = match[1]
    status = None
    for pattern in _STATUSES:
        found = pattern.search(text)
        if found is not None and 300 <= int(found[1]) < 600:
            status = int(found[1])
            break
    found = _BODY.search(text)
    told = text if found is None else text[found.end() :]
    body = embedded_tree(told) if "{" in told else None
    if status is None and not _is_error_body(body):
        return None
    return Exchange(status=status, body=body if _is_error_body(body) else None)


def _is_error_body(body: Any) -> bool:
    first = body[0] if isinstance(body, list) and body else body
    return isinstance(first, dict) and any(
        isinstance(key, str) and key.lower().replace("_", "") in _TELLING for key in first
    )


_TELLING: Final = frozenset(
    (
        "error errors code errorcode message status category title fault detail exceptioncode msg"
    ).split()
)
