"""Promises of `ErrorFilter`: every client's failures become fields, and nothing else changes."""

from __future__ import annotations

import http.server
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Final

import httpx
import pytest
import requests
import urllib3
from botocore.exceptions import ClientError, EndpointConnectionError

from crmlogging.errors.classify import classify
from crmlogging.exceptions import ConfigurationError
from crmlogging.fields import MISFIT, conform, field_named
from crmlogging.filters.errors import ErrorFilter
from crmlogging.records import SafeRecord

EXPIRED: Final = {
    "status": "error",
    "message": "The OAuth token expired 5 minutes ago for ada@example.com",
    "correlationId": "019d2c11-7a40-7c1e-9b1e-3f1f0a5be101",
    "category": "EXPIRED_AUTHENTICATION",
}
WRITTEN: Final = {
    *("error.category", "error.code", "error.summary", "error.retryable", "error.actionable"),
    *("error.owner", "error.tier", "error.fingerprint", "error.instance"),
}

# What a program logs first, as fields of its record.
FIRST_ERRORS: Final = (
    pytest.param(
        "{'error': answer('api.hubapi.com', '{\"category\": \"VALIDATION_ERROR\", \"message\":'"
        '\' "Property email: ada@ is no valid email", "correlationId": "6d1d9bd0-0b4c"}\')}',
        id="code",
    ),
    pytest.param(
        "{'response': answer('crm.example', '{\"error\": {\"message\": \"Your plan does not'"
        "' include webhooks\"}}').response}",
        id="words",
    ),
    pytest.param("{'error': answer('x.salesforce.com', '<html><b>Busy</b></html>')}", id="page"),
    pytest.param("{'error': ConnectionError('[Errno 111] Connection refused')}", id="network"),
    pytest.param("{'error': KeyError('contact')}", id="bug"),
)

Describe = Callable[..., dict[str, Any]]


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers any request with the expired token."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps(EXPIRED).encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-RateLimit-Limit", "100")
        self.send_header("X-RateLimit-Remaining", "7")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """Refuse to read."""
        self._answer()

    def do_POST(self) -> None:
        """Refuse to create."""
        self._answer()

    def do_PATCH(self) -> None:
        """Refuse to change."""
        self._answer()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Lend the address of a server that refuses every token."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


@pytest.fixture
def describe() -> Describe:
    """Run the filter on a record with `extra`, or with an exception, and return its fields."""

    def run(exception: BaseException | None = None, **extra: Any) -> dict[str, Any]:
        info = (type(exception), exception, None) if exception is not None else None
        record = logging.makeLogRecord({"msg": "failed", "exc_info": info, **extra})
        record.__dict__["record.id"] = "1f-1"
        assert ErrorFilter().refine(record) is record
        return vars(record)

    return run


def raised(call: Callable[[], object]) -> BaseException:
    """Return the exception that `call` raises."""
    try:
        call()
    except Exception as error:  # any client's own
        return error
    raise AssertionError("nothing was raised")


def assert_expired_token(fields: dict[str, Any]) -> None:
    """The expired token of `Answering` was understood."""
    assert fields.keys() >= WRITTEN
    assert fields["error.category"] == "auth"
    assert fields["error.provider_code"] == "EXPIRED_AUTHENTICATION"
    assert fields["request.id"] == EXPIRED["correlationId"]
    assert fields["response.status"] == 401
    assert fields["crm"] == "hubspot"
    assert "ada@example.com" not in repr({k: v for k, v in fields.items() if "." in k})


