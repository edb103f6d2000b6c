"""Promises of `classify`: the right answer, never an exception, never a value of the payload."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging.errors.classify import classify
from crmlogging.errors.model import Category, CrmError, Owner, Recoverability, Scope
from crmlogging.errors.text.field_names import FIELD_NAME, PLACEHOLDER

HERE: Final = Path(__file__).parent
RETRIED: Final = {Category.TRANSIENT, Category.UNREACHABLE}
URL: Final = "https://api.vendor.example/v1/contacts"


def rows(name: str) -> dict[str, Any]:
    """Return the lines of a data file by their id, or their number."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    return {case.get("id", f"line {n}"): case for n, case in enumerate(cases, 1)}


def misses_in(case: Mapping[str, Any], error: CrmError | None) -> Iterator[str]:
    """Tell what `error` says other than `case` is labelled."""
    expect = case["expect"]
    category = error.category.value if error is not None else "none"
    if category not in (expect["category"], *case.get("also_ok", ())):
        yield f"category {category}"
    code = error.provider_code if error is not None else None
    if code not in (expect["provider_code"], *expect.get("provider_code_any", ())):
        yield f"provider_code {code}"
    if error is None:
        return
    if category == expect["category"] and error.scope != expect["scope"]:
        yield f"scope {error.scope}"
    fields = {f.field.rpartition(".")[2] for f in error.fields}
    if fields != {name.rpartition(".")[2] for name in expect["fields"]}:
        yield f"fields {sorted(fields)}"
    if error.request_id != expect.get("request_id", error.request_id):
        yield f"request_id {error.request_id}"
    if error.retry_after_seconds != pytest.approx(expect.get("retry_after_s"), abs=1):
        yield f"retry_after_seconds {error.retry_after_seconds}"
    items = [item.category.value for item in error.items]
    if items != expect.get("items", items):
        yield f"items {items}"
    yield from (f"secret {secret}" for secret in case.get("secrets", ()) if secret in repr(error))


def outcome_of(case: Mapping[str, Any]) -> CrmError | None:
    """Classify one labelled answer."""
    transport, request = case.get("transport") or {}, case.get("request") or {}
    return classify(
        status=case["status"],
        headers=case.get("headers"),
        body=case.get("body"),
        provider=case.get("provider"),
        exception=f"{transport['exception']}: {transport['message']}" if transport else None,
        method=request.get("method"),
        url=request.get("url"),
    )


def errors_in(error: CrmError | None) -> Iterator[CrmError]:
    """Yield an error and those of its items."""
    if error is not None:
        yield error
        yield from error.items


def failed(**answer: Any) -> CrmError:
    """Classify what must be an error."""
    error = classify(**answer)
    assert error is not None
    return error


class TestAnswers:
    def test_each_is_understood(self) -> None:
        """Each labelled answer gets its category, code, fields, id, delay, scope and items."""
        misses = {
            name: list(misses_in(case, outcome_of(case)))
            for name, case in rows("answers.jsonl").items()
        }
        assert {name: told for name, told in misses.items() if told} == {}

    def test_each_example_gets_its_reason(self) -> None:
        """Words and codes mean what they say; a field's own name misleads nobody."""
        misses = {}
        for name, case in rows("examples.jsonl").items():
            due = {key: case.pop(key) for key in ("reason", "category") if key in case}
            error = failed(**case)
            found = {"reason": error.reason, "category": error.category.value}
            if found | due != found:
                misses[name] = found
        assert misses == {}


