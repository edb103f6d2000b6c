"""Promises of the mask ``seal``: what a line shows, and where alone it opens again."""

from __future__ import annotations

import copy
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmlogging import AllowlistFilter, ConfigurationError, CorrelationFilter, JsonFormatter
from crmlogging.context import correlation
from crmlogging.crypto.keys import PrivateKey, PrivateKeys
from crmlogging.diagnostics import tally
from crmlogging.records import SafeRecord
from crmlogging.redaction import unsealing
from crmlogging.redaction.sealing import is_token
from crmlogging.redaction.unsealing import LineUnsealer

KEY = PrivateKey.new()
RING = PrivateKeys()
RING.add(KEY)
MASK = {
    **dict.fromkeys(("email", "amount", "emails", "level"), "seal"),
    **dict.fromkeys(("lead.*", "people[].phone"), "seal"),
}

log = logging.getLogger("crm.sealing")
Seal = Callable[..., dict[str, Any]]


def opened(line: Any, keys: PrivateKeys = RING) -> tuple[Any, int, int]:
    """Return a copy of `line` unsealed, and how many tokens were opened and failed."""
    line = copy.deepcopy(line)
    unsealer = LineUnsealer(keys)
    unsealer.unseal(line)
    return line, unsealer.opened, unsealer.failed


