"""Promises of `JsonFormatter`: one JSON object a line, in the table's fields, whatever comes."""

from __future__ import annotations

import datetime
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlogging import ConfigurationError, JsonFormatter
from crmlogging.fields import FIELDS
from crmlogging.records import SafeRecord


def record(**extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("crm.sync", 40, "app/sync.py", 7, "Synced %s", ("all",), None, "run")
    made.created, made.threadName = 1_763_719_200.0479, "MainThread"
    vars(made).update(extra)
    return made


def safe(**fields: Any) -> SafeRecord:
    made = record(**{"record.id": "a-1", "correlation_id": "job-1"})
    made.msg, made.args = "Synced {n}", None
    return SafeRecord({**vars(made), **fields})


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"deeper": value}
    return value


def cyclic() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["itself"] = value
    return value


class TestSafeRecords:
    def test_line_holds_the_fields_that_are_always_there(self) -> None:
        """Every field of the table's first group, in its order, then the record's own."""
        formatter = JsonFormatter(service="crm-sync", environment="staging")
        line = json.loads(formatter.format(safe(**{"request.method": "POST"})))
        assert line["timestamp"] == "2025-11-21T10:00:00.047Z"
        assert (line["level"], line["logger"], line["message"]) == (
            "ERROR",
            "crm.sync",
            "Synced {n}",
        )
        assert (line["service"], line["environment"]) == ("crm-sync", "staging")
        assert (line["source"], line["thread"]) == ("app/sync.py:7", "MainThread")
        assert (line["correlation_id"], line["record.id"]) == ("job-1", "a-1")
        assert line["request.method"] == "POST"
        assert {field.name for field in FIELDS[:13]} <= line.keys()

    def test_every_way_to_render_gives_the_same_line(self) -> None:
        """The short cut for safe records and python-json-logger's own path agree."""
        fast = JsonFormatter(service="s")
        slow = JsonFormatter(service="s", static_fields={"a": 1})
        fields = {"request.method": "POST", "error.fields": ["email"]}
        assert {**json.loads(fast.format(safe(**fields))), "a": 1} == json.loads(
            slow.format(safe(**fields))
        )
        assert fast.format(safe()).encode() == fast.format_bytes(safe())

    def test_no_field_can_overwrite_a_standard_one(self) -> None:
        """A safe record's own attribute named like a fact does not replace the fact."""
        line = json.loads(JsonFormatter().format(safe(level="INFO", logger="other")))
        assert (line["level"], line["logger"]) == ("ERROR", "crm.sync")

    def test_unknown_facts_show_as_a_dash(self) -> None:
        """A field that is always there is there also when nobody configured it."""
        line = json.loads(JsonFormatter().format(safe()))
        assert (line["service"], line["environment"]) == ("-", "-")


class TestPlainRecords:
    def test_is_a_python_json_logger_formatter(self) -> None:
        """A record nobody made safe is rendered with message and extra, as there."""
        line = json.loads(JsonFormatter().format(record(campaign="x")))
        assert (line["message"], line["campaign"], line["level"]) == ("Synced all", "x", "ERROR")

    def test_a_format_string_decides(self) -> None:
        """With a fmt the line holds what that lists, and nothing else."""
        line = json.loads(JsonFormatter("%(levelname)s %(message)s").format(record()))
        assert line == {"levelname": "ERROR", "message": "Synced all"}

    def test_schema_none_leaves_all_to_python_json_logger(self) -> None:
        """Who wants the other library's line gets exactly that."""
        assert json.loads(JsonFormatter(schema=None).format(record())) == {"message": "Synced all"}

    def test_a_colliding_name_is_namespaced(self) -> None:
        """``extra={"level": ...}`` can neither forge a level nor appear twice."""
        text = JsonFormatter().format(record(level="forged", timestamp="never"))
        line = json.loads(text)
        assert (line["level"], line["extra.level"]) == ("ERROR", "forged")
        assert line["extra.timestamp"] == "never"
        pairs = json.loads(text, object_pairs_hook=list)
        assert len({name for name, _ in pairs}) == len(pairs)

    def test_number_keys_do_not_repeat_text_keys(self) -> None:
        """``5`` and ``"5"`` are one JSON key, so one of them moves."""
        odd = record()
        vars(odd).update({5: "number", "5": "text"})  # type: ignore[dict-item]  # the point
        line = json.loads(JsonFormatter().format(odd))
        assert {line["5"], line["extra.5"]} == {"number", "text"}


class _ByTheLongWay(JsonFormatter):
    """Any subclass may have overridden a step, so it goes through python-json-logger."""