class TestCrmError:
    def test_attributes_agree(self) -> None:
        """Retry, actionable, recoverability, owner and links follow from the category."""
        for case in rows("answers.jsonl").values():
            for error in errors_in(outcome_of(case)):
                assert error.retryable is (error.category in RETRIED)
                known = error.category is not Category.UNKNOWN
                assert error.actionable is (known and error.category not in RETRIED)
                assert (error.recoverability is Recoverability.USER_ACTIONABLE) is error.actionable
                assert (error.owner is Owner.NONE) is error.retryable
                assert error.tier in (1, 2, 3)
                assert (error.tier == 1) is error.retryable
                assert error.scope is (Scope.RUN if error.abort_run else Scope.RECORD)
                assert error.fix_url is None or error.fix_url.startswith("https://")
                assert error.rule
                assert error.evidence
                assert error.summary.endswith((".", "!"))
                assert error.fingerprint.startswith("v1:")

    @pytest.mark.parametrize(
        ("method", "url", "body", "code"),
        [
            pytest.param(
                "PATCH",
                "https://api.vendor.example/contacts/1",
                {"code": "DUPLICATE", "field": "emailaddress1"},
                "CONTACT_UPDATE_DUPLICATE_EMAIL",
                id="update",
            ),
            pytest.param(
                "POST",
                "https://api.vendor.example/leads",
                {"code": "BAD_FORMAT", "field": "Email"},
                "LEAD_CREATE_INVALID_EMAIL",
                id="create",
            ),
            pytest.param(
                "POST",
                "https://api.vendor.example/ada.lovelace/search",
                {"code": "RATE_LIMITED"},
                "RECORD_SEARCH_RATE_LIMITED",
                id="unknown-resource-is-not-repeated",
            ),
            pytest.param("", None, {"code": "EXPIRED_TOKEN"}, "API_CALL_TOKEN_EXPIRED", id="bare"),
        ],
    )
    def test_code_is_domain_action_reason(
        self, method: str, url: str | None, body: dict[str, str], code: str
    ) -> None:
        """The stable code names what was done to what, and why it failed."""
        assert failed(status=400, body=body, method=method, url=url).code == code

    def test_fingerprint_ignores_ids_times_and_values(self) -> None:
        """Failures that differ in values only are one group; another field is another."""
        body = '{"code":"INVALID_EMAIL","message":"%s is bad","requestId":"%s","field":"%s"}'
        first = failed(status=400, body=body % ("a@x.example", "req-1", "email"), url=URL)
        again = failed(status=400, body=body % ("b@y.example", "req-2", "email"), url=URL)
        other = failed(status=400, body=body % ("b@y.example", "req-2", "phone"), url=URL)
        assert first.fingerprint == again.fingerprint != other.fingerprint
        assert first.request_id != again.request_id

    def test_unknown_exceptions_are_told_apart(self) -> None:
        """What no rule knows is grouped by exception class, not all together."""
        fingerprints = {failed(exception=e).fingerprint for e in (KeyError("a"), OSError("b"))}
        assert len(fingerprints) == 2
        assert failed(exception=KeyError("a")).category is Category.UNKNOWN

    def test_link_leads_to_the_own_account(self) -> None:
        """Salesforce's link goes to the org that answered, but to no foreign host."""
        body = '[{"errorCode":"INVALID_SESSION_ID","message":"x"}]'
        host = "acme.my.salesforce.com"
        own = failed(status=401, body=body, url=f"https://{host}/services/data")
        assert own.fix_url is not None
        assert own.fix_url.startswith(f"https://{host}/lightning/")
        for url in (
            "https://evil.example/?.my.salesforce.com",
            "https://x.my.salesforce.com@e.com/",
        ):
            forged = failed(status=401, body=body, provider="salesforce", url=url)
            assert forged.fix_url is not None
            assert forged.fix_url.startswith("https://login.salesforce.com/")

    def test_category_is_a_string(self) -> None:
        """A category compares and prints as its word."""
        category: str = failed(status=401).category
        assert category == "auth"
        assert f"{category}" == "auth"


