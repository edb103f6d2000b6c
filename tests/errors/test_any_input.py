"""Promises of `classify` for any input: no exception hidden, bounded time, no value let out."""

from __future__ import annotations

import json
import re
import time
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging.errors.catalog import builtin
from crmlogging.errors.catalog.literals import Index, needs_of, numbers_of
from crmlogging.errors.catalog.patterns import Alternative, as_data
from crmlogging.errors.classify import classify
from crmlogging.errors.explaining import explain
from crmlogging.errors.findings import roles
from crmlogging.errors.model import CrmError
from crmlogging.errors.verdicts.case import Case

KEYS: Final = sorted(roles._ROLES)
WORDS: Final = st.sampled_from(
    (
        *("INVALID_EMAIL", "rate limit exceeded", "email is required", "200", "401", "error", "ok"),
        *("Failed to parse field [age]", "https://x.example/probs/out-of-credit", "2026-11-20T1:2"),
        *("sf:INVALID_SESSION_ID", "soap:Server", "[{", '{"code": 4}', "{'code': 'X'}", "", " "),
        *("/data/attributes/email", "$.data[0].x", "body.to: missing", "'", "\x00", "é" * 99),
    )
)
LEAVES: Final = (
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=30)
)
TREES: Final = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=30,
)
NAMES: Final = st.sampled_from(("Fault", "faultcode", "detail", "Error", "code", "rsp", "a:b", "é"))
XML: Final = st.recursive(
    st.text(alphabet="ab &;<>!\"'[]", max_size=12),
    lambda inner: st.builds(
        lambda name, parts, key: f'<{name} {key}="fail">{"".join(parts)}</{name}>',
        NAMES,
        st.lists(inner, max_size=3),
        st.sampled_from(("code", "stat", "xmlns:a", "x")),
    ),
    max_leaves=12,
)
HEADERS: Final = st.dictionaries(
    st.sampled_from(
        (
            *("Retry-After", "Date", "X-RateLimit-Reset", "X-RateLimit-Remaining", "RateLimit"),
            *("WWW-Authenticate", "Content-Type", "x-amzn-errortype", "X-HubSpot-Foo", "Server"),
        )
    ),
    WORDS | st.text(max_size=20) | st.integers() | st.binary(max_size=6),
    max_size=5,
)
PROVIDERS: Final = st.sampled_from((None, *builtin().providers, "nobody"))


def judged(**answer: Any) -> CrmError | None:
    """Classify without the net that catches what goes wrong inside."""
    names = ("status", "headers", "body", "provider", "exception", "method", "url")
    return Case(builtin(), *(answer.get(name) for name in names)).classified()


class TestNothingIsHidden:
    """`classify` never raises; here nothing may go wrong inside it either."""

    @settings(max_examples=400, deadline=None)
    @given(
        tree=TREES,
        status=st.sampled_from((None, 200, 207, 302, 400, 401, 403, 404, 422, 429, 500, 503)),
        headers=HEADERS,
        provider=PROVIDERS,
        method=st.sampled_from((None, "", "POST", "x" * 99)),
    )
    def test_json(self, tree: Any, **answer: Any) -> None:
        """Any tree of the keys that errors are made of."""
        error = judged(body=tree if isinstance(tree, (dict, list)) else [tree], **answer)
        if error is not None:
            json.dumps(error.to_problem())
            assert len(error.fields) <= 50
            assert len(error.items) <= 1_000

    @settings(max_examples=200, deadline=None)
    @given(text=XML, status=st.sampled_from((200, 400, 500)), provider=PROVIDERS)
    def test_xml(self, text: str, **answer: Any) -> None:
        """Any document, well-formed or not."""
        judged(body=f"<?xml version='1.0'?><Envelope>{text}</Envelope>", **answer)

    @settings(max_examples=300, deadline=None)
    @given(
        body=st.binary(max_size=200) | st.text(max_size=200),
        start=st.sampled_from(("", "{", "[", "<", '"', "--b\r\n", "id,error\n", "HTTP/1.1 ", "{'")),
        status=st.sampled_from((None, 200, 400, 503)),
        headers=HEADERS,
    )
    def test_text(self, body: str | bytes, start: str, **answer: Any) -> None:
        """Any text or bytes, after the beginning of any format."""
        whole = start.encode() + body if isinstance(body, bytes) else start + body
        judged(body=whole, **answer)

    @settings(max_examples=200, deadline=None)
    @given(text=WORDS | st.text(max_size=80), name=st.sampled_from(("ApiException", "a.B", "")))
    def test_exceptions(self, text: str, name: str) -> None:
        """Any text of an exception; and whatever it is, `explain` says the same as `classify`."""
        exception = f"{name}: {text}"
        judged(exception=exception)
        assert explain(exception=exception).error == classify(exception=exception)


MEGABYTE: Final = 1 << 20
LAUGHS: Final = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 30))


