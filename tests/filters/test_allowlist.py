"""Promises of `AllowlistFilter`: what a line of a real logger holds, and what it refuses."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crmlogging import AllowlistFilter, ConfigurationError, CorrelationFilter, JsonFormatter
from crmlogging.context import bind, correlation
from crmlogging.handlers.safe_handler import SafeHandler
from crmlogging.logger import Logger
from crmlogging.records import SafeRecord, Stage


class Lines(logging.StreamHandler[io.StringIO]):
    """A handler that is not ours, and the lines it wrote."""

    def __init__(self, *filters: logging.Filter) -> None:
        super().__init__(io.StringIO())
        self.setFormatter(JsonFormatter())
        for each in filters:
            self.addFilter(each)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


class OwnLines(SafeHandler, Lines):
    """The same as a handler of ours."""


@pytest.fixture(params=[Lines, OwnLines], ids=["foreign-handler", "our-handler"])
def attach(request: pytest.FixtureRequest) -> Iterator[Callable[..., Lines]]:
    """Put a handler with the given filters on the test's logger."""
    logger = logging.getLogger("crm.allowlist")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)

    def attach(*filters: logging.Filter) -> Lines:
        handler: Lines = request.param(*filters)
        logger.addHandler(handler)
        return handler

    yield attach
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)


log = logging.getLogger("crm.allowlist")
Attach = Callable[..., Lines]


class TestLine:
    def test_holds_allowed_values_only(self, attach: Attach) -> None:
        """Fields named in the allowlist keep their value; the others show a placeholder."""
        handler = attach(AllowlistFilter(["@crm", "campaign.id"], mask={"api_key": "last4"}))
        log.error(
            "Sync failed",
            extra={
                "crm": "hubspot",
                "campaign": {"id": "c-1", "budget": "canary"},
                "email": "canary@example.com",
                "api_key": "canary-0123456789abcd",
                "request": {"method": "POST", "path": "/contacts/canary?email=canary"},
            },
        )
        (line,) = handler.lines
        assert "canary" not in handler.text
        assert line["message"] == "Sync failed"
        assert (line["crm"], line["campaign.id"]) == ("hubspot", "c-1")
        assert (line["email"], line["campaign.budget"]) == ("[REDACTED]", "[REDACTED]")
        assert line["api_key"] == "****abcd"
        assert (line["request.method"], line["request.path"]) == ("POST", "/contacts/{id}")

    def test_shows_arguments_as_fields(self, attach: Attach) -> None:
        """An argument is a field named after its expression, under the allowlist."""
        handler = attach(AllowlistFilter(["contact_id"]))
        contact_id, email = "c-1", "canary@example.com"
        log.error("Failed %s for %s", contact_id, email)
        (line,) = handler.lines
        assert line["message"] == "Failed %s for %s"
        assert (line["contact_id"], line["email"]) == ("c-1", "[REDACTED]")
        assert "canary" not in handler.text

    def test_shows_an_exception_without_its_values(self, attach: Attach) -> None:
        """Class and frames are shown, the text is not."""
        handler = attach(AllowlistFilter(["@crm"]))
        secret = "canary"
        try:
            raise ValueError(secret)
        except ValueError:
            log.exception("Sync failed", stack_info=True)
        (line,) = handler.lines
        assert line["error.type"] == "ValueError"
        assert line["error.stack"]
        assert "canary" not in handler.text

    def test_child_loggers_are_covered(self, attach: Attach) -> None:
        """On a handler the filter sees the records of every child logger."""
        handler = attach(AllowlistFilter(["@crm"]))
        value = "canary"
        log.getChild("deep.er").warning("Found %s", value)
        assert handler.lines[0]["message"] == "Found %s"
        assert "canary" not in handler.text

    def test_a_thread_of_another_origin_is_covered(self, attach: Attach) -> None:
        """A thread's name and its record are treated alike."""
        handler = attach(AllowlistFilter(["@crm"]))
        worker = threading.Thread(target=lambda: log.error("Worker failed"), name="canary")
        worker.start()
        worker.join()
        assert "canary" not in handler.text
        assert handler.lines[0]["message"] == "Worker failed"

    def test_context_wins_over_extra(self, attach: Attach) -> None:
        """What a scope binds is not replaced by the call; the id is the scope's."""
        handler = attach(CorrelationFilter(), AllowlistFilter(["@crm"]))
        with correlation("sync-1"):
            bind(crm="zoho", **{"request.method": "GET"})
            forged = {"crm": "hubspot", "correlation_id": "forged"}
            log.error("Failed", extra={**forged, "request": {"method": "PUT"}})
        (line,) = handler.lines
        assert (line["crm"], line["correlation_id"]) == ("zoho", "sync-1")
        assert line["request.method"] == "GET"

    def test_no_field_overwrites_another(self, attach: Attach) -> None:
        """A caller's ``level`` or ``timestamp`` lands beside the line's own."""
        handler = attach(AllowlistFilter(["level", "timestamp", "service"]))
        log.error("Failed", extra={"level": "fine", "timestamp": "never", "service": "x"})
        (line,) = handler.lines
        assert line["level"] == "ERROR"
        assert line["extra.level"] == "fine"
        assert handler.text.count('"level"') == 1

    def test_the_caller_s_data_stays(self, attach: Attach) -> None:
        """Neither the dictionary nor the objects in it are changed."""
        attach(AllowlistFilter(["user.id"], mask={"key": "last4"}))
        items = [{"a": 1}]
        extra = {"user": {"id": "u-1", "items": items}, "key": "0123456789abcdef"}
        before = json.dumps(extra)
        log.error("Failed", extra=extra)
        assert json.dumps(extra) == before
        assert extra["user"]["items"] is items  # type: ignore[index]  # a mapping, see above

    def test_reserved_names_are_kept_by_our_logger(self, attach: Attach) -> None:
        """`crmlogging.Logger` keeps ``extra={"name": ...}``, and an allowlist may name it."""
        handler = attach(AllowlistFilter(["name", "args"]))
        ours = Logger("crm.allowlist.ours")
        ours.parent = log
        ours.error("Failed", extra={"name": "form-1", "args": "a-1", "msg": "canary"})
        (line,) = handler.lines
        assert (line["extra.name"], line["extra.args"]) == ("form-1", "a-1")
        assert line["extra.msg"] == "[REDACTED]"
        assert line["message"] == "Failed"