class TestBulk:
    def test_strongest_cause_speaks_for_all(self) -> None:
        """Mixed failures: auth before plan, permissions, validation, transient, unreachable."""
        codes = ["RATE_LIMITED", "INVALID_EMAIL", "NO_PERMISSION", "LICENSE_LIMIT", "INVALID_TOKEN"]
        expected = ["transient", "validation", "permissions", "plan", "auth"]
        for count, category in enumerate(expected, 1):
            items = [{"success": False, "errors": [{"code": c}]} for c in codes[:count]]
            error = failed(status=200, body=[*items, {"success": True, "errors": []}])
            assert error.category == category
            assert [item.category for item in error.items] == expected[:count]
            assert [item.index for item in error.items] == list(range(count))

    def test_echo_is_no_cause(self) -> None:
        """A record rolled back because of another is told as that, and does not decide."""
        body = [
            {"success": False, "errors": [{"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK"}]},
            {"success": False, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW"}]},
        ]
        error = failed(status=200, body=body, provider="salesforce")
        assert (error.category, error.provider_code) == ("transient", "UNABLE_TO_LOCK_ROW")
        assert [item.reason for item in error.items] == ["HALTED", "LOCKED"]

    def test_ten_thousand_items_are_bounded(self) -> None:
        """A huge answer gives at most a thousand items, in bounded time."""
        body = json.dumps([{"success": False, "errors": [{"code": "REQUIRED"}]}] * 10_000)
        error = failed(status=200, body=body)
        assert len(error.items) == 1_000
        assert error.category == "validation"


class TestEvidence:
    @pytest.mark.parametrize(
        ("answer", "category", "evidence"),
        [
            pytest.param(
                {"status": 400, "body": {"error": "invalid_grant"}}, "auth", "code", id="code"
            ),
            pytest.param(
                {"status": 403, "body": {"code": "FORBIDDEN", "message": "Your token has expired"}},
                *("auth", "wording"),
                id="weak-code-gives-way",
            ),
            pytest.param(
                {
                    "status": 401,
                    "headers": {"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
                },
                *("permissions", "header"),
                id="header",
            ),
            pytest.param({"status": 403}, "permissions", "status", id="status"),
            pytest.param(
                {"status": 500, "body": "<html>Invalid API key for user app_rw</html>"},
                *("transient", "status"),
                id="their-own-trouble",
            ),
            pytest.param(
                {"status": 200, "headers": {"content-type": "application/json"}, "body": "{"},
                *("transient", "body"),
                id="cut-off",
            ),
            pytest.param(
                {"exception": "x.ReadTimeout: slow"}, "transient", "exception", id="fault"
            ),
            pytest.param({"exception": "KeyError: 'a'"}, "unknown", "none", id="nothing"),
        ],
    )
    def test_strongest_evidence_decides(
        self, answer: dict[str, Any], category: str, evidence: str
    ) -> None:
        """Code, then header, then clear words, then status; and the error says which it was."""
        error = failed(**answer)
        assert (error.category, error.evidence) == (category, evidence)

    def test_host_in_any_case_tells_the_provider(self) -> None:
        """Host names are not case-sensitive; a user and port in the URL do not matter."""
        error = failed(status=400, url="https://u:p@API.HubAPI.com:443/x")
        assert error.provider == "hubspot"
        assert "u:p" not in repr(error)


class TestLimits:
    @pytest.mark.parametrize(
        ("words", "delay", "category"),
        [
            pytest.param("10 requests per second", None, "transient", id="second"),
            pytest.param("too many requests", None, "transient", id="does-not-say"),
            pytest.param("too many requests", "3600", "transient", id="an-hour"),
            pytest.param("too many requests", "3601", "plan", id="more-than-an-hour"),
            pytest.param("daily limit of requests reached", None, "plan", id="day"),
            pytest.param("daily limit of requests reached", "20", "plan", id="day-beats-delay"),
            pytest.param("rate limit of 9 per hour", None, "transient", id="hour"),
            pytest.param("quota exceeded", "60", "transient", id="quota-that-refills"),
            pytest.param("quota exceeded", None, "plan", id="quota"),
            pytest.param("too many concurrent requests", "86400", "transient", id="concurrency"),
        ],
    )
    def test_rate_or_plan_by_the_time_until_it_helps(
        self, words: str, delay: str | None, category: str
    ) -> None:
        """A limit that refills within an hour is transient, any longer one is a plan matter."""
        headers = {"Retry-After": delay} if delay else {}
        error = failed(status=429, headers=headers, body=json.dumps({"message": words}))
        assert error.category == category
        assert error.retry_after_seconds == (float(delay) if delay else None)

    def test_words_beside_a_rate_code_say_which(self) -> None:
        """A code for rate limits with a daily limit in its message is a plan matter."""
        for message, category in (("Daily limit reached", "plan"), ("Slow down", "transient")):
            body = {"code": "RATE_LIMIT_EXCEEDED", "message": message}
            assert failed(status=429, body=body).category == category


JSON_LIKE: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                (
                    *("error", "errors", "code", "message", "status", "data", "details", "fields"),
                    *("success", "results", "title", "type", "body", "name", "path", "retry_after"),
                )
            )
            | st.text(max_size=12),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)