class TestClients:
    def test_requests_exception(self, server: str, describe: Describe) -> None:
        """What `raise_for_status` raises tells answer and request, without values of the URL."""

        def call() -> None:
            url = f"{server}/crm/v3/objects/contacts/90817?email=ada@example.com"
            requests.patch(url, json={}, timeout=60).raise_for_status()

        fields = describe(raised(call))
        assert_expired_token(fields)
        assert fields["request.method"] == "PATCH"
        assert fields["request.path"] == "/crm/v3/objects/contacts/{id}"
        assert fields["error.code"] == "CONTACT_UPDATE_TOKEN_EXPIRED"
        assert (fields["ratelimit.limit"], fields["ratelimit.remaining"]) == (100, 7)

    def test_requests_response_in_extra(self, server: str, describe: Describe) -> None:
        """A response under ``extra={"response": r}`` is read and taken off the record."""
        response = requests.get(f"{server}/contacts", timeout=60)
        fields = describe(response=response)
        assert_expired_token(fields)
        assert "response" not in fields

    def test_exception_in_extra(self, server: str, describe: Describe) -> None:
        """An exception under ``extra={"error": e}`` is read and taken off the record."""
        response = requests.get(f"{server}/contacts", timeout=60)
        fields = describe(error=raised(response.raise_for_status))
        assert_expired_token(fields)
        assert "error" not in fields

    def test_httpx_exception(self, server: str, describe: Describe) -> None:
        """The same for httpx."""

        def call() -> None:
            httpx.post(f"{server}/crm/v3/objects/contacts", json={}).raise_for_status()

        fields = describe(raised(call))
        assert_expired_token(fields)
        assert fields["request.path"] == "/crm/v3/objects/contacts"

    def test_urllib3_response(self, server: str, describe: Describe) -> None:
        """The same for urllib3, which has no exception for a status."""
        with urllib3.PoolManager() as pool:
            response = pool.request("GET", f"{server}/contacts", retries=False)
        assert_expired_token(describe(response=response))

    def test_botocore_error(self, describe: Describe) -> None:
        """A ClientError brings its code and ids in a mapping."""
        answer: Any = {
            "Error": {"Code": "SlowDown", "Message": "Reduce your request rate."},
            "ResponseMetadata": {
                "HTTPStatusCode": 503,
                "RequestId": "4442587FB7D0A2F9",
                "HTTPHeaders": {"retry-after": "3"},
            },
        }
        fields = describe(ClientError(answer, "PutObject"))
        assert fields["error.category"] == "transient"
        assert fields["error.provider_code"] == "SlowDown"
        assert fields["request.id"] == "4442587FB7D0A2F9"
        assert fields["request.delay_ms"] == 3_000

    def test_botocore_without_answer(self, describe: Describe) -> None:
        """An endpoint that cannot be reached is known by the exception's class."""
        fields = describe(EndpointConnectionError(endpoint_url="https://s3.example/"))
        assert fields["error.category"] == "unreachable"

    def test_refused_connection(self, describe: Describe) -> None:
        """Nobody listens: unreachable, through all wrappers of requests and httpx."""
        address = "http://127.0.0.1:9/"
        for call in (lambda: requests.get(address, timeout=60), lambda: httpx.get(address)):
            fields = describe(raised(call))
            assert fields["error.category"] == "unreachable"
            assert fields["error.retryable"] is True
            assert fields["error.code"].endswith("_CONNECTION_REFUSED")

    @pytest.mark.parametrize(
        ("attributes", "category", "code"),
        [
            pytest.param(
                {
                    "url": "https://acme.my.salesforce.com/services/data/v60.0/sobjects/Contact",
                    "status": 400,
                    "resource_name": "Contact",
                    "content": [{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "x"}],
                },
                *("transient", "UNABLE_TO_LOCK_ROW"),
                id="simple-salesforce",
            ),
            pytest.param(
                {
                    "status": 401,
                    "reason": "Unauthorized",
                    "body": json.dumps(EXPIRED),
                    "headers": {"Content-Type": "application/json"},
                },
                *("auth", "EXPIRED_AUTHENTICATION"),
                id="hubspot-api-client",
            ),
            pytest.param(
                {
                    "http_status": 429,
                    "http_body": '{"error":{"code":"lock_timeout","type":"invalid_request_error"}}',
                    "headers": {"Stripe-Version": "2024-06-20", "Request-Id": "req_1"},
                    "code": "lock_timeout",
                },
                *("transient", "lock_timeout"),
                id="stripe",
            ),
            pytest.param(
                {
                    "status": 404,
                    "message": "Not Found",
                    "headers": {},
                    "request_info": type(
                        "Info", (), {"method": "GET", "url": "http://h/leads/7"}
                    )(),
                },
                *("validation", None),
                id="aiohttp",
            ),
        ],
    )
    def test_shapes_of_sdks(
        self, attributes: dict[str, Any], category: str, code: str | None, describe: Describe
    ) -> None:
        """SDK exceptions are known by what they carry, without importing any of them."""
        error = type("SdkError", (Exception,), {})("failed")
        vars(error).update(attributes)
        fields = describe(error)
        assert fields["error.category"] == category
        assert fields.get("error.provider_code") == code


class TestChains:
    def test_cause_is_found(self, server: str, describe: Describe) -> None:
        """An application's own exception is described by what it was raised from."""
        response = requests.get(f"{server}/contacts", timeout=60)

        def call() -> None:
            try:
                response.raise_for_status()
            except requests.HTTPError as error:
                raise LookupError("sync failed") from error

        assert_expired_token(describe(raised(call)))

    def test_context_and_groups_are_found(self, server: str, describe: Describe) -> None:
        """The same for one raised while handling another, and for a group."""
        cause = raised(requests.get(f"{server}/contacts", timeout=60).raise_for_status)
        assert isinstance(cause, Exception)
        during = LookupError("during")
        during.__context__ = cause
        assert_expired_token(describe(during))
        assert_expired_token(describe(ExceptionGroup("several", [KeyError("x"), cause])))

    def test_endless_chain_ends(self, describe: Describe) -> None:
        """A chain may be cyclic or ten thousand long."""
        first, second = ValueError("a"), ValueError("b")
        first.__cause__, second.__cause__ = second, first
        assert describe(first)["error.category"] == "unknown"
        error = ValueError("end")
        for _ in range(10_000):
            outer = ValueError("more")
            outer.__cause__ = error
            error = outer
        assert describe(error)["error.category"] == "unknown"