@pytest.fixture
def sealed() -> Iterator[Seal]:
    """Log one record with the given `extra` and return its line."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(service="crm-sync"))
    log.propagate, log.handlers[:] = False, [handler]

    def seal(service: str | None = "crm-sync", **extra: object) -> dict[str, Any]:
        kept = AllowlistFilter(["@crm"], mask=MASK, seal_to=KEY.public.line, service=service)
        handler.filters.clear()
        handler.addFilter(CorrelationFilter())
        handler.addFilter(kept)
        stream.seek(0)
        stream.truncate()
        with correlation("nightly-1"):
            log.error("Failed", extra=extra)
        line: dict[str, Any] = json.loads(stream.getvalue())
        return line

    yield seal
    log.handlers.clear()


class TestLine:
    def test_holds_a_token_that_opens(self, sealed: Seal) -> None:
        """The value is not in the line, and comes back with its type."""
        line = sealed(email="ada@example.com", amount=12.5)
        assert "ada@" not in json.dumps(line)  # chance puts three letters into a token
        assert is_token(line["email"])
        clear, *counts = opened(line)
        assert (clear["email"], clear["amount"], counts) == ("ada@example.com", 12.5, [2, 0])
        assert {**clear, "email": 0, "amount": 0} == {**line, "email": 0, "amount": 0}

    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        value=st.one_of(
            st.text(), st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False)
        )
    )
    def test_any_scalar_comes_back(self, value: object, sealed: Seal) -> None:
        """Texts (half surrogates too), numbers, truth values and nothing at all."""
        clear, *counts = opened(sealed(email=value))
        if value in (float("inf"), float("-inf")):
            value = repr(value)
        assert (clear["email"], type(clear["email"]), counts) == (value, type(value), [1, 0])

    def test_every_record_of_a_call(self) -> None:
        """The tenth record of one logging call is sealed as the first one is."""
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(JsonFormatter(service="crm-sync"))
        handler.addFilter(
            AllowlistFilter(["@crm"], mask=MASK, seal_to=KEY.public.line, service="crm-sync")
        )
        log.propagate, log.handlers[:] = False, [handler]
        try:
            for number in range(10):
                log.error("Failed to send", extra={"email": f"ada{number}@example.com"})
        finally:
            log.handlers.clear()
        lines = [opened(json.loads(line)) for line in stream.getvalue().splitlines()]
        assert [line["email"] for line, *_ in lines] == [f"ada{n}@example.com" for n in range(10)]
        assert [counts for _, *counts in lines] == [[1, 0]] * 10

    def test_wherever_the_allowlist_leads(self, sealed: Seal) -> None:
        """Nested objects, lists of values, values in lists of objects, and renamed fields."""
        given: dict[str, Any] = {
            "lead": {"name": "Ada", "age": 36},
            "emails": ["a@example.com", "b@example.com"],
            "people": [{"phone": "+1 555 0100"}, {"phone": "+1 555 0101", "x": "canary"}],
            "level": "fine",
        }
        line = sealed(**given)
        clear, count, failed = opened(line)
        assert (count, failed) == (7, 0)
        assert (clear["lead.name"], clear["lead.age"]) == ("Ada", 36)
        assert clear["emails"] == given["emails"]
        assert [each["phone"] for each in clear["people"]] == ["+1 555 0100", "+1 555 0101"]
        assert clear["extra.level"] == "fine"
        assert "canary" not in json.dumps(clear)

    def test_an_argument_of_the_message(self, sealed: Seal) -> None:
        """An argument named after its expression is sealed under that name."""
        sealed()
        stream = log.handlers[0].stream  # type: ignore[attr-defined]  # a StreamHandler's
        email = "ada@example.com"
        log.error("Failed %s", email)
        line = json.loads(stream.getvalue().splitlines()[-1])
        assert "ada@" not in json.dumps(line)  # chance puts three letters into a token
        assert opened(line)[0]["email"] == email

    def test_equal_values_look_different(self, sealed: Seal) -> None:
        """Neither within a line nor over lines can they be told equal."""
        line = sealed(emails=["ada"] * 50)
        assert len(set(line["emails"])) == 50
        assert len({len(token) for token in line["emails"]}) == 1

    def test_a_hostile_value_is_masked(self, sealed: Seal) -> None:
        """What raises, or has no plain value, is masked whole; the line is written."""

        class Hostile(dict[str, str]):
            def __str__(self) -> str:
                raise RuntimeError("canary")

            __repr__ = __iter__ = __str__  # type: ignore[assignment]  # hostile, as it says

        line = sealed(email=Hostile(a="canary"), amount=object(), emails=[Hostile(), "ok"])
        assert (line["email"], line["amount"]) == ("[REDACTED]", "[REDACTED]")
        assert line["emails"][0] == "[REDACTED]"
        assert opened(line)[0]["emails"][1] == "ok"
        assert "canary" not in json.dumps(line)

    def test_a_line_stays_bounded(self, sealed: Seal) -> None:
        """However much there is to seal; the rest is masked whole, and counted."""
        before = tally["redaction.seal_withheld"]
        line = sealed(emails=["x" * 60_000] * 20)
        assert len(json.dumps(line)) < 500_000
        assert line["emails"].count("[REDACTED]") == tally["redaction.seal_withheld"] - before > 10

    def test_a_cipher_that_fails_masks(self, sealed: Seal, monkeypatch: pytest.MonkeyPatch) -> None:
        """An error while sealing withholds the value, counts it, and writes the line."""

        def broken(*_: object) -> str:
            raise MemoryError("canary")

        monkeypatch.setattr("crmlogging.crypto.tokens.Sealer.seal", broken)
        before = tally["redaction.seal_failed"]
        line = sealed(email="ada@example.com", emails=["a"])
        assert (line["email"], line["emails"]) == ("[REDACTED]", ["[REDACTED]"])
        assert tally["redaction.seal_failed"] == before + 2

    def test_a_second_allowlist_leaves_tokens_alone(self) -> None:
        """What is sealed is not sealed again; who does not list it masks it."""
        first = AllowlistFilter(["@crm"], mask=MASK, seal_to=KEY.public.line)
        record = logging.makeLogRecord({"email": "ada", "emails": ["a", "b"]})
        once = first.refine(record)
        assert isinstance(once, SafeRecord)
        again = first.refine(once)
        assert isinstance(again, SafeRecord)
        for name in ("email", "emails"):
            assert vars(again)[name] == vars(once)[name]
        narrowed = AllowlistFilter(["@crm"]).refine(once)
        assert vars(narrowed)["email"] == "[REDACTED]"

    def test_the_record_holds_plain_text_only(self) -> None:
        """Nothing on the safe record leads back to the value."""
        kept = AllowlistFilter(["@crm"], mask=MASK, seal_to=KEY.public.line)
        safe = kept.refine(logging.makeLogRecord({"email": "canary", "emails": ["canary"]}))
        assert isinstance(safe, SafeRecord)
        assert type(vars(safe)["email"]) is str
        assert {type(each) for each in vars(safe)["emails"]} == {str}


class TestBinding:
    @pytest.mark.parametrize(
        ("name", "other"),
        [
            ("service", "crm-other"),
            ("timestamp", "2026-11-22T03:00:00.131Z"),
            ("correlation_id", "nightly-2"),
            ("record.id", "f31796a7ec7ad65c-1"),
        ],
    )
    def test_a_line_changed_is_noticed(self, name: str, other: str, sealed: Seal) -> None:
        """Service, time, correlation id and record id are bound; a fact forged keeps it shut."""
        line = sealed(email="ada@example.com")
        assert opened({**line, "message": "forged", "source": "x:1"})[1:] == (1, 0)
        forged, *counts = opened({**line, name: other})
        assert counts == [0, 1]
        assert forged["email"] == line["email"]
        del line[name]
        assert opened(line)[1:] == (0, 1)

    def test_moved_to_another_line(self, sealed: Seal) -> None:
        """A token of another record of the same scope does not open."""
        one, two = sealed(email="ada@example.com"), sealed(email="bob@example.com")
        assert opened({**two, "email": one["email"]})[1:] == (0, 1)

    def test_moved_to_another_field(self, sealed: Seal) -> None:
        """Fields, items of a list, and items' fields cannot be exchanged."""
        line = sealed(
            email="a", amount=1, emails=["b", "c"], people=[{"phone": "d"}, {"phone": "e"}]
        )
        assert opened(line)[1:] == (6, 0)
        assert opened({**line, "email": line["amount"], "amount": line["email"]})[1:] == (4, 2)
        assert opened({**line, "emails": line["emails"][::-1]})[1:] == (4, 2)
        assert opened({**line, "emails": line["emails"][1:]})[1:] == (4, 1)
        assert opened({**line, "people": line["people"][::-1]})[1:] == (4, 2)
        assert opened({**line, "new": line["email"]})[1:] == (6, 1)

    def test_the_service_may_be_unknown_to_the_filter(self, sealed: Seal) -> None:
        """Then none is bound, and the token opens whatever the formatter calls it."""
        line = sealed(service=None, email="ada@example.com")
        assert line["service"] == "crm-sync"
        assert opened(line)[1:] == (1, 0)
        assert opened({**line, "service": "crm-other"})[1:] == (1, 0)

    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(created=st.floats(0, 4_102_444_800))
    def test_time_is_bound_as_the_line_shows_it(self, created: float) -> None:
        """Whatever the clock says, the milliseconds of the line are those that are bound."""
        kept = AllowlistFilter(["@crm"], mask=MASK, seal_to=KEY.public.line)
        record = logging.makeLogRecord({"email": "ada", "created": created})
        safe = kept.refine(record)
        assert isinstance(safe, SafeRecord)
        assert opened(json.loads(JsonFormatter().format(safe)))[1:] == (1, 0)

    def test_a_correlation_id_that_is_sealed_itself(self) -> None:
        """It opens, and so does the rest of the line."""
        kept = AllowlistFilter(
            ["@crm"], mask={**MASK, "correlation_id": "seal"}, seal_to=KEY.public.line
        )
        safe = kept.refine(logging.makeLogRecord({"email": "ada", "correlation_id": "c-1"}))
        assert isinstance(safe, SafeRecord)
        clear, *counts = opened(json.loads(JsonFormatter().format(safe)))
        assert (clear["correlation_id"], clear["email"], counts) == ("c-1", "ada", [2, 0])