STATUSES: Final = st.none() | st.integers(-5, 1_100) | st.sampled_from(["401", "x", 4.5, True])
HEADERS: Final = st.none() | st.dictionaries(
    st.sampled_from(["Retry-After", "content-type", "X-RateLimit-Reset", "WWW-Authenticate", "é"]),
    st.text(max_size=30) | st.integers() | st.binary(max_size=8),
    max_size=4,
)
CANARIES: Final = ("zq7canary@secret.example", "+49 171 5550199", "Zq Canary", "eyJzq.canary.x")


class TestNeverRaises:
    @settings(max_examples=300, deadline=None)
    @given(
        status=STATUSES,
        headers=HEADERS,
        body=st.binary(max_size=400) | st.text(max_size=400) | JSON_LIKE,
        provider=st.sampled_from([None, "hubspot", "zoho", "salesforce", "nobody", "\x00", 7]),
        url=st.none() | st.text(max_size=60),
    )
    def test_any_input_gives_an_answer(
        self, status: Any, headers: Any, body: Any, provider: Any, url: Any
    ) -> None:
        """Whatever comes in, an error or None comes out, with every attribute in its shape."""
        error = classify(status=status, headers=headers, body=body, provider=provider, url=url)
        for each in errors_in(error):
            assert isinstance(each.category, Category)
            for field in each.fields:
                assert FIELD_NAME.fullmatch(field.field) or field.field == PLACEHOLDER
            assert each.retry_after_seconds is None or each.retry_after_seconds >= 0

    @settings(max_examples=200, deadline=None)
    @given(text=st.text(max_size=300))
    def test_any_exception_text_gives_an_answer(self, text: str) -> None:
        """The text of an exception may be anything, too."""
        error = classify(exception=text)
        assert error is None or isinstance(error.category, Category)

    @pytest.mark.parametrize("status", [200, 207, 302, 400, 401, 404, 429, 500, 503])
    @pytest.mark.parametrize("canary", CANARIES)
    def test_no_value_gets_out(self, status: int, canary: str) -> None:
        """A value that sits wherever a code, field, id or message may stand is never repeated."""
        keys = ["error", "errors", "code", "message", "reason", "field", "fields", "name", "title"]
        keys += ["requestId", "path", "type", "detail", "details", "errorCode", "param", "status"]
        for key in keys:
            for body in ({key: canary}, {"error": {key: canary}}, [{key: canary}], {key: [canary]}):
                answer = {**body, canary: "is invalid"} if isinstance(body, dict) else body
                error = classify(status=status, body=json.dumps(answer), headers={"X-Id": canary})
                assert canary not in repr(error)
                assert canary not in json.dumps(error.to_problem() if error else None)

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("[" * 100_000, id="deep-list"),
            pytest.param('{"error":' * 900 + "1" + "}" * 900, id="deep-object"),
            pytest.param("<a>" * 100_000, id="deep-xml"),
            pytest.param("<script" * 60_000, id="scripts"),
            pytest.param("field " * 150_000, id="words"),
            pytest.param('"' * 500_000, id="quotes"),
            pytest.param(json.dumps({"message": "token " * 100_000}), id="long-message"),
            pytest.param(json.dumps({"message": "a" * 900_000}), id="long-word"),
            pytest.param(json.dumps({"errors": [{"field": "a.b" * 90}] * 5_000}), id="many"),
            pytest.param(
                json.dumps({"errors": {f"f{i}": ["x y"] for i in range(9_000)}}), id="map"
            ),
            pytest.param("--b\r\n" * 100_000, id="parts"),
            pytest.param("error," * 150_000, id="table"),
            pytest.param(b"\xff\xfe\x00" * 300_000, id="binary"),
            pytest.param(json.dumps({"message": "[{" * 200_000}), id="embedded"),
            pytest.param("(((" * 200_000 + "{'" * 1_000, id="repr"),
            pytest.param('{"errors":' + '[{"a":"b"},' * 5_900, id="cut-off"),
        ],
    )
    def test_hostile_body_takes_bounded_time(self, body: str | bytes) -> None:
        """A megabyte made to hurt is answered in well under a second of CPU."""
        classify(status=400)  # the catalog is loaded before the clock starts
        began = time.process_time()
        error = failed(status=400, body=body)
        assert time.process_time() - began < 20
        assert error.category is Category.VALIDATION

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param({"error": "anna"}, id="error"),
            pytest.param({"reason": "h.moreau"}, id="reason"),
            pytest.param({"name": "anna-smith"}, id="name"),
            pytest.param({"message": "could not save ADA_INVALID_EMAIL"}, id="sentence"),
            pytest.param({"message": "ADA_LEAD: no such option"}, id="beginning"),
            pytest.param({"code": "491715550199"}, id="phone"),
            pytest.param({"code": "10.1.2.3"}, id="address"),
            pytest.param({"code": "sk_live_51Habc"}, id="key"),
            pytest.param({"code": "aB3dE5fG7hI9jK1lM3nO5pQ7"}, id="random"),
        ],
    )
    def test_word_that_no_rule_knows_is_no_code(self, body: dict[str, str]) -> None:
        """A bare word, name, number or key where a code may stand is not repeated as one."""
        error = failed(status=400, body=body)
        assert error.provider_code is None
        assert "ada" not in error.rule.lower()

    def test_hostile_objects_are_survived(self) -> None:
        """Attributes, iteration and text of foreign objects may raise."""

        class HostileError(Exception):
            def __str__(self) -> str:
                raise RuntimeError

            def __getattr__(self, name: str) -> Any:
                raise RuntimeError

        assert failed(exception=HostileError()).category is Category.UNKNOWN
        assert (
            failed(status=401, headers=HostileError(), body=HostileError()).category
            is Category.AUTH
        )


