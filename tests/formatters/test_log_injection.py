"""One record is one line, whatever it holds (CWE-117), and no part of it is a command (CWE-150).

For every formatter, every place of a record, and each character that some reader takes for the
end of a line, for an escape sequence, or does not show.
"""

from __future__ import annotations

import json
import logging
import math
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlogging import JsonFormatter
from crmlogging.formatters.console import ConsoleFormatter
from crmlogging.formatters.encoding import encode
from crmlogging.records import SafeRecord

FORGED = '{"level":"INFO","message":"all is well"}'
HOSTILE = {
    "line-feed": "a\nb",
    "carriage-return": "a\rb",
    "crlf": f"a\r\n{FORGED}",
    "vertical-tab": "a\x0bb",
    "form-feed": "a\x0cb",
    "file-separator": "a\x1cb",
    "group-separator": "a\x1db",
    "record-separator": f"a\x1e{FORGED}",
    "unit-separator": "a\x1fb",
    "next-line": "a\x85b",
    "line-separator": "a\u2028b",
    "paragraph-separator": "a\u2029b",
    "nul": "a\x00b",
    "backspace": "password\x08\x08\x08",
    "delete": "a\x7fb",
    "bell": "a\x07b",
    "ansi-clear": "\x1b[2J\x1b[H",
    "ansi-colour": "\x1b[32mOK\x1b[0m",
    "osc-title": "\x1b]0;title\x07",
    "osc-link": "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "osc-clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "c1-csi": "\x9b2J",
    "c1-osc": "\x9d0;title\x9c",
    "c1-dcs": "\x90q\x9c",
    "override": "\u202egnp.exe",
    "isolate": "\u2066a\u2069",
    "zero-width": "a\u200bb\u200db\u2060",
    "soft-hyphen": "a\u00adb",
    "deprecated-format": "a\u206a\u206fb",
    "byte-order-mark": "\ufeffa",
    "annotation": "a\ufff9b\ufffab\ufffb",
    "tags": "a\U000e0041\U000e0042b",
    "quotes": '","level":"INFO","x":"',
    "backslash": "\\",
    "backslash-n": "a\\nb",
}
PLACES = ("msg", "name", "threadName", "levelname", "pathname", "taskName", "crm", "record.id")
FORMATTERS: dict[str, Callable[[], logging.Formatter]] = {
    "json": lambda: JsonFormatter(service="s"),
    "json-by-json": lambda: JsonFormatter(json_ensure_ascii=False),
    "json-with-fmt": lambda: JsonFormatter("%(message)s %(name)s %(threadName)s"),
    "json-no-schema": lambda: JsonFormatter(schema=None),
    "console": ConsoleFormatter,
    "console-colour": lambda: ConsoleFormatter(colour=True),
}
SGR = ("\x1b[0m", "\x1b[2m", "\x1b[31m")


def attributes(**over: Any) -> dict[str, Any]:
    made = vars(logging.LogRecord("crm.sync", 40, "app/sync.py", 7, "Synced", None, None, "run"))
    # Level 35 has no name of its own, so the record's is shown.
    return {**made, "record.id": "a-1", "correlation_id": "job-1", **over}


def records(**over: Any) -> Iterator[logging.LogRecord]:
    """Yield the record as an allowlist leaves it and as one that no filter has seen."""
    yield SafeRecord(attributes(**over))
    plain = logging.makeLogRecord({})
    vars(plain).update(attributes(**over))
    yield plain


def names(text: str) -> list[str]:
    """Return every name in `text`, at any depth, as often as it stands there."""
    found: list[str] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found.extend(name for name, _ in pairs)
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    json.loads(text, object_pairs_hook=keep)
    return found


