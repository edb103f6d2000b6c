"""Promises of known calls whose messages have arguments, or are built at run time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from logging.handlers import MemoryHandler
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmlogging import AllowlistFilter, JsonFormatter, Logger
from crmlogging.records import refine
from crmlogging.redaction import straight
from tests.handlers.straight_place import VALUES, Changing, Line, Place, Usual, differences


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions are written from the third record of a plan on."""
    monkeypatch.setattr(straight, "_RECORDS_BEFORE", 2)


@pytest.mark.parametrize("kind", [Logger, logging.Logger], ids=["own", "stock"])
class TestArguments:
    def test_arguments_are_fields_on_top(self, tmp_path: Path, kind: type[logging.Logger]) -> None:
        """Those that are allowed in their shape; the others leave a placeholder."""
        place = Place(tmp_path / "a.jsonl", kind)
        for count in range(6):
            email = f"ada{count}@example.com"
            place.logger.info("Synced %s of %s", count, email, extra={"crm": "zoho"})
        place.handler.close()
        assert place.known() == 1
        told = [(line["count"], line["email"], list(line)[-4:]) for line in place.lines()]
        names = ["crm", "count", "email", "schema.version"]
        assert told == [(count, "[REDACTED]", names) for count in range(6)]

    def test_a_mapping_alone_is_arguments_by_name(
        self, tmp_path: Path, kind: type[logging.Logger]
    ) -> None:
        """As the standard library has it, also where scalars stood before."""
        places = self.places(tmp_path, kind)
        for each in places:
            emails: list[Any] = ["a", "b", "c", "d", "e", {"count": 3}, "f"]
            for email in emails:
                each.logger.info("Synced %s", email)
                each.logger.info("Synced %(count)s", email)
        self.compare(places, known=2)

    def test_other_numbers_of_arguments(self, tmp_path: Path, kind: type[logging.Logger]) -> None:
        """None, and one more, for the same message; the program's mistake loses no record."""
        places = self.places(tmp_path, kind)
        args: list[tuple[object, ...]] = [(1, 2)] * 6
        for each in places:
            for count in [*args, (), (1,), (1, 2, 3), (1, 2)]:
                each.logger.info("Synced %s of %s", *count)
        self.compare(places)
        assert len(places[0].lines()) == 10

    def test_two_calls_in_one_line(self, tmp_path: Path, kind: type[logging.Logger]) -> None:
        """With one and the same literal: each names its own arguments."""
        place = Place(tmp_path / "a.jsonl", kind)
        to, count, email = place.logger, 7, "ada@example.com"
        for way in [0, 1] * 8:
            to.info("Synced %s", count) if way else to.info("Synced %s", email)
        place.handler.close()
        assert place.known() == 2
        told = [(line.get("count"), line.get("email")) for line in place.lines()]
        assert told == [(None, "[REDACTED]"), (7, None)] * 8

    def test_through_whatever_speaks_for_a_logger(
        self, tmp_path: Path, kind: type[logging.Logger]
    ) -> None:
        """An adapter of the standard library, or one of the program's own."""

        class Speaking(logging.LoggerAdapter[logging.Logger]):
            def info(self, msg: object, *args: object, **kwargs: Any) -> None:
                self.logger.info(msg, *reversed(args), **kwargs)

        places = self.places(tmp_path, kind)
        for each in places:
            adapted = logging.LoggerAdapter(each.logger, {"crm": "zoho"})
            speaking = Speaking(each.logger, {})
            for count in range(8):
                email = f"ada{count}@example.com"
                adapted.info("Merged %s into %s", email, count)
                speaking.info("Merged %s into %s", email, count)
        self.compare(places, known=1)

    def test_values_that_a_client_gives_in_another_form(
        self, tmp_path: Path, kind: type[logging.Logger]
    ) -> None:
        """A status as text, a whole URL for its path: they are read as ever."""
        places = self.places(tmp_path, kind)
        for each in places:
            each.logger.name = "urllib3.connectionpool"
            for number in range(12):
                path = f"https://api.example.com/crm/v3/objects/{number}?email=ada@example.com"
                each.logger.info(
                    '%s://%s:%s "%s %s %s" %s %s',
                    *("https", "api.example.com", 443, "GET", path, "HTTP/1.1"),
                    *("200" if number % 2 else 200, 512),
                )
        self.compare(places, known=1)
        told = {(line["request.path"], line["response.status"]) for line in places[0].lines()}
        assert told == {("/crm/v3/objects/{id}", 200)}

    def test_arguments_that_somebody_changed(
        self, tmp_path: Path, kind: type[logging.Logger]
    ) -> None:
        """On the logger, or where it is handed on: it shows what it did before they were known."""
        places = self.places(tmp_path, kind)
        changes: list[Callable[[Any], object]] = [
            lambda record: setattr(record, "args", record.args[::-1]),
            lambda record: setattr(record, "args", [*record.args]),
            lambda record: setattr(record, "args", None),
            lambda record: setattr(record, "args", (*record.args, "ada@example.com")),
            lambda record: setattr(record, "args", ("ada@example.com", [record.args])),
            lambda record: setattr(record, "args", {"count": "ada@example.com"}),
        ]
        for each in places:
            handing_on = MemoryHandler(1, target=each.handler)
            for handler in each.handler, handing_on:
                each.logger.handlers[:] = [handler]
                for change in [None, None, *changes, None]:
                    each.logger.filters[:] = [Changing(change)] if change else []
                    for count in range(4):
                        each.logger.info("Synced %s of %s", count, "ada@example.com")
            handing_on.close()
        self.compare(places)
        assert "ada" not in places[0].path.read_text()

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(given=st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=10, max_size=20))
    def test_any_arguments(
        self, tmp_path: Path, kind: type[logging.Logger], given: list[tuple[Any, Any, Any]]
    ) -> None:
        """Of any kind, in any order."""
        places = self.places(tmp_path, kind)
        for each in places:
            each.path.write_bytes(b"")
            for count, note, email in [(1, "a word", "x")] * 4 + given:
                each.logger.info("Synced %s of %s: %s", count, note, email, extra={"crm": note})
        self.compare(places)

    def places(self, folder: Path, kind: type[logging.Logger]) -> list[Place]:
        """Return two: one that knows calls, and one that knows none."""
        return [
            Place(folder / "a.jsonl", kind),
            Place(folder / "b.jsonl", kind, handler=Usual),
        ]

    def compare(self, places: list[Place], known: int | None = None) -> None:
        """See that both wrote the same."""
        for each in places:
            each.handler.close()
        for line, other in zip(*(each.lines() for each in places), strict=True):
            assert differences(line, other) == {}
        assert known is None or places[0].known() == known
        assert not places[1].known()


