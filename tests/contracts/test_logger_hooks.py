"""Tools that reach into `logging` work on our loggers: the real packages, set up at any time.

Each is set up after a call has been made several times, as a service may be on its way when
somebody instruments it; the next call from the same place has to reach the tool, and the file.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog

from crmlogging import Logger
from crmlogging.logger import adopt_loggers
from tests.contracts.conftest import MakeCase

pytest_plugins = ["pytester"]

BEGIN = """
import json, logging, sys
import crmlogging
from crmlogging.logger import adopt_loggers

logger = logging.getLogger("contract")
if sys.argv[2] == "ours":
    adopt_loggers()
    assert isinstance(logger, crmlogging.Logger)
logger.setLevel(logging.DEBUG)
handler = crmlogging.RetentionFileHandler(sys.argv[1], tiers={"standard": 90})
handler.setFormatter(crmlogging.JsonFormatter())
handler.addFilter(crmlogging.AllowlistFilter(["@crm", "otelTraceID"]))
logger.addHandler(handler)
def say(): logger.error("Failed %s", "c-1", extra={"crm": "zoho"})
def tell(): logger.info("Synced", extra={"crm": "zoho"})
for _ in range(3): say()
for _ in range(3): tell()
told = {}
"""
END = "\nprint(json.dumps(told))\n"

SENTRY = """
import sentry_sdk
events, crumbs = [], []
sentry_sdk.init(
    dsn="http://key@127.0.0.1:9/1", auto_enabling_integrations=False,
    before_send=lambda event, hint: events.append((event, hint)),
    before_breadcrumb=lambda crumb, hint: crumbs.append(crumb) or crumb,
)
tell(); say()
try: 1 / 0
except ZeroDivisionError: logger.exception("Failed")
(first, hint), (second, _) = events
told["messages"] = [first["logentry"]["message"], first["logentry"]["params"]]
told["extra"] = first["extra"]["crm"]
told["logger"] = first["logger"]
told["record"] = [hint["log_record"].funcName, hint["log_record"].getMessage()]
told["exception"] = second["exception"]["values"][0]["type"]
told["crumbs"] = [crumb["message"] for crumb in crumbs]
"""

OPENTELEMETRY = """
from opentelemetry.instrumentation.logging import LoggingInstrumentor
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
exporter, provider = InMemoryLogRecordExporter(), LoggerProvider()
provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
instrumentor = LoggingInstrumentor()
instrumentor.instrument(
    inject_trace_context=True, enable_log_auto_instrumentation=False,
    log_hook=lambda span, record: setattr(record, "hooked", True),
)
with TracerProvider().get_tracer("sync").start_as_current_span("sync") as span:
    say()
    collecting = LoggingHandler(logger_provider=provider)
    logger.addHandler(collecting)
    say()
    told["trace"] = format(span.get_span_context().trace_id, "032x")
(sent,) = exporter.get_finished_logs()
told["sent"] = json.loads(sent.log_record.to_json() if hasattr(sent.log_record, "to_json")
                          else sent.to_json())
logger.removeHandler(collecting)
instrumentor.uninstrument()
say()
"""


def run(program: str, directory: Path, loggers: str) -> tuple[Any, list[dict[str, Any]]]:
    """Run a program in a process of its own; return what it told, and the lines it wrote."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + program + END, str(directory / "crm.jsonl"), loggers],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = (directory / "crm.jsonl").read_text().splitlines()
    return json.loads(done.stdout.splitlines()[-1]), [json.loads(line) for line in lines][6:]