@pytest.mark.parametrize("formatter", FORMATTERS)
@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE.items()])
class TestOneRecordIsOneLine:
    def test_in_a_value(self, formatter: str, text: str) -> None:
        """Message, facts and fields: one line for readers of text and of bytes, all of it shown."""
        rendering = FORMATTERS[formatter]()
        for place in PLACES:
            level = {"levelno": 35} if place == "levelname" else {}
            for record in records(**{place: text}, **level):
                self.check(rendering.format(record))

    def test_in_a_name(self, formatter: str, text: str) -> None:
        """A field's name is no way around, at any depth."""
        for record in records(**{text: 1, "nested": {text: {text: 1}}}):
            self.check(FORMATTERS[formatter]().format(record))

    @staticmethod
    def check(line: str) -> None:
        for sequence in SGR:  # what the console formatter itself writes
            line = line.replace(sequence, "")
        assert len(line.splitlines()) == 1
        assert len(line.encode("utf-8").splitlines()) == 1
        assert line.isprintable()


class TestJson:
    @pytest.mark.parametrize("place", ["msg", "crm", "error.summary"])
    @pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
    def test_text_comes_back_as_it_was(self, place: str, text: str) -> None:
        """Escaping loses nothing: a parser reads what was logged."""
        line = json.loads(JsonFormatter().format(SafeRecord(attributes(**{place: text}))))
        assert line["message" if place == "msg" else place] == text

    def test_every_character_comes_back_and_none_is_raw(self) -> None:
        """Of all of Unicode only what a person sees, or a script needs, is written as it is."""
        every = "".join(chr(n) for n in range(0x110000) if not 0xD800 <= n <= 0xDFFF)
        line = JsonFormatter().format_bytes(SafeRecord(attributes(**{"error.summary": every})))
        text = line.decode("utf-8", "strict")
        assert len(text.splitlines()) == len(line.splitlines()) == 1
        assert json.loads(text)["error.summary"] == every
        raw = {c for c in set(text) if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")}
        # Signs of Arabic, Syriac, Kaithi and hieroglyphs that are drawn around numbers or words.
        drawn = {"ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN"}
        assert {unicodedata.name(c).split()[0] for c in raw} <= drawn

    @pytest.mark.parametrize("code", [0xD800, 0xDC80, 0xD83D, 0xDFFF])
    @pytest.mark.parametrize("around", ["%s", "a%s", "%sb", "é%s"])
    def test_half_a_pair_is_replaced(self, code: int, around: str) -> None:
        """What UTF-8 cannot hold becomes U+FFFD, in values and in names."""
        half = around.replace("%s", chr(code))
        for record in records(**{"error.summary": half, "msg": half, f"k{half}": 1}):
            line = JsonFormatter().format(record)
            line.encode("utf-8", "strict")
            assert "\ufffd" in json.loads(line)["error.summary"]

    @pytest.mark.parametrize("formatter", ["json", "json-by-json"])
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            pytest.param(math.nan, None, id="nan"),
            pytest.param(math.inf, None, id="infinity"),
            pytest.param(-math.inf, None, id="minus-infinity"),
            pytest.param(float("1e400"), None, id="1e400"),
            pytest.param(-0.0, -0.0, id="minus-zero"),
            pytest.param(5e-324, 5e-324, id="smallest"),
            pytest.param(1.7976931348623157e308, 1.7976931348623157e308, id="largest"),
            pytest.param(2**63, 2**63, id="unsigned"),
            pytest.param(-(2**63), -(2**63), id="most-negative"),
            pytest.param(True, True, id="bool"),
        ],
    )
    def test_numbers_are_json(self, formatter: str, value: float, shown: object) -> None:
        """RFC 8259 section 6: no NaN, no infinities; what fits 64 bits keeps its value."""
        for record in records(n=value):
            text = FORMATTERS[formatter]().format(record)
            back = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
            assert back["n"] == shown
            assert type(back["n"]) is type(shown)

    def test_huge_numbers_stay_json(self) -> None:
        """An int of more bits than readers keep is told by its size, in any depth."""
        for record in records(n=2**4000, m=[{"x": -(10**5000)}]):
            line = json.loads(JsonFormatter().format(record))
            assert line["n"] == "[INTEGER OF 4001 BITS]"
            assert "BITS" in line["m"][0]["x"]

    @pytest.mark.parametrize(
        "standard",
        [
            *("timestamp", "level", "logger", "message", "service", "environment", "host"),
            *("process.id", "thread", "source", "schema.version"),
        ],
    )
    def test_no_field_overwrites_a_standard_one(self, standard: str) -> None:
        """A field named like a fact neither replaces it nor stands beside it under its name."""
        expected = json.loads(JsonFormatter().format(SafeRecord(attributes())))[standard]
        for record in records(created=0.0, **{standard: "forged"}):
            text = JsonFormatter().format(record)
            if standard != "timestamp":
                assert json.loads(text)[standard] == expected
            assert json.loads(text)[standard] != "forged"
            assert names(text).count(standard) == 1

    @pytest.mark.parametrize(
        "mapping",
        [
            pytest.param({5: "a", "5": "b"}, id="number"),
            pytest.param({None: "a", "null": "b"}, id="none"),
            pytest.param({True: "a", "true": "b"}, id="bool"),
            pytest.param({1.5: "a", "1.5": "b"}, id="float"),
            pytest.param({uuid.UUID(int=1): "a", str(uuid.UUID(int=1)): "b"}, id="uuid"),
            pytest.param({b"k": "a", (1,): "b", (2,): "c"}, id="foreign"),
            pytest.param({chr(0xD800): "a", chr(0xD801): "b", "\ufffd" * 3: "c"}, id="surrogate"),
        ],
    )
    def test_no_name_stands_twice(self, mapping: dict[object, str]) -> None:
        """Names that JSON cannot tell apart are told apart, and no value is lost."""
        for record in records(deep={"x": [mapping]}):
            text = JsonFormatter().format(record)
            names(text)
            assert sorted(json.loads(text)["deep"]["x"][0].values()) == sorted(mapping.values())

    @settings(max_examples=150, deadline=None)
    @given(
        st.dictionaries(
            st.text(st.characters(), max_size=5) | st.integers() | st.booleans() | st.none(),
            st.recursive(
                st.text(st.characters(), max_size=9) | st.floats() | st.integers(),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(st.text(st.characters(), max_size=3), inner, max_size=3)
                ),
                max_leaves=9,
            ),
            max_size=5,
        )
    )
    def test_anything_is_one_line_of_json(self, fields: dict[Any, Any]) -> None:
        """Strict UTF-8, strict JSON, no name twice, nothing unseen."""
        line = encode(fields)
        text = line.decode("utf-8", "strict")
        assert len(text.splitlines()) == 1
        assert not {"\x1b", "\x00", "\x85", "\u2028", "\u202e"} & set(text)
        names(text)
        json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