class TestNeighbours:
    def test_another_handler_on_ours_sees_the_original(self) -> None:
        """Behind a handler of ours, a handler without filters gets what the call passed."""
        ours, plain = OwnLines(AllowlistFilter(["@crm"])), Lines()
        plain.setFormatter(logging.Formatter("%(message)s %(email)s"))
        log.addHandler(ours)
        log.addHandler(plain)
        log.propagate = False
        value = "v"
        try:
            log.error("Failed %s", value, extra={"email": "ada@example.com"})
        finally:
            log.removeHandler(ours)
            log.removeHandler(plain)
        assert plain.text == "Failed v ada@example.com\n"
        assert "ada@" not in ours.text

    def test_a_foreign_handler_gets_a_safe_record(self) -> None:
        """Before 3.12 the record itself becomes safe, later a safe copy is passed on."""
        record = logging.makeLogRecord({"msg": "x %s", "args": ("canary",), "secret": "canary"})
        record.exc_text = record.stack_info = "canary"
        answer: object = AllowlistFilter(["@crm"]).filter(record)
        safe = record if sys.version_info < (3, 12) else answer
        assert type(safe) is SafeRecord
        for name in ("args", "exc_info", "exc_text", "stack_info"):
            assert vars(safe)[name] is None
        assert "canary" not in str(vars(safe))

    def test_a_second_allowlist_narrows(self, attach: Attach) -> None:
        """Of two filters in a row only what both allow is left; a literal key stays named."""
        handler = attach(AllowlistFilter(["a", "b"]), AllowlistFilter(["b", "c"]))
        log.error("Failed", extra={"a": 1, "b": 2, "c": 3})
        (line,) = handler.lines
        assert [line[name] for name in "abc"] == ["[REDACTED]", 2, "[REDACTED]"]

    def test_is_a_stage(self) -> None:
        """Handlers of ours share its outcome."""
        assert isinstance(AllowlistFilter(["@crm"]), Stage)