class TestMemory:
    def test_same_question_same_answer(self) -> None:
        """An answer that comes again is not worked out again, unless a clock had its say."""
        body = json.dumps({"code": "EXPIRED_TOKEN", "message": "gone"})
        first = classify(status=401, headers={"A": "b"}, body=body, url=URL)
        assert classify(status=401, headers={"A": "b"}, body=body, url=URL) is first
        assert classify(status=403, headers={"A": "b"}, body=body, url=URL) is not first
        told = {"Retry-After": "Fri, 20 Nov 2099 10:00:00 GMT"}
        assert classify(status=429, headers=told) is not classify(status=429, headers=told)

    def test_a_storm_keeps_its_own_ids(self) -> None:
        """Times and ids in headers do not make an answer a new one, and each keeps its own id."""
        body = json.dumps({"code": "EXPIRED_TOKEN", "message": "a storm"})
        found = [
            classify(
                status=401,
                headers={"Date": f"Fri, 20 Nov 2026 10:00:{n} GMT", "X-Request-Id": f"req-{n}"},
                body=body,
                url=URL,
            )
            for n in range(10, 14)
        ]
        assert [error and error.request_id for error in found] == [
            f"req-{n}" for n in range(10, 14)
        ]
        assert len({error and error.fingerprint for error in found}) == 1

    def test_an_id_in_the_body_wins_over_headers_again(self) -> None:
        """What is remembered keeps the body's own id."""
        body = json.dumps({"code": "EXPIRED_TOKEN", "requestId": "body-77"})
        for number in range(3):
            error = failed(status=401, headers={"X-Request-Id": f"h-{number}"}, body=body, url=URL)
            assert error.request_id == "body-77"


class TestNoError:
    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param({"status": 200}, id="empty"),
            pytest.param({"status": 304}, id="not-modified"),
            pytest.param({"status": 100}, id="interim"),
            pytest.param({}, id="nothing"),
            pytest.param({"body": '{"id": 1}'}, id="no-status"),
            pytest.param(
                {"status": 200, "body": '{"errors": [], "error": null}'}, id="empty-errors"
            ),
            pytest.param({"status": 200, "body": '{"code": "SUCCESS"}'}, id="success-code"),
            pytest.param({"status": 200, "body": "id,name\n1,Ada\n"}, id="table"),
            pytest.param({"status": 200, "body": "plain text"}, id="text"),
            pytest.param(
                {"status": 200, "body": '{"records": [{"fields": {"Error": "no such thing"}}]}'},
                id="record-with-a-field-called-error",
            ),
            pytest.param(
                {"status": 200, "body": '{"id": "ch_1", "object": "charge", "status": "failed"}'},
                id="record-that-failed-itself",
            ),
        ],
    )
    def test_success_is_no_error(self, answer: dict[str, Any]) -> None:
        """A success is None, whatever words it holds."""
        assert classify(**answer) is None