class TestConsole:
    @pytest.mark.parametrize(
        ("fields", "shown"),
        [
            pytest.param({"a": "b"}, "a=b", id="plain"),
            pytest.param({"a": "b c"}, 'a="b c"', id="space"),
            pytest.param({"a": 'b" level="INFO'}, r'a="b\" level=\"INFO"', id="quotes"),
            pytest.param({"a": "x=y"}, 'a="x=y"', id="equals"),
            pytest.param({"a": ""}, 'a=""', id="empty"),
            pytest.param({'a="b" c': 1}, '"a="b" c"=1', id="name"),
            pytest.param({"a": {"b": "c d"}}, 'a={"b":"c d"}', id="nested"),
        ],
    )
    def test_a_value_is_not_read_as_another_field(self, fields: dict[str, Any], shown: str) -> None:
        """What holds a space, a quote or an equal sign stands in quotes."""
        assert ConsoleFormatter().format(SafeRecord(attributes(**fields))).endswith(f"  {shown}")

    def test_a_frame_is_one_line(self) -> None:
        """A frame's text starts no further line."""
        stack = ["a.py:1 in f\nERROR forged", "b.py:2 in g\x1b[2J"]
        line = ConsoleFormatter().format(SafeRecord(attributes(**{"error.stack": stack})))
        assert len(line.splitlines()) == 3
        assert "\x1b" not in line