class TestRefused:
    def test_dict_config_names_the_option(self) -> None:
        """A mistake in a document surfaces when it is applied."""
        document = {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"a": {"()": "crmlogging.AllowlistFilter", "fields": ["@crm"], "maks": {}}},
        }
        with pytest.raises(ValueError, match="filter 'a'") as caught:
            logging.config.dictConfig(document)
        assert "unknown option 'maks' (did you mean 'mask'?)" in str(caught.value.__cause__)

    @pytest.mark.parametrize(
        ("fields", "options", "part"),
        [
            ([], {}, "fields: is empty"),
            ((), {}, "fields: is empty"),
            ("user.id", {}, "fields: must be a list"),
            (None, {}, "fields: must be a list"),
            ({"user.id": "id"}, {}, "fields: must be a list"),
            (["*"], {}, "fields: '*'"),
            (["**"], {}, "fields: '**'"),
            ([{"a": "txt"}], {}, "unknown shape 'txt'"),
            (["a", "a"], {}, "'a' is listed twice"),
            (["@crn"], {}, "'@crn'"),
            (["a"], {"mask": {"b": "first4"}}, "mask: 'b': 'first4' is not a mask"),
            (["a"], {"mask": {"b": "hmac"}}, "CRMLOGGING_HMAC_KEY"),
            (["a"], {"mask": {"b": "seal"}}, "mask: 'b': 'seal'"),
            (["a"], {"mask": ["b"]}, "mask: must be"),
            (["a"], {"unknown": "hide"}, "unknown: 'hide'"),
            (["a"], {"messages": "all"}, "messages: 'all'"),
            (["a"], {"loggers": "urllib3"}, "loggers: must be a list"),
            (["a"], {"trusted": [5]}, "trusted: an entry is int"),
            (["a"], {"hmac_key": "key"}, "hmac_key: must be a callable"),
            (["a"], {"field": ["b"]}, "unknown option 'field' (did you mean 'fields'?)"),
        ],
    )
    def test_each_mistake(self, fields: Any, options: dict[str, Any], part: str) -> None:
        """Each is one problem, which starts with the class and names the option."""
        with pytest.raises(ConfigurationError) as caught:
            AllowlistFilter(fields, **options)
        (problem,) = caught.value.problems
        assert problem.startswith("AllowlistFilter: ")
        assert part in problem

    def test_all_mistakes_at_once(self) -> None:
        """One error lists everything that is wrong."""
        with pytest.raises(ConfigurationError) as caught:
            AllowlistFilter([], mask={"*": "last4"}, unknown="x", messages="y", trusted="z", typo=1)
        assert len(caught.value.problems) == 6

    def test_the_key_is_never_quoted(self) -> None:
        """A key that is too short is not repeated in the error."""
        with pytest.raises(ConfigurationError) as caught:
            AllowlistFilter(["a"], mask={"b": "hmac"}, hmac_key=lambda: "tiny-secret")
        assert "tiny-secret" not in str(caught.value)

    def test_good_options_pass(self) -> None:
        """What the documentation shows is accepted, from tuples and sets too."""
        AllowlistFilter(
            ("@crm", "user.*", {"campaign.name": "text"}),
            mask={"api_key": "last4", "user.email": "hmac"},
            unknown="drop",
            messages="literal",
            loggers={"acme.sync"},
            trusted=["acme.errors.SyncError", KeyError],
            hmac_key=lambda: b"k" * 32,
        )