class TestRestraint:
    def test_unread_stream_stays_unread(self, server: str, describe: Describe) -> None:
        """A body nobody has read is left alone; status and headers still speak."""
        with requests.get(f"{server}/contacts", stream=True, timeout=60) as response:
            fields = describe(response=response)
            assert fields["error.category"] == "auth"
            assert "error.provider_code" not in fields
            assert response.json() == EXPIRED
        with httpx.stream("GET", f"{server}/contacts") as streamed:
            assert describe(response=streamed)["error.category"] == "auth"
            assert json.loads(streamed.read()) == EXPIRED

    def test_exception_is_not_changed(self, server: str, describe: Describe) -> None:
        """The exception keeps its arguments, notes, chain and attributes."""
        error = raised(requests.get(f"{server}/contacts", timeout=60).raise_for_status)
        before = (error.args, dict(vars(error)), error.__cause__, error.__context__)
        describe(error)
        assert (error.args, dict(vars(error)), error.__cause__, error.__context__) == before

    def test_plain_record_is_left_alone(self) -> None:
        """A record without exception and response is returned as it is."""
        record = logging.makeLogRecord({"msg": "hello", "crm": "hubspot"})
        before = dict(vars(record))
        assert ErrorFilter().refine(record) is record
        assert vars(record) == before

    def test_safe_record_is_left_alone(self) -> None:
        """What is safe already was described where it was made."""
        record = SafeRecord({"msg": "x", "error": "shown", "response": 3})
        assert ErrorFilter().refine(record) is record
        assert vars(record) == {"msg": "x", "error": "shown", "response": 3}

    @pytest.mark.parametrize("value", [{"status": 404}, "401", 404, None, [1], object()])
    def test_own_fields_under_the_same_names_stay(self, value: Any, describe: Describe) -> None:
        """``response`` and ``error`` may be a caller's own nested fields, or anything."""
        fields = describe(response=value, error=value)
        assert fields["response"] is value
        assert fields["error"] is value
        assert "error.category" not in fields

    def test_fields_of_the_call_are_kept(self, server: str, describe: Describe) -> None:
        """What the call site said of the request wins; what is wrong is for us to say."""
        response = requests.get(f"{server}/contacts", timeout=60)
        said = {"request.path": "/own", "crm": "zoho", "error.category": "forged"}
        fields = describe(response=response, **said)
        assert (fields["request.path"], fields["crm"]) == ("/own", "zoho")
        assert fields["error.category"] == "auth"

    def test_success_is_no_error(self, describe: Describe) -> None:
        """A good response adds facts of the request and no error."""
        response = requests.Response()
        response.status_code = 204
        fields = describe(response=response)
        assert fields["response.status"] == 204
        assert not [name for name in fields if name.startswith("error.")]

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_hostile_objects_never_raise(self, describe: Describe) -> None:
        """Responses and exceptions whose attributes raise or lie cost a field, never the line."""

        class Hostile:
            status_code = 500

            @property
            def headers(self) -> Any:
                raise RuntimeError

            @property
            def url(self) -> Any:
                raise SystemError

        class LiarError(Exception):
            response: ClassVar[object] = Hostile()

        assert describe(response=Hostile())["error.category"] == "transient"
        assert describe(LiarError())["error.category"] == "transient"

    def test_a_proxy_in_an_exception_is_not_asked(self, describe: Describe) -> None:
        """Asked for its class, a proxy of Django's or werkzeug's reads a database, or raises."""

        class Unbound:
            @property  # type: ignore[misc]  # as a proxy may
            def __class__(self) -> Any:
                raise RuntimeError("outside of a request")

        for error in (TimeoutError(Unbound()), TimeoutError("late", Unbound())):
            assert describe(error)["error.category"] == "transient"

    def test_error_from_classify_is_written(self, describe: Describe) -> None:
        """Who classified already passes the outcome: ``extra={"error": classify(...)}``."""
        error = classify(status=403, body='{"code":"NO_PERMISSION"}', provider="zoho")
        fields = describe(error=error)
        assert fields["error.category"] == "permissions"
        assert fields["crm"] == "zoho"
        assert "error" not in fields