@pytest.mark.parametrize("loggers", ["standard", "ours"])
class TestTracers:
    def test_sentry(self, tmp_path: Path, loggers: str) -> None:
        """It replaces `Logger.callHandlers`: events, breadcrumbs, and our lines as before."""
        told, lines = run(SENTRY, tmp_path, loggers)
        assert told["messages"] == ["Failed %s", ["c-1"]]
        assert (told["extra"], told["logger"]) == ("zoho", "contract")
        assert told["record"] == ["say", "Failed c-1"]
        assert told["exception"] == "ZeroDivisionError"
        assert told["crumbs"][0] == "Synced"
        assert [line["message"] for line in lines] == ["Synced", "Failed %s", "Failed"]
        assert lines[2]["error.type"] == "ZeroDivisionError"

    def test_opentelemetry(self, tmp_path: Path, loggers: str) -> None:
        """Its record factory adds the ids, its handler exports, and both can be taken back."""
        told, lines = run(OPENTELEMETRY, tmp_path, loggers)
        assert told["sent"]["body"] == "Failed c-1"
        assert told["sent"]["attributes"]["crm"] == "zoho"
        assert told["sent"]["attributes"]["hooked"] is True
        assert [line.get("otelTraceID") for line in lines] == [told["trace"], told["trace"], None]


class TestPytest:
    @pytest.mark.parametrize("case", ["standard-file", "ours-file", "adopted-file"])
    def test_caplog(self, make_case: MakeCase, case: str, caplog: pytest.LogCaptureFixture) -> None:
        """Levels, records and texts, for a logger that reaches root."""
        lent = make_case(case)
        logger = lent.logger
        logger.setLevel(logging.WARNING)
        logger.propagate = True

        def say() -> None:
            logger.info("Synced %s", "c-1", extra={"crm": "zoho"})

        say()
        assert caplog.records == []
        caplog.set_level(logging.INFO, logger="contract")
        say()
        assert caplog.record_tuples == [("contract", logging.INFO, "Synced c-1")]
        assert (vars(caplog.records[0])["crm"], caplog.records[0].funcName) == ("zoho", "say")
        assert "Synced c-1" in caplog.text
        caplog.clear()
        with caplog.at_level(logging.ERROR, logger="contract"):
            say()
        assert caplog.messages == []
        say()
        with caplog.filtering(logging.Filter("other")):
            say()
        assert caplog.messages == ["Synced c-1"]
        assert lent.said() == ["Synced %s"] * 3

    def test_loggers_cut_off_from_root(self, pytester: pytest.Pytester) -> None:
        """Newer versions of pytest add their handlers to these; ours take and lose them."""
        pytester.makepyfile(
            """
            import logging
            import crmlogging
            logging.setLoggerClass(crmlogging.Logger)
            logger = logging.getLogger("contract")
            logger.propagate = False

            def test_first(caplog):
                logger.addHandler(caplog.handler)
                logger.error("Failed", extra={"crm": "zoho"})
                assert caplog.records[0].crm == "zoho"
                logger.removeHandler(caplog.handler)

            def test_second():
                before = len(logger.handlers)
                logger.error("Failed", extra={"crm": "zoho"})
                assert len(logger.handlers) == before
            """
        )
        outcome = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider")
        outcome.assert_outcomes(passed=2)


class TestStructlog:
    def test_it_stands_on_a_logger_of_ours(self, make_case: MakeCase) -> None:
        """structlog's wrapper of standard loggers passes its words and fields on."""
        case = make_case("ours-both")
        wrapped = structlog.wrap_logger(
            case.logger,
            processors=[
                structlog.stdlib.filter_by_level,
                structlog.stdlib.add_log_level,
                structlog.stdlib.render_to_log_kwargs,
            ],
            wrapper_class=structlog.stdlib.BoundLogger,
        ).bind(crm="zoho")
        for _ in range(2):
            wrapped.error("Failed", **{"resource.id": "c-1"})
            wrapped.debug("Synced")
        assert [vars(each)["crm"] for each in case.records] == ["zoho"] * 4
        assert [line["level"] for line in case.lines()] == ["ERROR", "DEBUG"] * 2
        assert case.lines()[2]["resource.id"] == "c-1"


class TestAdopted:
    def test_a_library_s_logger_is_taken_over_while_it_is_used(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """`configure` comes when modules have made their loggers, and have logged with them."""
        logger = logging.getLogger("contract.library")
        try:
            for expected in (logging.Logger, Logger):
                logger.error("Failed", extra={"crm": "zoho"})
                assert type(logger) is expected
                adopt_loggers()
        finally:
            logging.root.manager.loggerDict.pop("contract.library")
        assert caplog.messages == ["Failed"] * 2
