"""Libraries at DEBUG, with secrets in URL, headers, body and answers: useful lines, no leak."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import crmlogging
from crmlogging.redaction import known_loggers
from tests.ways_out.conftest import SECRET, Output

log = logging.getLogger("crm.sync")


class TestRequests:
    def test_urllib3_and_requests(self, output: Output, url: str, secret: str) -> None:
        """Method, route and status of each exchange, retries and redirects included."""
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry

        with requests.Session() as session:
            session.mount("http://", HTTPAdapter(max_retries=Retry(1, status_forcelist=[503])))
            session.headers["Authorization"] = f"Bearer {secret}"
            session.post(f"{url}/contacts/4711?api_key={secret}", json={"email": secret})
            session.get(f"{url}/moved?k={secret}")
            for address in (f"{url}/fail?k={secret}", f"http://127.0.0.1:1/contacts?k={secret}"):
                try:
                    session.get(address)
                except requests.RequestException:
                    log.exception("Failed to fetch %s", address)
        output.assert_no_leak()
        exchanges = [
            (line["request.method"], line["request.path"], line["response.status"])
            for line in output.lines("urllib3.connectionpool")
            if "response.status" in line
        ]
        assert exchanges[:3] == [
            *(("POST", "/contacts/{id}", 200), ("GET", "/moved", 302), ("GET", "/contacts", 200)),
        ]
        (retry, *_) = output.lines("urllib3.util.retry")
        assert retry["message"] == "Incremented Retry for (url='%s'): %r"
        assert retry["request.path"] == "/fail"
        assert "Starting new HTTP connection (%d): %s:%s" in output.messages()
        codes = [line["error.code"] for line in output.lines("crm.sync")]
        assert codes == ["API_CALL_OVERLOADED", "API_CALL_CONNECTION_REFUSED"]


class TestStructlog:
    @pytest.fixture(autouse=True)
    def _as_it_was(self) -> Iterator[None]:
        import structlog

        yield
        structlog.reset_defaults()

    @pytest.mark.parametrize("way", ["kwargs", "mapping", "filtering"])
    def test_a_call_is_like_one_of_logging(self, way: str, output: Output, secret: str) -> None:
        """An event of one word, names of fields, what it builds; by each way into `logging`."""
        import structlog

        into: Any = structlog.stdlib.render_to_log_kwargs
        if way == "mapping":
            into = structlog.stdlib.ProcessorFormatter.wrap_for_formatter
        filtering = structlog.make_filtering_bound_logger(logging.DEBUG)
        structlog.configure(
            processors=[structlog.stdlib.PositionalArgumentsFormatter(), into],
            wrapper_class=filtering if way == "filtering" else structlog.stdlib.BoundLogger,
            logger_factory=structlog.stdlib.LoggerFactory(),
            cache_logger_on_first_use=False,
        )
        logger = structlog.get_logger("crm.sync").bind(crm="zoho", who=secret)
        for _ in range(3):
            logger.error("contact_failed", email=secret)
            logger.error(f"Contact {secret} failed")
            logger.error("Lost %s of %d", secret, 7)
            logger.error(secret.replace(" ", ""))
        output.assert_no_leak()
        found = output.lines("crm.sync")
        assert [line["message"] for line in found] == 3 * [
            *("contact_failed", "Contact {secret} failed", "Lost {secret} of {}"),
            "[DYNAMIC MESSAGE]",
        ]
        assert {line["crm"] for line in found} == {"zoho"}
        assert found[0]["email"] == "[REDACTED]"
        assert all("test_third_party.py:" in line["source"] for line in found)

    def test_a_processor_may_have_changed_the_text(self, output: Output, secret: str) -> None:
        """So no value is taken back out of it."""
        import structlog

        def sign(_: object, __: str, event: Any) -> Any:
            event["event"] += f"-{secret.replace(' ', '')}"
            return event

        structlog.configure(
            processors=[sign, structlog.stdlib.render_to_log_kwargs],
            wrapper_class=structlog.stdlib.BoundLogger,
            logger_factory=structlog.stdlib.LoggerFactory(),
            cache_logger_on_first_use=False,
        )
        crm = "zoho"
        structlog.get_logger("crm.sync").error(f"Lost {crm}")
        output.assert_no_leak()
        (line,) = output.lines("crm.sync")
        assert line["message"] == "Lost {crm}"
        assert "crm" not in line

    @pytest.mark.parametrize("kind", [logging.Logger, crmlogging.Logger])
    def test_a_processor_may_have_changed_the_arguments(
        self, kind: type[logging.Logger], output: Output
    ) -> None:
        """So one is named only after the very variable that it is, in every record of a call."""

        def exchange(_: object, __: str, event: Any) -> Any:
            if event.pop("exchanged"):
                event["positional_args"] = ("canary-1", None)
            return event

        logger, crm = self._bound_to(kind("crm.sync"), exchange), "zoho"
        user = SimpleNamespace(id="canary-2")
        for exchanged in [False] * 9 + [True] * 9:
            logger.error("Lost %s of %s", crm, user.id, exchanged=exchanged)
            logger.error(f"Lost {user.id} %s of %s", crm, user.id, exchanged=exchanged)
        found = output.lines("crm.sync")
        assert "canary" not in str(found)
        assert not any("user.id" in line for line in found)
        assert [line.get("crm") for line in found] == ["zoho"] * 18 + [None] * 18

    def test_nor_what_the_same_call_tells_another_logger(self, output: Output) -> None:
        """What a call of `logging`'s own logger was found to say holds for that one alone."""

        def exchange(_: object, __: str, event: Any) -> Any:
            event["positional_args"] = ("canary-1",)
            return event

        import structlog

        # As its factory makes them: their records name the caller of structlog.
        plain, crm = structlog.stdlib._FixedFindCallerLogger("crm.sync"), "zoho"
        plain.parent = logging.root
        for logger in [plain] * 9 + [self._bound_to(plain, exchange)] * 2:
            logger.error("Lost %s", crm)
        found = output.lines("crm.sync")
        assert [line.get("crm") for line in found] == ["zoho"] * 9 + [None] * 2

    def test_a_record_kept_back_is_not_named_after_another_call(self, output: Output) -> None:
        """Its place, a line of structlog, is running again when it is handed on."""
        kept: list[logging.LogRecord] = []
        underlying = crmlogging.Logger("crm.sync")
        underlying.addFilter(lambda record: kept.append(record) or len(kept) > 1)  # type: ignore[func-returns-value]  # kept back
        underlying.addFilter(lambda _: [*map(logging.root.handle, kept)] == [])
        logger, crm, email = self._bound_to(underlying), "zoho", "canary-1"
        logger.error("Lost %s", email)
        logger.error("Lost %s", crm)
        first, second = output.lines("crm.sync")
        assert "canary" not in str(first)
        assert second["crm"] == "zoho"

    def test_a_literal_is_one_of_its_own_call_only(self, output: Output) -> None:
        """All calls share a line of structlog, and equal words may be one object."""
        logger = self._bound_to(crmlogging.Logger("crm.sync"))
        word = sys.intern("Maria".lower())
        for _ in range(9):
            logger.error("maria")
            logger.error(word)
        assert output.messages("crm.sync") == ["maria", "[DYNAMIC MESSAGE]"] * 9

    def _bound_to(self, underlying: logging.Logger, *processors: Any) -> Any:
        """Return structlog's logger before one that finds its callers in structlog."""
        import structlog

        underlying.parent = logging.root
        structlog.configure(
            processors=[*processors, structlog.stdlib.render_to_log_args_and_kwargs],
            wrapper_class=structlog.stdlib.BoundLogger,
            logger_factory=lambda *_: underlying,
            cache_logger_on_first_use=False,
        )
        return structlog.get_logger()


