"""How long to wait, as the answer tells it: in seconds from its own clock.

Order: ``Retry-After`` (RFC 9110 section 10.2.3: seconds or an HTTP date; some send ISO times), else
a reset header of a rate limit that is used up, else a delay in the body, in a field or in words.
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from crmlogging.errors.text.late import late

__all__ = [
    *("LIMIT_HEADERS", "MAX_DELAY_SECONDS", "RETRY_HEADERS", "Clock"),
    *("body_delay", "header_delay", "worded_delay"),
]

MAX_DELAY_SECONDS: Final = 32 * 86_400.0
"""Longest delay that is believed: a month and a day."""

_EPOCH_SECONDS: Final = 1_000_000_000.0
_EPOCH_MS: Final = 1_000_000_000_000.0
_MONTHS: Final = {
    name: number
    for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)
}
_NUMBER: Final = late(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*(ms|s|sec|secs|seconds?)?\s*", re.ASCII)
_HTTP_DATE: Final = late(
    r"(?:[A-Za-z]{3,9},? )?\s?(\d{1,2})[ -]([A-Za-z]{3})[ -](\d{2,4}) (\d\d):(\d\d):(\d\d)",
    re.ASCII,
)
_ASC_DATE: Final = late(
    r"[A-Za-z]{3} ([A-Za-z]{3}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d) (\d{4})", re.ASCII
)
_ISO_TIME: Final = late(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", re.ASCII)
_ISO_DURATION: Final = late(
    r"P(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?", re.ASCII
)
_CLOCK: Final = late(r"(?:(\d{1,3})\.)?(\d{1,3}):(\d\d):(\d\d)", re.ASCII)
_RESET_HEADERS: Final = (
    *("x-ratelimit-reset-after", "x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset"),
    *("rate-limit-reset", "x-ratelimit-requests-reset", "x-ratelimit-reset-requests"),
    *("x-rate-limit-reset-after", "x-rate-limit-reset-in", "x-ratelimit-retry-after"),
)
_REMAINING_HEADERS: Final = (
    *("x-ratelimit-remaining", "x-rate-limit-remaining", "ratelimit-remaining"),
)
RETRY_HEADERS: Final = {
    "retry-after-ms": 0.001, "x-ms-retry-after-ms": 0.001, "retry-after": 1.0, "x-retry-after": 1.0,
}  # fmt: skip
"""Headers that tell a delay whatever the error is, with their unit in seconds."""
LIMIT_HEADERS: Final = frozenset((*_RESET_HEADERS, *_REMAINING_HEADERS, "ratelimit"))
"""Headers that tell one where the error is a limit."""
_DRAFT_RESET: Final = late(r"(?:\breset|[;, ]t)=(\d{1,10}(?:\.\d{1,6})?)")
_BODY_KEYS: Final = {
    "retryafter": 1.0, "retryafterseconds": 1.0, "retryaftersec": 1.0, "retryaftersecs": 1.0,
    "retryafters": 1.0, "retryin": 1.0, "retryinseconds": 1.0, "retrydelay": 1.0,
    "ratereset": 1.0, "resetin": 1.0, "resetafter": 1.0, "resetinseconds": 1.0,
    "waitseconds": 1.0, "waittime": 1.0, "secondstowait": 1.0, "backoff": 1.0,
    "backoffseconds": 1.0, "delayseconds": 1.0, "retryafterms": 0.001,
    "retryaftermilliseconds": 0.001, "retryaftermillis": 0.001, "resetat": 1.0, "resettime": 1.0,
    "retryat": 1.0, "retryafterdate": 1.0, "estimatedresettime": 1.0, "nextretryat": 1.0,
    "availableat": 1.0, "ratelimitreset": 1.0, "wait": 1.0, "waitfor": 1.0, "waitsec": 1.0,
}  # fmt: skip
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_WORDED: Final = late(
    r"(?:retry|try(?: this| your request| the request)? again|wait|available(?: again)?|resets?"
    r"|replenished|back|retry[- ]after|blocked for)"
    r"[^\d.;]{0,40}?(\d{1,7}(?:\.\d{1,6})?)\s?"
    r"(milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)\b"
)
# "Versuchen Sie es in 30 Sekunden erneut", "intente de nuevo en 30 segundos", and so on.
_FOREIGN: Final = late(
    r"(?:erneut|wieder|warten|versuch|réessay|patient|attend|intent|vuelva|espere|tente|aguarde"
    r"|novamente|riprov|probeer|wacht)[^\d.;]{0,40}?(\d{1,7})\s?"
    r"(sekunden?|secondes?|segundos?|secondi|seconden|minuten?|minutes?|minutos?|minuti"
    r"|stunden?|heures?|horas?|uur)\b|(\d{1,7})\s?(秒|分|時間)(?:後|ほど|以上|お待ち)"
)
_FOREIGN_UNITS: Final = {"st": 3600.0, "he": 3600.0, "ho": 3600.0, "uu": 3600.0, "mi": 60.0,
                         "分": 60.0, "時間": 3600.0}  # fmt: skip
_WORDED_SECONDS: Final = late(r"retry[- ]after:?\s(\d{1,6})\b")
_WORDED_CLOCK: Final = late(r"(?:in|after)\s(\d{1,3}:\d\d:\d\d)\b")

Clock = Callable[[], float]


def header_delay(
    headers: Mapping[str, str], *, limited: bool, clock: Clock = time.time
) -> float | None:
    """Return the delay that `headers` (lower-case names) tell, in seconds.

    Args:
        headers: of the answer.
        limited: a limit caused the error; only then reset headers mean something.
        clock: the time, where the answer has no Date header; asked if the delay depends on it.
    """
    for name, scale in RETRY_HEADERS.items():
        value = headers.get(name)
        if value is not None:
            delay = _delay(value, headers, clock)
            if delay is not None:
                return _bounded(delay * scale)
    return _reset_delay(headers, clock) if limited else None


def _reset_delay(headers: Mapping[str, str], clock: Clock) -> float | None:
    for name in _REMAINING_HEADERS:
        remaining = headers.get(name, "0").strip()
        if remaining.isdigit() and remaining.strip("0"):
            return None  # This window is not the one that ran out.
    for name in _RESET_HEADERS:
        value = headers.get(name)
        if value is not None:
            delay = _delay(value, headers, clock)
            if delay is not None:
                return _bounded(delay)
    draft = _DRAFT_RESET.search(headers.get("ratelimit", ""))
    return _bounded(float(draft[1])) if draft else None


def _bounded(delay: float) -> float | None:
    return delay if 0 <= delay <= MAX_DELAY_SECONDS else None


def _delay(value: object, headers: Mapping[str, str], clock: Clock) -> float | None:
    """Read seconds, a time (epoch, HTTP date, ISO), a duration or a clock reading as seconds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_number(float(value), headers, clock)
    if not isinstance(value, str) or len(value) > 64:
        return None
    number = _NUMBER.fullmatch(value)
    if number is not None:
        seconds = float(number[1])
        return seconds / 1000 if number[2] == "ms" else _from_number(seconds, headers, clock)
    then = _time(value)
    if then is not None:
        return max(0.0, then - _now(headers, clock))
    return _duration(value)


