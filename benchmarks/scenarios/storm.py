"""S11: what an error costs that is held back, in a storm of identical ones."""

from __future__ import annotations

import json
import logging
import logging.config
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from itertools import count
from typing import Any, Final

from benchmarks import registry
from benchmarks.calls import lends_logger
from benchmarks.checking import lines_of
from benchmarks.peers.behind_logging import TenLineFormatter
from benchmarks.peers.floors import NOOP, NoOpHandler
from benchmarks.peers.ours import OWN, STOCK, adopt
from benchmarks.scenarios.lines import CPU, WALL

__all__: list[str] = []

_EXCEPTION: Final = "exception"
_HEAD: Final = "answer without a body"
_BODY: Final = "answer of 300 bytes"
_SAME: Final = "the same answer again"
_FIRST: Final = 5
Call = Callable[[BaseException, str], None]


def failures(variant: str, begin: int, end: int) -> list[tuple[BaseException, str]]:
    """Return failures as an outage brings them: alike but for ids and times; made beforehand."""
    if variant == _SAME:
        return [(_failure(_BODY, 0), "471100")] * (end - begin)
    return [(_failure(variant, number), f"{471_100 + number}") for number in range(begin, end)]


def _failure(variant: str, number: int) -> BaseException:
    try:
        _call_provider(variant, number)
    except Exception as error:  # noqa: BLE001  # whatever it raises is what is logged
        return error
    raise AssertionError("it raises")


def _call_provider(variant: str, number: int) -> None:
    if variant == _EXCEPTION:
        raise ConnectionError(f"contact {number} could not be reached")
    requests = import_module("requests")
    response = requests.Response()
    response.status_code = 503
    response.url = f"https://api.hubapi.com/crm/v3/objects/contacts/{471_100 + number}"
    response.headers.update(
        {
            "Content-Type": "application/json;charset=utf-8",
            "Date": f"Fri, 20 Nov 2026 10:{number // 60 % 60:02d}:{number % 60:02d} GMT",
            "X-Request-Id": f"0f1b6b31-94d5-4a3c-8d52-{number:012x}",
        }
    )
    response.request = requests.Request("PATCH", response.url).prepare()
    response._content = _body(number) if variant == _BODY else b""
    response.raise_for_status()


def _body(number: int) -> bytes:
    body = {
        "status": "error",
        "message": "The service is temporarily unavailable. Please try again in some minutes; "
        "the status of all services is on the status page.",
        "correlationId": f"0f1b6b31-94d5-4a3c-8d52-{number:012x}",
        "category": "SERVICE_UNAVAILABLE",
        "context": {"shard": ["na1"]},
    }
    text = json.dumps(body)
    return f"{text[:-1]}{' ' * (299 - len(text))}}}".encode()


def counted(peer: registry.Peer, place: registry.Place, rounds: int) -> Mapping[str, float]:
    """Make sure that passed and summarised records are those produced."""
    if peer.name == NOOP:
        return {}
    passed = told = 0
    for line, _ in lines_of(place.path):
        suppressed = line.get("error.suppressed")
        told += suppressed or 0
        passed += suppressed is None
    produced = rounds * place.records
    if peer.role == registry.OURS and passed + told != produced:
        raise registry.SkippedWorkError(f"{passed} passed and {told} told of {produced}")
    if not _FIRST <= passed <= max(4 * _FIRST, produced // 20):
        raise registry.SkippedWorkError(f"{passed} of {produced} passed")
    return {"passed": passed, "told": told}


def _limits(name: str, bare: float, with_body: float) -> tuple[registry.Target, ...]:
    return (
        registry.Target(name, "cpu", bare, variant=_EXCEPTION),
        registry.Target(name, "cpu", bare, variant=_HEAD),
        registry.Target(name, "cpu", with_body, variant=_BODY),
    )


@registry.scenario(
    "S11",
    title="an error that is held back, in a storm of identical ones; all four filters",
    measures=(CPU, WALL),
    check=counted,
    variants=(_EXCEPTION, _HEAD, _BODY, _SAME),
    unit=NOOP,
    targets=(*_limits(STOCK, 1.5, 2.5), *_limits(OWN, 1.0, 2.0)),
    records=500,
    rounds=7,
    note="Exceptions, answers, ids and times are new for each record, but in the last column.",
)
def storm(make: Callable[[registry.Place], Call], place: registry.Place) -> registry.Round:
    """Records are made beforehand; the few that pass are in the figures as well."""
    call, numbers = make(place), count()

    def work() -> Mapping[str, float]:
        begin = next(numbers) * place.records
        values = failures(place.variant, begin, begin + place.records)
        cpu, wall = time.process_time(), time.perf_counter()
        for error, resource_id in values:
            call(error, resource_id)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return {"cpu": cpu / place.records * 1e6, "wall": wall / place.records * 1e6}

    return work


def _through(handler: logging.Handler) -> Call:
    logger = lends_logger()
    logger.addHandler(handler)

    def call(error: BaseException, resource_id: str) -> None:
        logger.error(
            "Failed to update contact",
            exc_info=error,
            extra={"crm": "hubspot", "resource.id": resource_id},
        )

    return call


@registry.peer(
    NOOP, "S11", role=registry.FLOOR, needs=("requests",), note="the unit; it writes nothing"
)
def noop(place: registry.Place) -> Call:
    """The same call, to a handler that does nothing."""
    return _through(NoOpHandler())


class _NaiveGrouping(logging.Filter):
    """What a team writes itself: the first few of a message within a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[object, ...], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        kind = record.exc_info[0] if record.exc_info else None
        key = record.name, record.lineno, record.msg, kind
        began, number = self._seen.get(key, (record.created, 0))
        if record.created - began > 60:
            began, number = record.created, 0
        self._seen[key] = began, number + 1
        return number < _FIRST


@registry.peer("stdlib + naive filter", "S11", note="does not say how many; knows no answers")
def naive(place: registry.Place) -> Call:
    """Ten lines of orjson behind it."""
    handler = logging.FileHandler(place.path)
    handler.setFormatter(TenLineFormatter())
    handler.addFilter(_NaiveGrouping())
    return _through(handler)


def _ours(place: registry.Place, is_own: bool) -> Call:
    adopt(is_own)
    filters = {"correlation": "Correlation", "errors": "Error", "grouping": "Grouping"}
    document: dict[str, Any] = {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            **{name: {"()": f"crmlogging.{kind}Filter"} for name, kind in filters.items()},
            "allowlist": {"()": "crmlogging.AllowlistFilter", "fields": ["@crm"]},
        },
        "formatters": {"json": {"()": "crmlogging.JsonFormatter", "service": "crm-sync"}},
        "handlers": {
            "file": {
                "class": "logging.FileHandler",
                "filename": str(place.path),
                "formatter": "json",
            },
            "console": {
                "()": "crmlogging.AsyncHandler",
                "handlers": ["file"],
                "filters": ["correlation", "errors", "allowlist", "grouping"],
            },
        },
        "loggers": {"crm.sync": {"handlers": ["console"]}},
    }
    logging.config.dictConfig(document)
    [handler] = logging.getLogger("crm.sync").handlers
    return _through(handler)


registry.peer(STOCK, "S11", role=registry.OURS)(partial(_ours, is_own=False))
registry.peer(OWN, "S11", role=registry.OURS)(partial(_ours, is_own=True))
