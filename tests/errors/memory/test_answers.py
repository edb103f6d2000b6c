"""Promises of what `classify` remembers: never another answer than thinking it out would give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging.errors.catalog import Catalog, builtin
from crmlogging.errors.findings import roles
from crmlogging.errors.memory.answers import Memory, memory_of
from crmlogging.errors.memory.forms import Form, form_of
from crmlogging.errors.model import CrmError
from crmlogging.errors.verdicts.case import Case

PAGES: Final = [Path(__file__).parents[1] / name for name in ("unseen.jsonl", "answers.jsonl")]
URL: Final = "https://api.vendor.example/v1/contacts/{}"
NO_KEYS: Final[frozenset[str]] = frozenset()
# What would change a verdict if anybody read it.
HOSTILE: Final = (
    *("RATE_LIMIT_EXCEEDED", "email is required", "401", "error", "success", "invalid_grant"),
    *("https://x.example/probs/out-of-credit", "", "2026-11-20T10:00:00Z", "é"),
)
KEYS: Final = st.sampled_from(
    (*sorted(roles._ROLES), "timestamp", "created_at", "x", "index", "fooResult", "barException")
)
LEAVES: Final = (
    st.none() | st.booleans() | st.integers(0, 700) | st.sampled_from((*HOSTILE, "a1b2c3d4e5f6"))
)
TREES: Final = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    ),
    min_size=1,
    max_size=6,
)


def cases() -> list[dict[str, Any]]:
    """Return the labelled answers whose body is JSON."""
    lines = [line for page in PAGES for line in page.read_text(encoding="utf-8").splitlines()]
    found = [case for case in map(json.loads, lines) if not case.get("transport")]
    return [case for case in found if is_json(case.get("body"))]


def is_json(body: str | None) -> bool:
    try:
        return isinstance(json.loads(body or ""), dict | list)
    except ValueError:
        return False


def thought_out(**asked: Any) -> CrmError | None:
    """Answer without any memory."""
    names = ("status", "headers", "body", "provider", "exception", "method", "url")
    return Case(builtin(), *(asked.get(name) for name in names)).classified()


def recalled(memory: Memory, **asked: Any) -> CrmError | None:
    """Answer with the help of `memory`."""
    names = ("status", "headers", "body", "provider", "method", "url")
    return memory.answer(*(asked.get(name) for name in names))


def but_its_id(error: CrmError | None) -> CrmError | None:
    return None if error is None else error.with_request_id(None)


def form(body: str) -> Form | None:
    return form_of(body, json.loads(body), NO_KEYS, None)


@pytest.fixture
def memory() -> Memory:
    return Memory(builtin())


class TestForms:
    def test_nothing_in_a_blank_decides(self) -> None:
        """Whatever stands in the blanks of a labelled answer, its meaning stays."""
        blank = 0
        for case in cases():
            request = case.get("request") or {}
            asked = {
                **{name: case.get(name) for name in ("status", "headers", "provider")},
                **{name: request.get(name) for name in ("method", "url")},
            }
            known = form_of(case["body"], json.loads(case["body"]), NO_KEYS, None)
            if known is None:
                continue
            blank += 1
            expected = but_its_id(thought_out(**asked, body=case["body"]))
            for number, words in enumerate(HOSTILE):
                body = known.filled(case["body"], words, number * 143)
                assert but_its_id(thought_out(**asked, body=body)) == expected, case["id"]
                assert known.id_in(body) is not None
        assert blank > 100

    @settings(max_examples=300, deadline=None)
    @given(tree=TREES, status=st.sampled_from((None, 200, 207, 400, 401, 422, 429, 503)))
    def test_nothing_in_a_blank_of_any_body_decides(self, tree: Any, status: int | None) -> None:
        """Nor does it with bodies that nobody has seen."""
        body = json.dumps(tree)
        known = form_of(body, json.loads(body), NO_KEYS, None)
        if known is not None:
            expected = but_its_id(thought_out(status=status, body=body))
            for number, words in enumerate(HOSTILE):
                other = known.filled(body, words, number * 143)
                assert but_its_id(thought_out(status=status, body=other)) == expected

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param('{"message": "gone", "at": "b"}', id="other-text"),
            pytest.param('{"message": "late", "at": 5}', id="other-kind"),
            pytest.param('{"message": "late", "at": "a\\"b"}', id="escape"),
            pytest.param('{"message": "late", "at": "a\nb"}', id="control"),
            pytest.param('{"message": "late", "at": "a"', id="cut"),
            pytest.param('{"message": "late", "at": "', id="cut-in-a-blank"),
            pytest.param('{"message": "late", "at": "a"}}', id="longer"),
            pytest.param('{"message": "late", "at": "a", "code": "X"}', id="more"),
        ],
    )
    def test_other_text_is_of_another_form(self, body: str) -> None:
        """A text fits a form only if all but its blanks is the same, and these hold values."""
        known = form('{"message": "late", "at": "2026-11-20"}')
        assert known is not None
        assert known.id_in('{"message": "late", "at": "another"}') == ""
        assert known.id_in(body) is None

    @pytest.mark.parametrize("number", ["007", "1e5", "1.", "--1", "x", "1" * 40])
    def test_a_number_is_one_of_json(self, number: str) -> None:
        """What no parser takes for a plain number does not fit a number's blank."""
        known = form('{"message": "late", "at": 12.5}')
        assert known is not None
        assert known.id_in('{"message": "late", "at": -3}') == ""
        assert known.id_in(f'{{"message": "late", "at": {number}}}') is None

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param('{"message": "late", "at": "a", "at": "b"}', id="twice"),
            pytest.param('{"message": "late"}', id="nothing-blank"),
            pytest.param('{"first_name": "is too long", "last": "Lovelace"}', id="map-of-fields"),
        ],
    )
    def test_some_bodies_have_no_form(self, body: str) -> None:
        """Where values may decide, or text and tree differ, there are no blanks."""
        assert form(body) is None


