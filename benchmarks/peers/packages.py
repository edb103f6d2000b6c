"""Peers with a logger of their own, set up as their docs recommend for speed."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Final

import orjson

from benchmarks import calls
from benchmarks.calls import Call, fields_of, through
from benchmarks.checking import standard
from benchmarks.peers.naive import NaiveFilter, correlation, filters_of, mask
from benchmarks.registry import Line, Place, peer
from benchmarks.workloads import CORRELATION_ID, LOGGER, Contact

__all__: list[str] = []

_LINES: Final = ("S1", "S2a", "S2b", "S2t", "S9")


@peer("structlog + orjson", *_LINES, needs=("structlog",))
def structlog_orjson(place: Place) -> Call:
    """The set-up of its page on performance; third parties through its formatter for logging."""
    structlog = import_module("structlog")
    before = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if place.scenario == "S2t":
        return _through_structlog(place, structlog, before)
    scenario = place.scenario

    def redact(logger: object, method: str, event: dict[str, Any]) -> dict[str, Any]:
        mask(scenario, event)
        return event

    if place.scenario == "S9":
        before.append(structlog.processors.format_exc_info)
    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            *before,
            *([redact] if place.scenario.startswith("S2") else []),
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=place.path.open("ab")),
    )
    correlation.set(CORRELATION_ID)
    bound, fields = structlog.get_logger(name=LOGGER), fields_of(place.scenario)
    if place.scenario == "S9":

        def failure(values: Contact) -> None:
            bound.error("Updated contact", exc_info=values[6], **fields(values))

        return failure

    def call(values: Contact) -> None:
        bound.error("Updated contact", **fields(values))

    return call


def _through_structlog(place: Place, structlog: Any, before: list[Any]) -> Call:
    handler = logging.FileHandler(place.path)
    handler.addFilter(NaiveFilter(place))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.EventRenamer("message"),
                structlog.processors.JSONRenderer(
                    serializer=lambda event, **options: orjson.dumps(event).decode()
                ),
            ],
        )
    )
    return through(place, handler)


def _of_loguru(line: Line) -> Line:
    record = line["record"]
    return {
        **record["extra"],
        "message": record["message"],
        "level": record["level"]["name"],
        "logger": record["extra"].get("logger"),
        "timestamp": record["time"]["timestamp"],
        "exception": f"{line['text']}{record['exception']}",
    }


@peer("loguru, serialize", *_LINES, needs=("loguru",), read=_of_loguru)
def loguru_serialize(place: Place) -> Call:
    """Its JSON sink; third parties through the handler of its docs."""
    loguru = import_module("loguru").logger
    loguru.remove()
    loguru.add(str(place.path), serialize=True, format="{message}", level="DEBUG")
    if place.scenario == "S2t":
        return through(place, _intercepting(loguru, place))
    if place.scenario.startswith("S2"):
        loguru.configure(patcher=lambda record: mask(place.scenario, record["extra"]))
    correlation.set(CORRELATION_ID)
    bound, fields = loguru.bind(logger=LOGGER), fields_of(place.scenario)
    if place.scenario == "S9":

        def failure(values: Contact) -> None:
            bound.opt(exception=values[6]).error("Updated contact", **fields(values))

        return failure

    def call(values: Contact) -> None:
        bound.error("Updated contact", **fields(values))

    return call


def _intercepting(loguru: Any, place: Place) -> logging.Handler:
    class InterceptHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            frame, depth = sys._getframe(1), 1
            while frame.f_back is not None and frame.f_code.co_filename == logging.__file__:
                frame, depth = frame.f_back, depth + 1
            bound = loguru.bind(logger=record.name).opt(depth=depth, exception=record.exc_info)
            bound.log(record.levelname, record.getMessage())

    handler = InterceptHandler()
    handler.addFilter(NaiveFilter(place))
    return handler


@peer(
    "aws-lambda-powertools",
    *("S1", "S2a", "S2b", "S9"),
    needs=("aws_lambda_powertools",),
    note="has no handler for third parties' records",
    read=lambda line: standard({"logger": line.get("service"), **line}),
)
def powertools(place: Place) -> Call:
    """Its Logger with orjson, as its docs show it."""
    handler = logging.FileHandler(place.path)
    for each in filters_of(place):
        handler.addFilter(each)
    logger = import_module("aws_lambda_powertools").Logger(
        service=LOGGER,
        level="INFO",
        logger_handler=handler,
        json_serializer=lambda line: orjson.dumps(line, default=str).decode(),
    )
    correlation.set(CORRELATION_ID)
    return calls.of(place, logger)


@peer(
    "picologging + orjson",
    *("S1", "S2a", "S2b", "S9"),
    needs=("picologging",),
    note="C++; no call site; takes no `extra`, so fields are the call's argument; not logging",
)
def picologging(place: Place) -> Call:
    """Ten lines of orjson behind its file handler; it has no JSON formatter."""
    module = import_module("picologging")
    scenario = place.scenario
    redacts = scenario.startswith("S2")

    class LineFormatter(module.Formatter):  # type: ignore[name-defined, misc]  # loaded by name
        def format(self, record: Any) -> str:
            line: dict[str, Any] = {
                "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
                "level": record.levelname,
                "logger": record.name,
                "message": record.msg,
                **record.args,
            }
            if redacts:
                mask(scenario, line)
            if record.exc_info:
                line["exception"] = self.formatException(record.exc_info)
            return orjson.dumps(line, default=str).decode()

    logger = module.getLogger(LOGGER)
    logger.setLevel(module.INFO)
    handler = module.FileHandler(str(place.path))
    handler.setFormatter(LineFormatter())
    logger.addHandler(handler)
    correlation.set(CORRELATION_ID)
    fields = fields_of(scenario)
    if scenario == "S9":

        def failure(values: Contact) -> None:
            error = values.error
            assert error is not None
            triple = (type(error), error, error.__traceback__)
            logger.error("Updated contact", fields(values), exc_info=triple)

        return failure

    def call(values: Contact) -> None:
        logger.error("Updated contact", fields(values))

    return call
