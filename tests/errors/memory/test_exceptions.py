"""Promises of what is told at a glance: never another error than a closer look would find."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

import httpx
import pytest
import requests
import urllib3.exceptions
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging.errors.catalog import Catalog, builtin
from crmlogging.errors.memory.answers import Memory, memory_of
from crmlogging.errors.memory.exceptions import Recall
from crmlogging.errors.model import CrmError
from crmlogging.errors.raised.faults import answer_in
from crmlogging.errors.raised.glance import KINDS, answer_among, glance_at, links_of
from crmlogging.errors.record_fields import describe

PAGES: Final = [Path(__file__).parents[1] / name for name in ("unseen.jsonl", "answers.jsonl")]
URL: Final = "https://api.vendor.example/v1/contacts/{}"
# What rules look for in words, and what stands between such.
WORDS: Final = (
    *("errno", "winerror", "error", "HTTP Error", "status", "rolling", "limit of", "requests"),
    *("per second", "connection refused", "timed out", "limit exceeded", "daily", "h", "proxy"),
    *("contact", "url: /v3/contacts/", "Errno", "Error code:", "StatusCode.", "ERR_", "(", ")"),
    *("not found", "try again in", "maximum of", "characters", "socks", "ssl", "for url", "["),
)
NUMBERS: Final = st.sampled_from(
    (*range(12), 24, 32, 54, 61, 101, 104, 110, 111, 113, 401, 403, 404, 407, 429, 503, 1005, 1020)
) | st.integers(10_000, 99_999_999)
TEXTS: Final = st.lists(
    st.sampled_from(WORDS) | st.just("{}") | st.sampled_from((" ", ":", ", ", "=", "0x{}")),
    min_size=1,
    max_size=8,
)
CLASSES: Final = (
    *(ConnectionError, TimeoutError, ValueError, RuntimeError, KeyError, OSError),
    *(requests.ConnectionError, urllib3.exceptions.ProtocolError, PermissionError),
)


@pytest.fixture
def catalog() -> Catalog:
    """Lend the built-in rules with a memory of their own."""
    return Catalog.extended(builtin())


def thought_out(raised: BaseException, provider: str | None = None) -> str:
    """Return the fingerprint that a catalog without any memory finds."""
    rules = builtin()
    rules.memory = rules.recall = None
    return described(raised, rules, provider)


def described(raised: BaseException, rules: Catalog, provider: str | None = None) -> str:
    attributes: dict[str, Any] = {"exc_info": (type(raised), raised, None)}
    if provider is not None:
        attributes["crm"] = provider
    describe(attributes, rules)
    return str(attributes.get("error.fingerprint"))


def at_a_glance(raised: BaseException, rules: Catalog, provider: str | None = None) -> str | None:
    recall = rules.recall
    assert isinstance(recall, Recall)
    error = recall.error_like(raised, provider)
    return None if error is None else error.fingerprint


def failed(make: Callable[[], BaseException], cause: BaseException | None = None) -> BaseException:
    """Return an exception as it comes from being raised."""
    try:
        raise make() from cause
    except BaseException as error:
        return error


def failed_while(inner: Exception, outer: Exception, *, hides: bool = False) -> BaseException:
    """Return `outer` as it comes from being raised while `inner` was handled."""
    try:
        try:
            raise inner
        except Exception:
            if hides:
                raise outer from None
            raise outer  # noqa: B904  # as it happens
    except Exception as error:
        return error


def refused(number: int) -> BaseException:
    """Return what requests raises where nobody listens: four exceptions in one another."""
    low = failed(lambda: ConnectionRefusedError(111, "Connection refused"))
    told = f"<HTTPSConnection object at 0x7f3c5c0{number % 16:x}5e50>: {low}"
    middle = failed(lambda: urllib3.exceptions.NewConnectionError(None, told), low)  # type: ignore[arg-type]  # as tests may
    retried = urllib3.exceptions.MaxRetryError(None, f"/contacts/{471_100 + number}", middle)  # type: ignore[arg-type]  # as tests may
    return failed(lambda: requests.ConnectionError(retried, request=None))


def response(
    status: int, headers: dict[str, str], body: bytes, method: str, url: str
) -> requests.Response:
    made = requests.Response()
    made.status_code, made.url = status, url
    made.headers.update(headers)
    made.request = requests.PreparedRequest()
    made.request.method = method
    made._content = body
    return made


def of_httpx(
    status: int, headers: dict[str, str], body: bytes, method: str, url: str
) -> httpx.HTTPStatusError:
    """Return what httpx raises for such an answer."""
    request = httpx.Request(method, url)
    # Encoded bodies are read as they come: none of these is one.
    headers = {n: v for n, v in headers.items() if n.lower() != "content-encoding"}
    made = httpx.Response(status, headers=headers, content=body, request=request)
    return httpx.HTTPStatusError("no", request=request, response=made)


def labelled() -> list[tuple[int, dict[str, str], bytes, str, str]]:
    """Return the labelled answers as requests would bring them."""
    lines = [line for page in PAGES for line in page.read_text(encoding="utf-8").splitlines()]
    found = []
    for case in map(json.loads, lines):
        if case.get("transport") or not case.get("status"):
            continue
        request = case.get("request") or {}
        headers = {name: str(value) for name, value in (case.get("headers") or {}).items()}
        found.append(
            (
                case["status"],
                headers or {"Content-Type": "application/json"},
                (case.get("body") or "").encode(),
                request.get("method") or "POST",
                request.get("url") or URL.format(1),
            )
        )
    return found


class TestWords:
    @settings(max_examples=60, deadline=None)
    @given(
        parts=TEXTS,
        kind=st.sampled_from(CLASSES),
        numbers=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=5, max_size=5),
        provider=st.sampled_from((None, "hubspot")),
    )
    def test_tell_what_a_closer_look_finds(
        self,
        parts: list[str],
        kind: type[Exception],
        numbers: list[tuple[int, int]],
        provider: str | None,
    ) -> None:
        """Whatever numbers stand in whatever words: known at once is what would be found."""
        rules = Catalog.extended(builtin())
        for pair in numbers:
            at = iter(pair * len(parts))
            text = " ".join(part.replace("{}", str(next(at))) for part in parts)
            error = failed(partial(kind, text))
            found = described(error, rules, provider)
            assert found == thought_out(error, provider)
            assert at_a_glance(error, rules, provider) in (None, found)

    def test_differ_in_ids_and_addresses_alone(self, catalog: Catalog) -> None:
        """An outage as requests reports it is known after three of them."""
        for number in range(4):
            described(refused(number), catalog)
        assert at_a_glance(refused(9), catalog) == thought_out(refused(9))

    @pytest.mark.parametrize(
        ("text", "other"),
        [
            pytest.param("[Errno 111] no", "[Errno 113] no", id="errno"),
            pytest.param("[Errno 999] no", "[Errno 111] no", id="errno-of-a-rule"),
            pytest.param("[Errno 9999] no", "[Errno 1119] no", id="begins-as-one"),
            pytest.param("9999 proxy says", "1407 proxy says", id="ends-as-one"),
            pytest.param("winerror 9999999", "winerror 10061", id="long"),
            pytest.param("winerror 10060", "winerror 10061", id="winerror"),
            pytest.param("HTTP Error 503: x", "HTTP Error 401: x", id="status"),
            pytest.param("407 proxy says", "408 proxy says", id="word-behind"),
            pytest.param("ERR_1001_A: x", "ERR_1002_A: x", id="code"),
        ],
    )
    def test_with_numbers_that_matter_are_not_alike(
        self, text: str, other: str, catalog: Catalog
    ) -> None:
        """A number that a rule reads is never one of those that are passed over."""
        for _ in range(4):
            described(failed(lambda: requests.ConnectionError(text)), catalog)
        assert at_a_glance(failed(lambda: requests.ConnectionError(other)), catalog) is None

    def test_of_another_provider_or_class_are_not_alike(self, catalog: Catalog) -> None:
        """The same words mean another error with another provider, or in another class."""
        for _ in range(3):
            described(failed(lambda: TimeoutError("x")), catalog, "hubspot")
        assert at_a_glance(failed(lambda: TimeoutError("x")), catalog, "hubspot")
        assert at_a_glance(failed(lambda: TimeoutError("x")), catalog, "zoho") is None
        assert at_a_glance(failed(lambda: ValueError("x")), catalog, "hubspot") is None

    def test_of_a_class_at_another_ones_address_are_not_alike(self, catalog: Catalog) -> None:
        """A class made anew, of the same name or not, is another class."""

        def made(name: str) -> BaseException:
            return failed(lambda: type(name, (Exception,), {})("x"))

        for number in range(400):
            error = made(f"Error{number % 7}")
            assert described(error, catalog) == thought_out(made(f"Error{number % 7}"))

    @pytest.mark.parametrize(
        ("text", "same", "other"),
        [
            pytest.param("Zeile 1: ungültig", "Zeile 7: ungültig", "Zeile 7: ungultig", id="latin"),
            pytest.param("第1行无效", "第7行无效", "第7列无效", id="wide"),
            pytest.param("row 1: \ud83d", "row 7: \ud83d", "row 7: \ud83e", id="half-a-character"),
            pytest.param("row ١", "row ١", "row ٢", id="digits-of-others"),
        ],
    )
    def test_in_any_script_are_alike_but_for_numbers(
        self, text: str, same: str, other: str, catalog: Catalog
    ) -> None:
        """Only the digits 0 to 9 are passed over, whatever characters stand around them."""
        for _ in range(3):
            described(failed(lambda: ValueError(text)), catalog)
        known = at_a_glance(failed(lambda: ValueError(same)), catalog)
        assert known == thought_out(failed(lambda: ValueError(same)))
        assert at_a_glance(failed(lambda: ValueError(other)), catalog) is None

    def test_are_not_kept(self, catalog: Catalog) -> None:
        """Of what is remembered only hashes are kept, and of that not without end."""
        for number in range(3_000):
            text = f"canary {chr(97 + number % 26) * (number % 99)}"
            described(failed(partial(ValueError, text)), catalog)
        recall = catalog.recall
        assert isinstance(recall, Recall)
        assert 0 < recall.size <= 2_048
        assert len(recall._once) <= 4_096
        assert all(type(key) is int for key in (*recall._words, *recall._met, *recall._once))
        assert "canary" not in repr(recall._words)


class TestAnswers:
    def test_tell_what_a_closer_look_finds(self, catalog: Catalog) -> None:
        """Each labelled answer, met before, is known at a glance as what it is, or not known."""
        known = 0
        for asked in labelled():
            answer = response(*asked)
            error = requests.HTTPError("no", response=answer)
            described(error, catalog)
            found = at_a_glance(error, catalog)
            assert found in (None, thought_out(error)), asked
            known += found is not None
        assert known > 300

    def test_of_httpx_tell_the_same(self, catalog: Catalog) -> None:
        """Such answers, brought by httpx, are known as well, and as nothing else."""
        known = 0
        for asked in labelled()[::3]:
            error = of_httpx(*asked)
            described(error, catalog)
            found = at_a_glance(error, catalog)
            assert found in (None, thought_out(error)), asked
            known += found is not None
        assert known > 100

    def test_of_httpx_are_read_as_the_client_reads_them(self) -> None:
        """A header that stands there twice is one; bytes that are no text take a closer look."""
        twice = [("Content-Type", "text/html"), ("Server", "a"), ("server", "b")]
        request = httpx.Request("GET", URL.format(1))
        glance = glance_at(httpx.Response(503, headers=twice, content=b"x", request=request))
        assert glance is not None
        status, store, body, method, url = glance
        assert (status, body, method, url) == (503, b"x", "GET", URL.format(1))
        assert store["server"] == ("server", "a, b")
        odd = httpx.Response(503, headers=[(b"Server", b"\xe9")], content=b"", request=request)
        assert glance_at(odd) is None
        assert glance_at(httpx.Response(503, content=b"")) is None  # of no request
        assert (
            glance_at(httpx.Response(503, stream=httpx.ByteStream(b"x"), request=request)) is None
        )

        class Own(httpx.Response):
            pass

        assert glance_at(Own(503, content=b"", request=request)) is None

    @settings(max_examples=30, deadline=None)
    @given(
        one=st.sampled_from(labelled()),
        other=st.sampled_from(labelled()),
        mixed=st.lists(st.booleans(), min_size=5, max_size=5),
    )
    def test_with_parts_of_others_are_no_other_answer(
        self, one: Any, other: Any, mixed: list[bool]
    ) -> None:
        """Another status, header, body, method or address is seen."""
        rules = Catalog.extended(builtin())
        for asked in (one, other):
            described(requests.HTTPError("no", response=response(*asked)), rules)
        parts = [b if take else a for a, b, take in zip(one, other, mixed, strict=True)]
        error = requests.HTTPError("no", response=response(*parts))
        assert at_a_glance(error, rules) in (None, thought_out(error))

    def test_a_stream_that_nobody_read_stays_unread(self, catalog: Catalog) -> None:
        """A body that the client did not take yet is not asked for."""

        class Raw:
            def __getattr__(self, name: str) -> NoReturn:
                raise AssertionError(f"{name} was asked for")

        answer = response(503, {"Server": "x"}, b"", "GET", URL.format(1))
        answer._content, answer.raw = False, Raw()  # type: ignore[assignment]  # as requests does
        error = requests.HTTPError("no", response=answer)
        for _ in range(3):
            described(error, catalog)
        assert glance_at(answer) is None

    def test_a_response_with_code_of_its_own_is_not_read(self) -> None:
        """A property of its class, or a method that is told elsewhere, takes a closer look."""

        class Own(requests.Response):
            @property
            def url(self) -> str:
                raise AssertionError("it was asked for")

            @url.setter
            def url(self, url: str) -> None: ...

        own = Own()
        usual = response(503, {"A": "b"}, b"", "GET", URL)
        vars(own).update(vars(usual))
        assert glance_at(own) is None
        assert glance_at(usual) is not None
        usual.method = "PATCH"  # type: ignore[attr-defined]  # as other clients do
        assert glance_at(usual) is None

    def test_a_code_beside_the_answer_is_read(self, catalog: Catalog) -> None:
        """An exception with a code of its own is looked at closely: its code may decide."""
        error = requests.HTTPError("no", response=response(503, {"A": "b"}, b"", "GET", URL))
        described(error, catalog)
        assert at_a_glance(error, catalog)
        error.code = "RATE_LIMITED"  # type: ignore[attr-defined]  # as SDKs do
        assert links_of(error) is None

    def test_addresses_that_end_in_other_numbers_are_alike(self, catalog: Catalog) -> None:
        """The record that a request was about does not matter; what is above it does."""

        def error(path: str) -> BaseException:
            answer = response(400, {"A": "b"}, b"", "PATCH", f"https://api.hubapi.com/{path}")
            return requests.HTTPError("no", response=answer)

        described(error("crm/v3/objects/contacts/1"), catalog)
        assert at_a_glance(error("crm/v3/objects/contacts/77777"), catalog)
        assert at_a_glance(error("crm/v3/objects/deals/77777"), catalog) is None
        assert at_a_glance(error("crm/v3/objects/contacts/merge"), catalog) is None
        described(error("portals/12/oauth2"), catalog)
        for path in ("crm/v3/objects/contacts/", "portals/12/oauth3"):
            assert at_a_glance(error(path), catalog) in (None, thought_out(error(path)))

    def test_of_a_limit_are_told_apart_by_its_headers(self, catalog: Catalog) -> None:
        """What is left of a limit decides, however often the same was answered to others."""

        def error(daily: int) -> BaseException:
            headers = {
                "X-HubSpot-RateLimit-Daily": "250000",
                "X-HubSpot-RateLimit-Daily-Remaining": f"{daily}",
                "X-HubSpot-RateLimit-Remaining": "7",
            }
            url = "https://api.hubapi.com/crm/v3/objects/contacts/471"
            return requests.HTTPError("no", response=response(429, headers, b"", "GET", url))

        for _ in range(3):
            for daily in (0, 99, 5):
                described(error(daily), catalog)
                assert at_a_glance(error(daily), catalog) in (None, thought_out(error(daily)))
        assert at_a_glance(error(0), catalog) == thought_out(error(0))

    @pytest.mark.parametrize("names", [("Content-Type",), ("Content-Type", "Server")])
    def test_with_headers_of_a_class_of_their_own_are_not_read(
        self, names: tuple[str, ...], catalog: Catalog
    ) -> None:
        """A value that only looks like a known text may be anything; a number is none."""

        class OwnText(str):
            asked = 0

            def __hash__(self) -> int:
                OwnText.asked += 1
                return str.__hash__(self)

        def error(value: Any) -> BaseException:
            answer = response(503, {}, b"", "GET", URL)
            answer.headers.update(dict.fromkeys(names, value))
            return requests.HTTPError("no", response=answer)

        described(error("x"), catalog)
        assert at_a_glance(error("x"), catalog)
        assert at_a_glance(error(7), catalog) is None
        assert at_a_glance(error(OwnText("x")), catalog) is None
        assert not OwnText.asked

    def test_that_were_forgotten_are_unknown(self, catalog: Catalog) -> None:
        """Where requests went is remembered apart from the answers, and says nothing alone."""
        error = requests.HTTPError("no", response=response(503, {"A": "b"}, b"", "GET", URL))
        for _ in range(2):
            described(error, catalog)
            assert at_a_glance(error, catalog)
            memory_of(catalog).forget()
            assert at_a_glance(error, catalog) is None

    @pytest.mark.parametrize(
        ("known", "asked"),
        [
            pytest.param("contacts/", "contacts/1", id="a-number-or-none"),
            pytest.param("contacts/1", "contacts/", id="none-or-a-number"),
            pytest.param("deals1", "deals7", id="part-of-a-word"),
            pytest.param("a?x=1", "a?x=7", id="query"),
            pytest.param("leads/1", "leads/" + "7" * 33, id="longer-than-ids"),
        ],
    )
    @pytest.mark.parametrize("rule", ["contacts/$", "deals7", "77$"])
    def test_of_other_places_are_told_apart(
        self, known: str, asked: str, rule: str, tmp_path: Path
    ) -> None:
        """Where a rule asks for an address, what is known of another like it does not count."""
        file = tmp_path / "own.toml"
        file.write_text(f'[[rules]]\nreason = "WRONG_URL"\ncodes = ["OWN"]\npath = ["{rule}"]\n')
        catalog, rules = builtin().extended(file), builtin().extended(file)

        def error(path: str) -> BaseException:
            url = f"https://api.vendor.example/v1/{path}"
            body = b'{"code": "OWN"}'
            return requests.HTTPError("no", response=response(400, {"A": "b"}, body, "GET", url))

        described(error(known), catalog)
        assert at_a_glance(error(known), catalog) == described(error(known), rules)
        assert at_a_glance(error(asked), catalog) in (None, described(error(asked), rules))

    def test_memory_asked_at_a_glance_answers_as_ever(self) -> None:
        """What a glance finds is what `answer` says to the same, but for the id."""
        memory = Memory(builtin())
        headers = {"Content-Type": "application/json", "X-Request-Id": "a1b2c3d4e5"}
        for number in range(5):
            body = json.dumps({"message": "Not now", "correlationId": f"0f1b6b31-{number:08}"})
            answer = response(429, headers, body.encode(), "GET", URL.format(number))
            said = memory.answer(429, headers, body.encode(), None, "GET", URL.format(number))
            glance = glance_at(answer)
            assert glance is not None
            store = {name: (name, value) for name, value in headers.items()}
            found = memory.recall((glance[0], store, *glance[2:]), None)
            assert but_its_id(found) == but_its_id(said)


def but_its_id(error: CrmError | None) -> CrmError | None:
    return None if error is None else error.with_request_id(None)


class TestLinks:
    def test_are_those_of_a_closer_look(self) -> None:
        """In the same order: reasons, errors of the system, arguments, causes."""
        from crmlogging.errors.raised.faults import _links

        for error in (
            refused(1),
            failed(lambda: ValueError("x", KeyError("y"), 3), failed(lambda: TypeError("z"))),
            failed(lambda: ValueError(ValueError())),
            failed_while(TypeError("inner"), ValueError("outer")),
            failed_while(TypeError("inner"), ValueError("outer"), hides=True),
        ):
            links = links_of(error)
            assert links is not None
            assert list(map(id, links)) == [id(link) for link in _links(error)]
            assert (answer_in(error) is None) is (answer_among(links) is None)

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("def __getattr__(self, name): raise SystemExit", id="getattr"),
            pytest.param("def __getattribute__(self, name): raise SystemExit", id="getattribute"),
            pytest.param("response = property(lambda self: 1 / 0)", id="response"),
            pytest.param("code = 'X'", id="code"),
            pytest.param("args = property(lambda self: 1 / 0)", id="args"),
            pytest.param("__cause__ = property(lambda self: 1 / 0)", id="cause"),
            pytest.param("__dict__ = property(lambda self: 1 / 0)", id="dict"),
        ],
    )
    def test_of_a_class_with_code_of_its_own_are_not_read(self, body: str) -> None:
        """Nothing of a stranger's runs at a glance; such an exception is looked at as ever."""
        spoken: dict[str, Any] = {}
        exec(f"class Own(Exception):\n    {body}", spoken)  # a class of the test
        assert not KINDS[spoken["Own"]].links
        assert links_of(Exception.__new__(spoken["Own"])) is None

    def test_words_of_a_class_that_makes_its_own_are_not_asked_for(self, catalog: Catalog) -> None:
        """A text that a class makes itself is asked for by the closer look alone."""

        class OwnError(Exception):
            asked = 0

            def __str__(self) -> str:
                OwnError.asked += 1
                return "x"

        error = failed(lambda: OwnError("x"))
        assert Recall(catalog).error_like(error, None) is None
        assert OwnError.asked == 0

    def test_of_objects_that_raise_are_left_to_a_closer_look(self, catalog: Catalog) -> None:
        """An argument or a file name that lies or raises breaks nothing."""

        class Liar:
            @property
            def __class__(self) -> type:
                raise RuntimeError

            @__class__.setter
            def __class__(self, kind: type) -> None: ...

            def __repr__(self) -> str:
                raise RuntimeError

        found = OSError(2, "x")
        found.filename = Liar()
        for error in (ValueError(Liar()), found):
            assert Recall(catalog).error_like(error, None) is None

    def test_stay_as_they_are(self, catalog: Catalog) -> None:
        """An exception that was looked at prints as before."""
        error = refused(1)
        before = "".join(traceback.format_exception(error))
        described(error, catalog)
        assert at_a_glance(error, catalog) is None
        assert "".join(traceback.format_exception(error)) == before

    def test_of_a_long_or_circular_chain_end(self) -> None:
        """A chain is walked to its bound, a circle once."""
        error: BaseException = ValueError("x")
        for _ in range(10_000):
            error = failed(lambda: ValueError("x"), error)
        assert links_of(error) is None
        one, two = ValueError("x"), ValueError("y")
        one.__cause__, two.__cause__ = two, one
        links = links_of(one)
        assert links is not None
        assert [str(link) for link in links] == ["x", "y"]