class TestHttpx:
    def test_httpx_and_httpcore(self, output: Output, url: str, secret: str) -> None:
        """The route of a URL object, and no header that httpcore shows."""
        import httpx

        with httpx.Client(follow_redirects=True, headers={"Authorization": secret}) as client:
            client.post(f"{url}/contacts/4711?api_key={secret}", json={"email": secret})
            client.get(f"{url}/moved?k={secret}")
        output.assert_no_leak()
        assert [
            (line["request.method"], line["request.path"], line["response.status"])
            for line in output.lines("httpx")
        ] == [("POST", "/contacts/{id}", 200), ("GET", "/moved", 302), ("GET", "/contacts", 200)]
        assert len(output.lines("httpcore")) > 10
        shown = {line["message"] for line in output.lines("httpcore")}
        assert "send_request_headers.started ..." in shown


class TestBoto3:
    def test_botocore_and_s3transfer(
        self, output: Output, url: str, secret: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Signatures, session token, key, metadata and body are logged by botocore, not by us."""
        import boto3
        from botocore.config import Config
        from botocore.exceptions import ClientError

        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.setitem(os.environ, name, f"AKIA{secret}")
        client = boto3.client(
            "s3",
            region_name="eu-west-1",
            endpoint_url=url,
            config=Config(retries={"max_attempts": 1}),
        )
        metadata = {"owner": secret}
        client.put_object(Bucket="b", Key=secret, Body=secret.encode(), Metadata=metadata)
        try:
            client.get_object(Bucket="fail", Key=secret)
        except ClientError:
            log.exception("Failed to fetch %s", secret)
        client.close()
        output.assert_no_leak()
        assert "akia" not in output.stream.getvalue().lower()
        messages = output.messages("botocore")
        assert "Calculating signature using v4 auth." in messages
        assert "CanonicalRequest:\n%s" in messages
        assert "Event %s: calling handler %s" in messages


class TestAiohttp:
    def test_client_and_server(self, output: Output, url: str, secret: str) -> None:
        """Access lines, which are one text of values, and a view's failure."""
        from aiohttp import ClientSession, web

        async def fail(request: web.Request) -> web.Response:
            raise ValueError(f"no contact {request.query['email']}")

        async def main() -> None:
            application = web.Application()
            application.router.add_get("/fail", fail)
            runner = web.AppRunner(application)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            own = f"http://127.0.0.1:{runner.addresses[0][1]}"
            async with ClientSession(headers={"Authorization": secret}) as session:
                for address in (f"{url}/contacts?email={secret}", f"{own}/fail?email={secret}"):
                    async with session.get(address) as answer:
                        await answer.read()
            await runner.cleanup()

        asyncio.run(main(), debug=True)
        output.assert_no_leak()
        (failed,) = output.lines("aiohttp.server")
        assert failed["message"] == "Error handling request from %s"
        assert failed["error.type"] == "ValueError"
        assert output.messages("aiohttp.access") == ["[DYNAMIC MESSAGE]"]


class TestSqlalchemy:
    def test_statements_and_parameters(self, output: Output, secret: str) -> None:
        """The engine's echo holds statements, parameters and rows; none of them is a literal."""
        import sqlalchemy

        logging.getLogger("sqlalchemy").setLevel(logging.DEBUG)  # else its own level is WARNING
        engine = sqlalchemy.create_engine("sqlite://", creator=lambda: sqlite3.connect(":memory:"))
        with engine.connect() as connection:
            query = sqlalchemy.text("select :email as email where 'x' != :email")
            assert connection.execute(query, {"email": secret}).scalar() == secret
            try:
                connection.execute(sqlalchemy.text(f"select '{secret}' from nowhere"))
            except sqlalchemy.exc.OperationalError:
                log.exception("Failed to query")
        engine.dispose()
        output.assert_no_leak()
        assert output.lines("sqlalchemy.engine")
        (failed,) = output.lines("crm.sync")
        assert failed["error.type"] == "sqlalchemy.exc.OperationalError"


class TestKnownTexts:
    @pytest.mark.parametrize(
        ("logger", "message", "expected"),
        [
            pytest.param(
                "asyncio",
                f"Task exception was never retrieved\nfuture: <Task name='{SECRET}'>",
                "Task exception was never retrieved",
                id="task",
            ),
            pytest.param(
                "asyncio",
                f"Exception in callback print('{SECRET}')\nhandle: <Handle>",
                "Exception in callback ...",
                id="callback",
            ),
            pytest.param("asyncio", f"{SECRET}\nfuture: x", None, id="somebody-s-own"),
            pytest.param(
                "httpcore.http11", "response_closed.complete", "response_closed.complete", id="bare"
            ),
            pytest.param(
                "httpcore.connection",
                f"connect_tcp.started host='{SECRET}'",
                "connect_tcp.started ...",
                id="with-values",
            ),
            pytest.param("httpcore.http11", f"{SECRET}.started", None, id="no-event"),
            pytest.param("httpcorex", "close.started", None, id="another-logger"),
            pytest.param(
                "py.warnings", f"unclosed file <name='{SECRET}'>", "unclosed file ...", id="file"
            ),
            pytest.param("py.warnings", f"coroutine {SECRET}", None, id="half-a-coroutine"),
            pytest.param("crm.sync", "Exception in callback x", None, id="other-loggers"),
            pytest.param(
                "celery.worker.strategy",
                "Task %(name)s[%(id)s] received",
                "Task %(name)s[%(id)s] received",
                id="celery",
            ),
        ],
    )
    def test_are_our_own_words(self, logger: str, message: str, expected: str | None) -> None:
        """Of a message of text and values the text is shown, as it stands in our table."""
        assert known_loggers.template_of(logger, message) == expected


class TestKnownArguments:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            pytest.param("/contacts?k=1", "/contacts?k=1", id="path"),
            pytest.param("http://u:p@crm.example/contacts?k=1", "/contacts", id="url"),
            pytest.param("https://crm.example?k=1", "/", id="no-path"),
            pytest.param(7, 7, id="no-text"),
        ],
    )
    def test_a_url_is_its_path(self, url: Any, expected: object) -> None:
        """urllib3 names the whole URL where a proxy stands between."""
        fields = known_loggers.fields_of_call("urllib3.connectionpool", "Retry: %s", (url,))
        assert fields == (("request.path", expected),)