def _from_number(number: float, headers: Mapping[str, str], clock: Clock) -> float:
    if number >= _EPOCH_MS:
        number /= 1000
    if number >= _EPOCH_SECONDS:
        return max(0.0, number - _now(headers, clock))
    return number


def _now(headers: Mapping[str, str], clock: Clock) -> float:
    now, told = clock(), _time(headers.get("date", ""))
    return now if told is None else told


def _time(text: str) -> float | None:
    """Return the POSIX time of an HTTP date (RFC 9110 section 5.6.7) or an ISO 8601 time."""
    try:
        if _ISO_TIME.match(text):
            moment = datetime.datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
        match = _HTTP_DATE.match(text)
        if match is not None:
            day, month, year, *clock = match.groups()
        else:
            match = _ASC_DATE.match(text)
            if match is None:
                return None
            month, day, *clock, year = match.groups()
        hour, minute, second = map(int, clock)
        full_year = int(year) + (2000 if len(year) == 2 else 0)
        moment = datetime.datetime(
            full_year, _MONTHS[month.lower()], int(day), hour, minute, second, tzinfo=datetime.UTC
        )
        return moment.timestamp()
    except (ValueError, KeyError, OverflowError):
        return None


def _duration(text: str) -> float | None:
    match = _ISO_DURATION.fullmatch(text)
    if match is not None and any(match.groups()):
        days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return days * 86_400 + hours * 3600 + minutes * 60 + seconds
    match = _CLOCK.fullmatch(text)
    if match is not None:
        days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return days * 86_400 + hours * 3600 + minutes * 60 + seconds
    return None


def body_delay(
    key: str, value: Any, headers: Mapping[str, str], clock: Clock = time.time
) -> float | None:
    """Return the delay under `key` of a body, in seconds; None if the key is no delay.

    Args:
        key: lower case without separators, as ``retryafter``.
        value: as the body has it.
        headers: of the answer, for its clock.
        clock: the time, where the answer has no Date header.
    """
    scale = _BODY_KEYS.get(key)
    if scale is None:
        return None
    delay = _delay(value, headers, clock)
    return None if delay is None else _bounded(delay * scale)


def worded_delay(words: str) -> float | None:
    """Return the delay that a lower-case message tells in words, in seconds.

    Example:
        >>> worded_delay("rate limit exceeded, retry in 30 seconds")
        30.0
    """
    match = _WORDED.search(words)
    if match is not None:
        unit = match[2]
        scale = 0.001 if unit.startswith(("ms", "mil")) else _UNITS[unit[0]]
        return _bounded(float(match[1]) * scale)
    match = _WORDED_SECONDS.search(words)
    if match is not None:
        return _bounded(float(match[1]))
    match = _FOREIGN.search(words)
    if match is not None:
        number, unit = match[1] or match[3], match[2] or match[4]
        return _bounded(float(number) * _FOREIGN_UNITS.get(unit[:2], 1.0))
    match = _WORDED_CLOCK.search(words)
    return _bounded(_duration(match[1]) or 0.0) if match else None