class Cold(logging.Handler):
    """Renders each record by a filter that has seen no other."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self._options = options
        self._formatter = JsonFormatter(service="crm-sync")

    def handle(self, record: logging.LogRecord) -> bool:
        safe = refine(record, [AllowlistFilter(**self._options)])
        assert isinstance(safe, logging.LogRecord)
        self.lines.append(orjson.loads(self._formatter.format(safe)))
        return True


FIELDS: list[Any] = ["crm", "count", "tenant.code", "request.*", {"note": "text"}, {"code": "code"}]
TEXTS = st.sampled_from(
    [
        *("zoho", "acme", "of", " of ", "a of b", "", "c-17", "ada@example.com", "GET", "200"),
        *("x" * 130, "é", "\n", "sk_live_" + "made-up-0123456789", "4111111111111111", "{crm}"),
    ]
)


class Both:
    """Two loggers: one before a file that comes to know calls, one before a cold handler."""

    def __init__(self, folder: Path, kind: type[logging.Logger], **options: Any) -> None:
        options = {"fields": FIELDS, **options}
        self.place = Place(folder / "a.jsonl", kind, filters=(AllowlistFilter(**options),))
        self.cold = Cold(**options)
        self.other = kind("crm.sync", logging.DEBUG)
        self.other.manager = logging.Manager(logging.root)
        self.other.addHandler(self.cold)

    def __iter__(self) -> Any:
        return iter((self.place.logger, self.other))

    def compare(self, known: int | None = None) -> list[Line]:
        """See that both wrote the same; return that."""
        self.place.handler.close()
        lines = self.place.lines()
        for line, other in zip(lines, self.cold.lines, strict=True):
            assert differences(line, other) == {}
        assert known is None or self.place.known() == known
        return lines


@pytest.fixture(params=[Logger, logging.Logger], ids=["own", "stock"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Both:
    return Both(tmp_path, request.param)


def _log_variable(logger: logging.Logger, crm: str) -> None:
    said = f"Opened {crm}"  # No function with an assertion, which pytest writes anew.
    logger.info(said)


def _log_one_of_two(logger: logging.Logger, crm: str, number: int) -> None:
    logger.info(f"Shut {crm}" if number % 2 else f"Opened {crm}")


def _log_what_is_given(logger: logging.Logger, said: str, crm: str) -> None:
    if not said:
        said = f"Closed {crm}"
    logger.info(said)


class TestBuiltMessages:
    def test_values_are_fields_on_top(self, both: Both) -> None:
        """Those that are allowed in full, in a strict shape; the others leave a placeholder."""
        note = "a word"
        for number in range(6):
            crm, email = f"zoho-{number}", f"ada{number}@example.com"
            for logger in both:
                logger.info(f"Synced {crm} of {email}: {note}", extra={"count": number})
        lines = both.compare(known=1)
        assert {line["message"] for line in lines} == {"Synced {crm} of {email}: {note}"}
        names = ["count", "crm", "email", "note", "schema.version"]
        assert [list(line)[-5:] for line in lines] == [names] * 6
        told = [(line["crm"], line["email"], line["note"]) for line in lines]
        assert told == [(f"zoho-{number}", "[REDACTED]", "[REDACTED]") for number in range(6)]

    def test_each_way_to_build_one(self, both: Both) -> None:
        """By an f-string, ``format``, ``%`` and ``+``, in place or in a variable."""
        for number in range(6):
            crm, count = f"zoho-{number}", number
            for logger in both:
                logger.info(f"Synced {crm} of {count}")
                logger.info("Merged {} of {}".format(crm, count))  # noqa: UP032  # what is tested
                logger.info("Moved %s of %s" % (crm, count))  # noqa: UP031  # what is tested
                logger.info("Closed " + crm)
                _log_variable(logger, crm)
                logger.log(logging.WARNING, f"Found {crm!r}, {count:>5}")
                logger.info(msg=f"Named {crm}")
        assert len(both.compare(known=7)) == 7 * 6

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(given=st.lists(st.tuples(TEXTS, TEXTS, VALUES), min_size=10, max_size=20))
    def test_any_values(self, both: Both, given: list[tuple[str, str, Any]]) -> None:
        """Also those that cut the text in two ways, and those of which nothing is left."""
        both.place.path.write_bytes(b"")
        both.cold.lines.clear()
        for crm, code, count in [("zoho", "E-17", 3)] * 4 + given:
            for logger in both:
                logger.info(f"Synced {crm} of {code}", extra={"tenant.code": count})
                logger.info("Synced " + crm)
                logger.info(f"{crm} of {code}")
                logger.info(f"Synced {crm}" if crm else "Synced nothing")
                logger.info(f"Counted {count}") if type(count) is not object else None
        assert "ada" not in orjson.dumps(both.compare()).decode()

    @pytest.mark.parametrize("changed", [range(8), range(2, 4), range(8, 16)], ids=str)
    @pytest.mark.parametrize("put", ["Synced ada@example.com ", "ada@example.com "])
    def test_a_text_that_somebody_changed_on_the_way(
        self, both: Both, changed: range, put: str
    ) -> None:
        """By an adapter, a filter or a factory, to one that might have been built as well or not,
        from the first record on or later."""

        class Prefixing(logging.LoggerAdapter[logging.Logger]):
            def process(self, msg: object, kwargs: Any) -> Any:
                return f"{put}{msg}" if self.extra else msg, kwargs

        def change(record: logging.LogRecord) -> None:
            record.msg = f"{put}{record.msg}"

        usual = logging.getLogRecordFactory()

        def made(*args: Any, **options: Any) -> logging.LogRecord:
            record = usual(*args, **options)
            change(record)
            return record

        for number in range(16):
            crm = f"zoho-{number}"
            now = number in changed
            for logger in both:
                logger.filters[:] = [Changing(change)] if now else []
                logger.info(f"Synced {crm} in time")
                logger.filters[:] = []
                logging.setLogRecordFactory(made if now else usual)
                logger.info(f"Synced {crm} once")
                logging.setLogRecordFactory(usual)
                speaker: Any = Prefixing(logger, {"is": "on"} if number % 2 else {})
                speaker = speaker if now else logger
                speaker.info(f"Synced {crm} twice")
        assert "ada" not in orjson.dumps(both.compare()).decode()

    def test_a_text_that_went_through_an_adapter_as_it_is(self, both: Both) -> None:
        """Its values are shown, but where the adapter's `log` is called itself."""
        for number in range(8):
            crm = f"zoho-{number}"
            for logger in both:
                adapter = logging.LoggerAdapter(logger, {"tenant.code": "acme"})
                adapter.info(f"Synced {crm} again")
                adapter.log(logging.INFO, f"Merged {crm} again")
        lines = both.compare(known=1)
        told = [(line["message"], line.get("crm"), line["tenant.code"]) for line in lines]
        assert told[::2] == [("Synced {crm} again", f"zoho-{at}", "acme") for at in range(8)]
        assert told[1::2] == [("Merged {crm} again", None, "acme")] * 8

    def test_a_text_that_is_no_other_way_of_the_same(self, both: Both) -> None:
        """Two calls on one line, one literal for both: each names its own values."""
        crm, code = "zoho", "ada@example.com"
        for way in [0, 1] * 8:
            for to in both:
                to.info(f"Synced {crm}") if way else to.info(f"Synced {code}")
        told = [(line.get("crm"), line.get("code")) for line in both.compare(known=2)]
        assert told == [(None, "[REDACTED]"), ("zoho", None)] * 8

    @pytest.mark.parametrize("messages", ["template", "literal", "any"])
    @pytest.mark.parametrize("unknown", ["mask", "drop"])
    @pytest.mark.parametrize("kind", [Logger, logging.Logger], ids=["own", "stock"])
    def test_options_of_the_filter(
        self, tmp_path: Path, kind: type[logging.Logger], unknown: str, messages: str
    ) -> None:
        """They hold as they do for any message."""
        mask = {"api_key": "last4"}
        both = Both(tmp_path, kind, unknown=unknown, messages=messages, mask=mask)
        for number in range(8):
            crm, api_key, email = "zoho", f"made-up-key-{number:04}", "ada@example.com"
            for logger in both:
                logger.info(f"Synced {crm} by {api_key} for {email}", extra={"crm": "hubspot"})
        both.compare(known=int(messages == "template"))

    def test_loggers_whose_messages_are_known_by_their_words(self, both: Both) -> None:
        """Those of a server or a client stay what the table says."""
        for logger in both:
            logger.name = "asyncio"
        for number in range(8):
            count = number
            for logger in both:
                logger.info(f"Exception in callback {count}")
        lines = both.compare(known=0)
        assert {line["message"] for line in lines} == {"Exception in callback ..."}

    def test_a_record_that_is_handed_on(self, both: Both) -> None:
        """Later, while another one like it is made."""
        handlers = [logger.handlers[0] for logger in both]
        waiting = [MemoryHandler(3, target=handler) for handler in handlers]
        for number in range(12):
            crm = f"zoho-{number}"
            for at, logger in enumerate(both):
                logger.handlers[:] = [handlers[at] if number < 5 else waiting[at]]
                logger.info(f"Synced {crm} again")
        for each in waiting:
            each.close()
        both.compare(known=1)

    def test_subclasses_of_text_are_no_texts(self, both: Both) -> None:
        """What they do when they are looked at is theirs."""
        looked: list[str] = []

        class Text(str):
            __slots__ = ()

            def startswith(self, *given: Any) -> bool:
                looked.append(self)
                return super().startswith(*given)

        for number in range(12):
            crm = Text(f"zoho-{number}")
            for logger in both:
                put = Changing(lambda record: setattr(record, "msg", Text(record.msg)))
                logger.filters[:] = [put] if number in (0, 7, 9) else []
                logger.info(f"Synced {crm}")
        both.compare(known=1)
        assert looked == []

    def test_arguments_that_somebody_put_beside_a_built_message(self, both: Both) -> None:
        """They may be what its text says they are: nothing is taken out of it."""
        for number in range(12):
            crm = f"zoho-{number} %s"
            for logger in both:
                put = Changing(lambda record: setattr(record, "args", (1,)))
                logger.filters[:] = [put] if number in (7, 9) else []
                logger.info(f"Synced {crm}", extra={"count": 1})
        both.compare(known=1)

    @pytest.mark.parametrize("level", [1, 2, 3])
    def test_a_literal_of_another_frame(self, both: Both, level: int) -> None:
        """It is built of nothing."""
        for _ in range(8):
            for logger in both:
                logger.info("Synced contacts", stacklevel=level)
                logger.info(f"Synced {both} now", stacklevel=level)
        told = [line["message"] for line in both.compare()]
        assert told == ["Synced contacts", "Synced {both} now"] * 8

    def test_endless_texts(self, both: Both) -> None:
        """Nothing is taken out of a text of a megabyte."""
        is_long = [*[0] * 6, 1, 1], [1, 1, *[0] * 6]
        for first, later in zip(*is_long, strict=True):
            crm, code = ("z" * 1_000_000 if each else "zoho" for each in (first, later))
            for logger in both:
                logger.info(f"Synced {crm} at last")
                logger.info(f"Merged {code} at last")
        told = [line["message"] for line in both.compare(known=1)]
        assert told[::2] == ["Synced {crm} at last"] * 6 + ["[DYNAMIC MESSAGE]"] * 2
        assert told[1::2] == ["[DYNAMIC MESSAGE]"] * 2 + ["Merged {code} at last"] * 6

    def test_a_text_of_which_nothing_but_the_literal_is_left(self, both: Both) -> None:
        """At first, or later: it is the literal itself."""
        for number in range(16):
            crm = "zoho" if 4 <= number < 12 else ""
            for logger in both:
                logger.info("Synced contacts " + crm)
        told = {(line["message"], line.get("crm")) for line in both.compare()}
        assert told == {("Synced contacts ", None), ("Synced contacts {crm}", "zoho")}

    def test_a_text_of_several_forms(self, both: Both) -> None:
        """Of one that is not certain nothing is taken out."""
        for number in range(10):
            crm = f"zoho-{number}"
            for logger in both:
                _log_one_of_two(logger, crm, number)
                _log_what_is_given(logger, "", crm)
        lines = both.compare(known=0)
        told = {(line["message"], line.get("crm")) for line in lines[1::2]}
        assert told == {("Closed {crm}", None)}
        told = {(line["message"], line.get("crm")) for line in lines[::2]}
        assert told == {
            *(("Opened {crm}", f"zoho-{number}") for number in range(0, 10, 2)),
            *(("Shut {crm}", f"zoho-{number}") for number in range(1, 10, 2)),
        }