class TestBounds:
    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(f'<!DOCTYPE l [<!ENTITY l0 "x">{LAUGHS}]><a>&l29;</a>', id="laughs"),
            pytest.param(
                f'<!DOCTYPE a [<!ENTITY b "{"x" * 500_000}">]><a>{"&b;" * 9_999}</a>', id="blow-up"
            ),
            pytest.param('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a>&x;</a>', id="external"),
            pytest.param("<a>" + "<b>x</b>" * 130_000 + "</a>", id="many-nodes"),
            pytest.param("<a " + 'b="c" ' * 170_000 + "/>", id="many-attributes"),
            pytest.param('{"a":' * 200_000, id="deep-json"),
            pytest.param(json.dumps({"errors": [[[[{"code": "x"}]]] * 60_000]}), id="lists"),
            pytest.param(json.dumps({f"k{n}": n for n in range(60_000)}), id="many-keys"),
            pytest.param(json.dumps({"message": "Property values: [" * 50_000}), id="embedded"),
            pytest.param(json.dumps({"message": "invalid " * 120_000}), id="invalid-words"),
            pytest.param(json.dumps({"detail": "the field 'a' " * 70_000}), id="fields-in-words"),
            pytest.param(json.dumps({"message": "per day per month " * 50_000}), id="limits"),
            pytest.param(json.dumps({"message": "retry in " * 100_000}), id="delays"),
            pytest.param("\\u0041" * 170_000, id="escapes"),
            pytest.param("Error code: " * 80_000, id="pages"),
            pytest.param("<html>" + "<div " * 200_000, id="open-tags"),
            pytest.param("--b\r\nContent-Type: x; boundary=b\r\n\r\n" * 28_000, id="batches"),
        ],
    )
    def test_a_megabyte_made_to_hurt(self, body: str) -> None:
        """Whatever it holds, it is answered in well under a second of CPU."""
        classify(status=400, body='{"message": "x is invalid"}')  # the catalog is loaded first
        began = time.process_time()
        for status in (200, 500):
            classify(status=status, body=body[: MEGABYTE + 9])
        assert time.process_time() - began < 20

    def test_an_exception_s_text_made_to_hurt(self) -> None:
        """The same holds for what an exception says."""
        classify(exception="x.Y: z")
        for text in ("(" * 200_000, "Status code " * 50_000, "a." * 200_000, "{" * 200_000):
            began = time.process_time()
            classify(exception=f"x.YError: {text}")
            assert time.process_time() - began < 20


SOURCES: Final = sorted(
    {
        source
        for rule in builtin().rules()
        for pattern in (rule.family, rule.wording, rule.unless, rule.host, rule.path)
        if pattern is not None
        for source in pattern.sources
    }
)


class TestIndex:
    def test_it_leaves_out_no_wording_that_is_there(self) -> None:
        """What the index of wordings leaves out cannot match: on words of the rules themselves."""
        catalog = builtin()
        wordings = catalog.generic.wordings
        sentences = [
            *(" ".join(text for texts in each.needs for text in texts) for _, each in wordings),
            *("daily budget used", "you've hit the limit of contacts"),
        ]
        searched = [(number, re.compile(each.source)) for number, (_, each) in enumerate(wordings)]
        for sentence in sentences:
            possible = set(catalog._wordings.possible(sentence))
            assert {n for n, pattern in searched if pattern.search(sentence)} <= possible, sentence

    @pytest.mark.parametrize(
        ("source", "texts"),
        [
            pytest.param("rate[- ]?limit", "limit rate", id="class"),
            pytest.param("(?:daily|monthly) quota", "_quota daily|monthly", id="longest-first"),
            pytest.param("one|three", "one|three", id="top"),
            pytest.param("(?:not )?(?:found|known)", "found|known", id="optional"),
            pytest.param("(?:foo){0,3}bar", "bar", id="maybe-none"),
            pytest.param("colou?rs?x", "colo", id="quantifier"),
            pytest.param(r"\bab\b", "ab", id="short"),
            pytest.param("abc|d", "", id="one-without"),
            pytest.param("(?:abc|(?:de)?)f", "", id="one-empty"),
            pytest.param("(?!secret)word", "word", id="look-ahead"),
            pytest.param("(?<=secret)word(?! more)", "word", id="look-behind"),
            pytest.param(r"a{0,60}tunnel", "tunnel", id="bounds"),
            pytest.param("(?i:secret) word", "", id="flags"),
            pytest.param("(?P<name>secret) word", "", id="name"),
            pytest.param(r"caf\u00e9 word", "", id="code"),
        ],
    )
    def test_what_a_pattern_needs(self, source: str, texts: str) -> None:
        """Plain text without which it cannot match."""
        told = " ".join("|".join(each).replace(" ", "_") for each in needs_of(source))
        assert told == texts

    def test_a_pattern_that_cannot_be_looked_for_is_always_possible(self) -> None:
        """It cannot be left out; patterns of further parts are counted on."""
        part = numbers_of([needs_of(source) for source in ("abc", r"\d+", "ab")])
        assert Index(part).possible("xyz") == [1, 2]
        assert Index(part).possible("an abc") == [0, 1, 2]
        assert Index(part, part).possible("an abc") == [0, 1, 2, 3, 4, 5]
        assert Index(numbers_of([]), part).possible("xyz") == [1, 2]

    @settings(max_examples=80, deadline=None)
    @given(st.data())
    def test_what_an_expression_means_is_found(self, data: st.DataObject) -> None:
        """No look for plain text hides a match: for texts made of the catalog's expressions."""
        source = data.draw(st.sampled_from(SOURCES))
        text = data.draw(st.from_regex(source))
        assert Alternative(as_data(source)).found_in(text)