class TestFields:
    def test_every_field_fits_its_shape(self, server: str, describe: Describe) -> None:
        """What the filter writes passes the field table as it is."""
        body = {"error": {"code": "/IWBEP/CM_MGW_RT/004", "field": "email", "requestId": "r-1"}}
        error = type("SapError", (Exception,), {})()
        vars(error).update(status=400, body=body, url="https://x.example/A_Partner('7')")
        response = requests.get(f"{server}/contacts", timeout=60)
        written = [*describe(error).items(), *describe(response=response).items()]
        for name, value in written:
            field = field_named(name)
            if field is not None and "." in name:
                for each in value if isinstance(value, list) else [value]:
                    assert conform(field, each) is not MISFIT, name

    def test_instance_names_the_record(self, describe: Describe) -> None:
        """The occurrence is named by the record's id, so that a report finds the line."""
        assert describe(KeyError("x"))["error.instance"] == "urn:crmlogging:record:1f-1"


class TestOptions:
    def test_own_catalog_is_asked_first(self, tmp_path: Path) -> None:
        """A TOML file of one's own adds providers and rules, before the built-in ones."""
        own = tmp_path / "own.toml"
        own.write_text(
            '[provider]\nname = "ourcrm"\ntitle = "OurCRM"\nhosts = ["api.our.example"]\n'
            '[[rules]]\nreason = "RATE_LIMITED"\ncodes = ["E77"]\n',
            encoding="utf-8",
        )
        error = type("OurError", (Exception,), {})()
        vars(error).update(status=400, body={"code": "E77"}, url="https://api.our.example/x")
        record = logging.makeLogRecord({"exc_info": (type(error), error, None)})
        ErrorFilter(catalog=own).refine(record)
        fields = vars(record)
        assert (fields["error.category"], fields["crm"]) == ("transient", "ourcrm")

    def test_mistakes_are_told_together(self, tmp_path: Path) -> None:
        """An unknown option, and every bad row of a catalog, are named when configuring."""
        with pytest.raises(ConfigurationError, match=r"unknown option 'catalogue'.*'catalog'"):
            ErrorFilter(catalogue="x")
        own = tmp_path / "own.toml"
        own.write_text('[[rules]]\nreason = "NOPE"\n[[rules]]\nreason = "DELETED"\n', "utf-8")
        with pytest.raises(ConfigurationError) as caught:
            ErrorFilter(catalog=[own, tmp_path / "absent.toml"])
        text = str(caught.value)
        assert "[[rules]] 1" in text
        assert "[[rules]] 2" in text
        assert "absent.toml" in text

    def test_the_module_loads_no_classification(self) -> None:
        """Who imports the filter, and builds none, does not load what describes errors."""
        code = (
            "import sys\n"
            "from crmlogging.filters.errors import ErrorFilter\n"
            "print([m for m in sys.modules if 'crmlogging.errors' in m or m == 'tomllib'])\n"
        )
        assert _printed(code) == "[]"

    @pytest.mark.parametrize("first", FIRST_ERRORS)
    def test_the_first_error_waits_for_no_file(self, first: str) -> None:
        """It imports nothing, opens nothing, and compiles few expressions."""
        code = (
            "import logging, re, sys\n"
            "from types import SimpleNamespace\n"
            "from crmlogging.filters.errors import ErrorFilter\n"
            "errors, compiled, waited = ErrorFilter(), [], []\n"
            "class Answered(Exception): pass\n"
            "def answer(host, body):\n"
            "    raised, url = Answered('400'), f'https://{host}/v3/contacts/17'\n"
            "    raised.response = SimpleNamespace(status_code=400, headers={'Server': 'x'},"
            " content=body.encode(), text=body, url=url, request=SimpleNamespace(method='GET'))\n"
            "    return raised\n"
            "compile = re._compiler.compile\n"
            "re._compiler.compile = lambda *given: compiled.append(given) or compile(*given)\n"
            f"record = logging.makeLogRecord({first})\n"
            "sys.addaudithook(lambda event, given: event in ('open', 'import')"
            " and waited.append((event, given)))\n"
            "errors.refine(record)\n"
            "assert vars(record)['error.category'], vars(record)\n"
            "print(waited, len(compiled) < 40)\n"
        )
        assert _printed(code) == "[] True"


def _printed(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.strip()


class TestOutage:
    def test_links_the_status_page(self) -> None:
        """Nothing can be fixed here, so the link leads to where the provider says what is on."""
        refused = ConnectionRefusedError(111, "refused")
        record = logging.makeLogRecord({"error": refused, "crm": "hubspot"})
        outcome = ErrorFilter().refine(record)
        assert isinstance(outcome, logging.LogRecord)
        assert vars(outcome)["error.category"] == "unreachable"
        assert vars(outcome)["error.fix_url"] == "https://status.hubspot.com"