class TestShippedLines:
    def test_wrapped(self, sealed: Seal) -> None:
        """A line inside another object, beside others, or as text in one, still opens."""
        lines = [sealed(email=f"{number}@example.com") for number in range(3)]
        wrapped = {"@timestamp": "x", "hits": [{"_source": line} for line in lines]}
        assert opened(wrapped)[1:] == (3, 0)
        text = {"log": json.dumps(lines[0]) + "\n", "stream": "stdout", "time": "x"}
        clear, *counts = opened(text)
        assert counts == [1, 0]
        assert json.loads(clear["log"])["email"] == "0@example.com"
        assert clear["log"].endswith("}\n")

    def test_with_nested_names(self, sealed: Seal) -> None:
        """Where dotted names became objects, the path is the same."""
        line = sealed(lead={"name": "Ada"})
        line["lead"] = {"name": line.pop("lead.name")}
        line["record"] = {"id": line.pop("record.id")}
        clear, *counts = opened(line)
        assert (clear["lead"]["name"], counts) == ("Ada", [1, 0])

    def test_with_another_precision(self, sealed: Seal) -> None:
        """A time in microseconds or with an offset is the same time."""
        line = sealed(email="ada@example.com")
        for ending in ("000Z", "000+00:00"):
            changed = {**line, "timestamp": line["timestamp"].removesuffix("Z") + ending}
            assert opened(changed)[1:] == (1, 0)

    @pytest.mark.parametrize(
        "line",
        [
            pytest.param({"email": "seal:" + "A" * 179}, id="no record"),
            pytest.param({"email": "seal:" + "A" * 179, "record.id": 5}, id="id is a number"),
            pytest.param(["seal:" + "A" * 179], id="list"),
            pytest.param(
                {"record.id": "a", "timestamp": "2026-11-22T03:00:00", "e": "seal:" + "A" * 179},
                id="time without zone",
            ),
            pytest.param(
                {"record.id": "a", "timestamp": "0001-01-01T00:00Z", "e": "seal:" + "A" * 179},
                id="year one",
            ),
        ],
    )
    def test_garbage_stays(self, line: Any) -> None:
        """A token that nobody sealed is left and counted."""
        assert opened(line) == (line, 0, 1)

    def test_depth_is_no_matter(self) -> None:
        """A line nested ten thousand deep is walked, texts in texts only so far."""
        deep: Any = "seal:" + "A" * 179
        for _ in range(10_000):
            deep = [deep]
        unsealer = LineUnsealer(RING)
        assert not unsealer.unseal(deep)
        assert unsealer.failed == 1
        text = "seal:" + "A" * 179
        for _ in range(8):
            text = json.dumps({"t": text})
        assert opened({"t": text})[1:] == (0, 0)

    def test_tells_whether_anything_changed(self, sealed: Seal) -> None:
        """One token that opens is enough, also in a text; a text that stays is no change."""
        line, broken = sealed(email="ada@example.com"), "seal:" + "A" * 179
        for whole in ({**line, "last": broken}, {"log": json.dumps(line)}):
            assert LineUnsealer(RING).unseal(whole)
        for text in (broken, "no seal: here", "{seal:", json.dumps({"a": broken})):
            assert not LineUnsealer(RING).unseal({"log": text})

    def test_few_unknown_keys_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever makes ids of keys up fills no memory; beyond a number they are others."""
        monkeypatch.setattr(unsealing, "_KEY_IDS_KEPT", 1)
        unsealer = LineUnsealer(PrivateKeys())
        for key in (KEY, PrivateKey.new(), PrivateKey.new(), KEY):
            kept = AllowlistFilter(["@crm"], mask={"email": "seal"}, seal_to=key.public.line)
            safe = kept.refine(logging.makeLogRecord({"email": "ada"}))
            assert isinstance(safe, SafeRecord)
            unsealer.unseal({"email": vars(safe)["email"]})
        assert unsealer.unknown == {KEY.public.id: 2, "others": 2}

    def test_unknown_keys_are_named(self, sealed: Seal) -> None:
        """What key is missing, and how often, within bounds."""
        line = sealed(email="a", emails=["b", "c"])
        unsealer = LineUnsealer(PrivateKeys())
        unsealer.unseal(line)
        assert unsealer.unknown == {KEY.public.id: 3}


class TestConfiguration:
    @pytest.mark.parametrize(
        ("options", "part"),
        [
            pytest.param({}, "mask: 'email': 'seal': needs a public key", id="none"),
            pytest.param({"seal_to": "no/file"}, "seal_to: is neither", id="no file"),
            pytest.param({"seal_to": KEY.pem()}, "seal_to: holds a private key", id="private"),
            pytest.param({"seal_to": 5}, "seal_to: must be", id="number"),
            pytest.param(
                {"seal_to": KEY.public.line, "service": "a b"}, "service: must be", id="service"
            ),
        ],
    )
    def test_mistakes_name_the_option(self, options: dict[str, Any], part: str) -> None:
        """One problem each, at configuration, never while logging."""
        with pytest.raises(ConfigurationError) as caught:
            AllowlistFilter(["@crm"], mask={"email": "seal"}, **options)
        (problem,) = caught.value.problems
        assert problem.startswith(f"AllowlistFilter: {part}")

    def test_the_key_may_stand_in_the_environment(self, tmp_path: Path) -> None:
        """As a line or as a file; an option wins."""
        os.environ["CRMLOGGING_SEAL_KEY"] = "broken"
        with pytest.raises(ConfigurationError, match="CRMLOGGING_SEAL_KEY: is neither"):
            AllowlistFilter(["@crm"], mask=MASK)
        AllowlistFilter(["@crm"], mask=MASK, seal_to=KEY.public.line)
        (tmp_path / "public.pem").write_text(KEY.public.pem)
        for source in (KEY.public.line, KEY.public.pem, str(tmp_path / "public.pem")):
            os.environ["CRMLOGGING_SEAL_KEY"] = source
            AllowlistFilter(["@crm"], mask=MASK)

    def test_without_seal_no_key_is_looked_for(self) -> None:
        """A broken key in the environment does not matter where nothing is sealed."""
        os.environ["CRMLOGGING_SEAL_KEY"] = "broken"
        AllowlistFilter(["@crm"], mask={"email": "last4"})

    @pytest.mark.parametrize("mask", ["last4", "seal"])
    def test_the_package_is_needed_for_seal_only(self, mask: str) -> None:
        """Without `cryptography` all else works, and seal names the extra."""
        program = (
            "import sys\nsys.modules['cryptography'] = None\n"
            "from crmlogging import AllowlistFilter, ConfigurationError\n"
            "try:\n"
            f"    AllowlistFilter(['a'], mask={{'b': '{mask}'}}, seal_to='{KEY.public.line}')\n"
            "except ConfigurationError as error:\n"
            "    print(error)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
        )
        expected = (
            "AllowlistFilter: mask: 'b': 'seal': encryption needs the package 'cryptography': "
            'pip install "crmlogging[crypto]"\n'
        )
        assert done.stdout == (expected if mask == "seal" else "")

    def test_configure_binds_its_service(self, tmp_path: Path) -> None:
        """`configure` needs nothing but the mask and the key in the environment."""
        program = (
            "import logging, crmlogging\n"
            "crmlogging.configure('crm-sync', 'production', output='stdout',"
            " mask={'email': 'seal'})\n"
            "logging.getLogger('crm').error('Failed', extra={'email': 'ada@example.com'})\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env={**os.environ, "CRMLOGGING_SEAL_KEY": KEY.public.line},
        )
        _, line = map(json.loads, done.stdout.splitlines())
        assert opened(line)[0]["email"] == "ada@example.com"
        assert opened({**line, "service": "other"})[1:] == (0, 1)