class TestDirectWay:
    NAMES = st.one_of(
        st.text(max_size=8),
        st.sampled_from(["crm", "service", "_own", "message", "timestamp", "record.id", "extra.x"]),
    )

    @given(
        extra=st.dictionaries(NAMES, st.one_of(st.text(), st.integers(), st.none()), max_size=6),
        message=st.text(max_size=20).filter(lambda text: "%" not in text),
        stack=st.sampled_from([None, "Stack"]),
    )
    def test_it_writes_the_same_line(
        self, extra: dict[str, Any], message: str, stack: str | None
    ) -> None:
        """Not a byte differs from what python-json-logger and our fields make of the record."""
        quick, thorough = JsonFormatter(service="s"), _ByTheLongWay(service="s")
        record = logging.makeLogRecord({"msg": message, "args": None, "created": 1.5e9})
        for name, value in extra.items():
            record.__dict__.setdefault(name, value)
        record.stack_info = stack
        record.__dict__.setdefault("record.id", "run-1")
        assert quick.format(record) == thorough.format(record)

    def test_overrides_are_called(self) -> None:
        """A subclass that adds a field goes the long way, and has it."""

        class Adding(JsonFormatter):
            def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
                return {**log_data, "added": True}

        line = Adding().format(logging.makeLogRecord({"msg": "hi"}))
        assert json.loads(line)["added"] is True


class TestWhateverComes:
    @pytest.mark.parametrize(
        "value",
        [
            pytest.param(Hostile(), id="hostile-repr"),
            pytest.param(cyclic(), id="cyclic"),
            pytest.param(nested(2_000), id="deep"),
            pytest.param(float("nan"), id="nan"),
            pytest.param(float("inf"), id="infinity"),
            pytest.param(2**4_000, id="huge-int"),
            pytest.param(-(2**64), id="65-bit-int"),
            pytest.param(b"\xff\x00", id="bytes"),
            pytest.param("half \ud800 pair", id="lone-surrogate"),
            pytest.param({"\ud800": 1, b"b": 2, (1, 2): 3}, id="odd-keys"),
            pytest.param(object(), id="object"),
            pytest.param([Hostile(), {"x": 10**400}], id="nested-hostile"),
            pytest.param({str(n): n for n in range(5_000)} | {"x": 2**70}, id="wide"),
        ],
    )
    @pytest.mark.parametrize("options", [{}, {"json_ensure_ascii": False}], ids=["orjson", "json"])
    def test_the_line_is_written(self, value: object, options: dict[str, Any]) -> None:
        """What no encoder takes becomes a mark; the rest of the line is as ever."""
        text = JsonFormatter(**options).format(record(odd=value))
        line = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        assert (line["message"], "odd" in line) == ("Synced all", True)
        assert len(text.splitlines()) == 1
        text.encode("utf-8")

    @pytest.mark.parametrize(
        "text",
        ["a\nb", "a\r\nb", "a\x85b", "a\u2028b\u2029c", "\x00", "\x1b[2J", "\x9b2J", "a\x0bb\x0cc",
         "\x1c\x1d\x1e", "\u202eevil", "\u2066x\u2069", "\ufeff", "\x7f", "\u200b"],
    )  # fmt: skip
    def test_one_record_is_one_line(self, text: str) -> None:
        """No character ends a line, moves a cursor or turns the text, and none gets lost."""
        line = JsonFormatter().format_bytes(safe(**{"error.summary": text}))
        decoded = line.decode()
        assert len(decoded.splitlines()) == 1
        assert decoded.isprintable()
        assert json.loads(decoded)["error.summary"] == text

    @given(st.text(), st.dictionaries(st.text(), st.text()))
    def test_any_text_comes_back(self, text: str, fields: dict[str, str]) -> None:
        """Whatever a field holds is one printable line and reads back as it was."""
        line = JsonFormatter().format_bytes(safe(**{"error.summary": text, "error.fields": fields}))
        assert len(line.decode().splitlines()) == 1
        back = json.loads(line)
        assert (back["error.summary"], back["error.fields"]) == (text, fields)

    @given(st.floats(min_value=0, max_value=4e9))
    def test_timestamps_are_rfc_3339_in_utc(self, created: float) -> None:
        """To the millisecond, never rounded into the next second."""
        made = safe(created=created)
        stamp = json.loads(JsonFormatter().format(made))["timestamp"]
        read = datetime.datetime.fromisoformat(stamp)
        assert read.tzinfo == datetime.UTC
        assert 0 <= created - read.timestamp() < 0.001_001


class TestConfiguration:
    def test_all_mistakes_are_told_at_once(self) -> None:
        """Unknown option, bad service and unknown schema stand in one error."""
        with pytest.raises(ConfigurationError) as caught:
            JsonFormatter(servce="x", environment="a b", schema="ecs2", service="é")
        assert len(caught.value.problems) == 4
        assert "did you mean 'service'?" in str(caught.value)

    def test_a_bad_style_is_told(self) -> None:
        """python-json-logger's own complaint comes as a ConfigurationError."""
        with pytest.raises(ConfigurationError, match="style: "):
            JsonFormatter("%(message)s", style="?")