class TestFields:
    @pytest.mark.parametrize(
        ("body", "problems"),
        [
            pytest.param(
                {"message": "Email has already been taken, Phone is too short (minimum is 7)"},
                {"Email": ("DUPLICATE", ""), "Phone": ("TOO_SHORT", "min_length=7")},
                id="clauses",
            ),
            pytest.param(
                {"errors": {"email": ["has already been taken"], "stage_id": ["must exist"]}},
                {"email": ("DUPLICATE", ""), "stage_id": ("INVALID", "")},
                id="map",
            ),
            pytest.param(
                {"message": ["email must be an email", "property tier should not exist"]},
                {"email": ("INVALID_FORMAT", "email"), "tier": ("UNKNOWN_FIELD", "")},
                id="sentences",
            ),
            pytest.param(
                {"error": "2 errors\nzip\n  Input should be a valid string [type=string_type]"},
                {"zip": ("INVALID_TYPE", "string")},
                id="pydantic",
            ),
            pytest.param(
                {"errors": {"title": ["can't be blank"], "status": ["is not a number"]}},
                {"title": ("REQUIRED", ""), "status": ("INVALID_TYPE", "number")},
                id="called-like-keys-of-errors",
            ),
            pytest.param(
                {"errors": [{"path": ["data"], "code": "unrecognized_keys", "keys": ["a_b"]}]},
                {"a_b": ("UNKNOWN_FIELD", "")},
                id="zod",
            ),
            pytest.param(
                {"message": "x", "context": {"properties": ["email", "city"]}},
                {"email": ("INVALID", ""), "city": ("INVALID", "")},
                id="list-of-names",
            ),
        ],
    )
    def test_each_has_its_own_problem(
        self, body: dict[str, Any], problems: dict[str, tuple[str, str]]
    ) -> None:
        """What is said of one field is not said of its neighbours."""
        error = failed(status=422, body=json.dumps(body))
        assert {f.field: (f.code, f.expected) for f in error.fields} == problems

    @pytest.mark.parametrize(
        "text", ["{} is required", "unknown field {}", "Property {} does not exist"]
    )
    def test_exceptions_of_this_program_name_none(self, text: str) -> None:
        """What stands there in its text is a value as likely as a name; an SDK quotes a service."""
        own = type("SyncError", (Exception,), {"__module__": "acme.sync"})
        error = classify(exception=own(text.format("lovelace")))
        assert error is not None
        assert "lovelace" not in json.dumps(error.to_problem())
        told = classify(exception=f"stripe.InvalidRequestError: {text.format('surname')}")
        assert told is not None
        assert [each.field for each in told.fields] == ["surname"]


class TestExpected:
    @pytest.mark.parametrize(
        ("message", "expected"),
        [
            ("phone is too long (maximum is 20 characters)", "max_length=20"),
            ("phone is too long: at most 1,000 characters", "max_length=1000"),
            ("phone is too short: at least 7 characters", "min_length=7"),
            ("phone is too long: must not exceed the limit, value 4111111111111111", ""),
            ("phone is too long: more than allowed, 555-0100", ""),
            ("phone is too long: more than allowed, +49 151 2345678", ""),
            ("phone is too long, maximum reached on 2026-11-22", ""),
        ],
    )
    def test_a_length_is_a_number_by_itself(self, message: str, expected: str) -> None:
        """What is part of a longer number may be a customer's, and is not shown."""
        error = classify(
            status=400,
            provider="hubspot",
            body={"category": "VALIDATION_ERROR", "errors": [{"message": message, "in": "phone"}]},
        )
        assert error is not None
        assert {field.expected for field in error.fields} == {expected}