class TestMemory:
    @settings(max_examples=200, deadline=None)
    @given(
        tree=TREES,
        status=st.sampled_from((200, 400, 401, 403, 429, 503)),
        provider=st.sampled_from((None, "hubspot", "zoho", "mailchimp")),
        told=st.sampled_from(
            (
                *({}, {"Retry-After": "7"}, {"X-RateLimit-Remaining": "0", "RateLimit": "t=4"}),
                *({"X-Request-Id": "req-12"}, {"Server": "x", "X-HubSpot-A": "b"}),
                {
                    "Retry-After": "Fri, 20 Nov 2026 10:00:09 GMT",
                    "Date": "Fri, 20 Nov 2026 10:00:00",
                },
            )
        ),
    )
    def test_memory_says_what_thinking_would(
        self, tree: Any, status: int, provider: str | None, told: dict[str, str]
    ) -> None:
        """As text, bytes or parsed, again and with other ids: the same answer as without memory."""
        memory = Memory(builtin())
        for number in range(4):
            body = {**tree, "timestamp": f"2026-11-20T10:00:0{number}Z", "trace_id": f"t-{number}9"}
            asked = {"status": status, "headers": told, "provider": provider, "method": "POST"}
            asked["url"] = URL.format(number)
            expected = thought_out(**asked, body=body)
            for same in (json.dumps(body), json.dumps(body).encode(), body):
                assert recalled(memory, **asked, body=same) == expected

    def test_each_answer_keeps_the_id_of_its_request(self, memory: Memory) -> None:
        """An id in the body counts; without one, that in the headers."""
        for number in range(10, 16):
            body = json.dumps({"code": "EXPIRED_TOKEN", "requestId": f"body-{number}"})
            told = {"X-Request-Id": f"head-{number}", "Date": f"Fri, 20 Nov 2026 10:00:{number}"}
            found = recalled(memory, status=401, headers=told, body=body, url=URL.format(number))
            assert found is not None
            assert found.request_id == f"body-{number}"
            body = json.dumps({"code": "EXPIRED_TOKEN", "at": number})
            found = recalled(memory, status=401, headers=told, body=body, url=URL.format(number))
            assert found is not None
            assert found.request_id == f"head-{number}"
        assert memory.size < 8

    def test_what_stands_in_for_an_id_is_asked_again(self, memory: Memory) -> None:
        """A value that is no id does not become one by standing where ids stood."""
        for number in range(5):
            body = json.dumps({"code": "EXPIRED_TOKEN", "requestId": f"body-{number}"})
            recalled(memory, status=401, body=body)
        for said in ("491715550199", "sk_live_51Habc", "a b", ""):
            body = json.dumps({"code": "EXPIRED_TOKEN", "requestId": said})
            found = recalled(memory, status=401, body=body)
            assert found is not None
            assert found.request_id is None

    def test_limits_and_times_are_told_anew(self, memory: Memory) -> None:
        """A delay that headers tell is that of these headers."""
        body = '{"message": "too many requests"}'
        for seconds in (5, 7, 5, 9):
            told = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(seconds)}
            found = recalled(memory, status=429, headers=told, body=body)
            assert found is not None
            assert found.retry_after_seconds == seconds
            told = {"Retry-After": str(seconds)}
            found = recalled(memory, status=429, headers=told, body=body)
            assert found is not None
            assert found.retry_after_seconds == seconds
        before = memory.size
        told = {"Retry-After": "Fri, 20 Nov 2099 10:00:00 GMT"}
        recalled(memory, status=429, headers=told, body=body)
        assert memory.size == before

    def test_new_shapes_do_not_cost_forms_for_ever(self, memory: Memory) -> None:
        """Where no body is like another, no more forms are learnt, and memory stays bounded."""
        for number in range(3_000):
            body = json.dumps({"message": f"canary {number}", "at": number})
            recalled(memory, status=400, body=body)
        assert memory.size < 1_000
        kept = [
            (s.answers, [(f._pattern, f._blanks, f._between) for f, _ in s.forms])
            for s in memory._situations.values()
        ]
        assert "canary" not in repr(kept)

    def test_a_users_catalog_has_its_own_memory(self) -> None:
        """What was answered by other rules does not count."""
        catalog = Catalog.extended(builtin())
        assert memory_of(catalog) is not memory_of(builtin())
        assert memory_of(catalog) is memory_of(catalog)
