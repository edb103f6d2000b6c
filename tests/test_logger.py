"""Promises of `crmlogging.Logger`: a standard logger that takes any name in extra."""

from __future__ import annotations

import logging
import sys
from collections import UserDict
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from crmlogging import bind, correlation, set_level
from crmlogging.levels import scoping
from crmlogging.levels.spec import Rule
from crmlogging.logger import Logger, RootLogger, adopt_loggers


class Collecting(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class Unbound:
    """Stands for an object of a request that is over, as werkzeug's proxies do."""

    @property  # type: ignore[misc]  # as a proxy may
    def __class__(self) -> Any:
        raise RuntimeError("outside of a request")


class Unread(Mapping[str, object]):
    def __getitem__(self, key: str) -> object:
        raise OSError(key)

    __iter__ = __len__ = __getitem__  # type: ignore[assignment]  # fails in the same way


class TestLogger:
    @pytest.mark.parametrize(
        "name", ["name", "args", "message", "asctime", "msg", "levelname", "module", "taskName"]
    )
    def test_reserved_names_are_kept_apart(self, name: str) -> None:
        """No KeyError, nothing overwritten, and the value is there as ``extra.<name>``."""
        logger, handler = Logger("tests.own"), Collecting()
        logger.addHandler(handler)
        logger.error("Failed", extra={name: "theirs", "crm": "zoho"})
        (record,) = handler.records
        assert (record.name, record.getMessage()) == ("tests.own", "Failed")
        assert (vars(record)[f"extra.{name}"], vars(record)["crm"]) == ("theirs", "zoho")

    def test_the_record_knows_its_caller(self) -> None:
        """Overriding makeRecord does not move the call site."""
        logger, handler = Logger("tests.own"), Collecting()
        logger.addHandler(handler)
        logger.error("Failed")
        assert handler.records[0].funcName == "test_the_record_knows_its_caller"

    def test_without_us_the_standard_library_raises(self) -> None:
        """Pinned: README tells users what the stock logger does."""
        with pytest.raises(KeyError, match="overwrite 'name'"):
            logging.Logger("tests.stock").error("Failed", extra={"name": "x"})

    @pytest.mark.parametrize(
        "level", ["debug", "info", "warning", "error", "critical", "exception"]
    )
    def test_each_method_finds_its_caller(self, level: str) -> None:
        """File, line and function are those of the call, in every method and with stacklevel."""
        logger, handler = Logger("tests.own"), Collecting()
        logger.addHandler(handler)

        def inner() -> None:
            getattr(logger, level)("Failed", stacklevel=2, stack_info=True)

        line = sys._getframe().f_lineno + 1
        inner()
        (record,) = handler.records
        assert (record.funcName, record.lineno) == ("test_each_method_finds_its_caller", line)
        assert (record.stack_info or "").startswith("Stack (most recent call last):\n  File ")
        assert record.pathname == __file__
        assert record.levelname.lower() == ("error" if level == "exception" else level)

    def test_finds_its_caller_as_the_standard_library_does(self) -> None:
        """A call with a number, one through an adapter, and one too deep for the stack."""
        found = []
        for kind in (logging.Logger, Logger):
            logger, handler = kind("tests.own"), Collecting()
            logger.addHandler(handler)
            logger.log(25, "Failed")
            logging.LoggerAdapter(logger, {}).warning("Failed")
            logger.warning("Failed", stacklevel=10_000)
            found.append([(each.funcName, each.pathname) for each in handler.records])
        assert found[0] == found[1]
        assert found[0][0][0] == "test_finds_its_caller_as_the_standard_library_does"

    @pytest.mark.parametrize("kind", [Unbound, Unread])
    def test_what_cannot_be_asked_raises_nothing(self, kind: type) -> None:
        """A single argument may be a mapping, so may extra: asked, the standard logger raises."""
        logger, handler = Logger("tests.own", logging.WARNING), Collecting()
        logger.addHandler(handler)
        value = kind()
        for _ in range(2):
            logger.warning("Failed for %s", value)
            logger.debug("Not said", extra=value)
        assert [record.args for record in handler.records] == [(value,)] * 2

    def test_a_level_that_is_no_number_is_refused(self) -> None:
        """As the standard library does it."""
        with pytest.raises(TypeError, match="level must be an integer"):
            Logger("tests.own").log("INFO", "Failed")  # type: ignore[arg-type]  # the mistake


@pytest.fixture
def logger() -> Iterator[Logger]:
    """Lend a logger of ours at WARNING, with a handler; rules of the test end with it."""
    logger = Logger("tests.crm.sync", logging.WARNING)
    logger.addHandler(Collecting())
    yield logger
    scoping.rules = ()


def messages(logger: Logger) -> list[str]:
    (handler,) = logger.handlers
    assert isinstance(handler, Collecting)
    return [record.getMessage() for record in handler.records]


class TestScopedLevel:
    def test_one_account_logs_at_debug(self, logger: Logger) -> None:
        """Within its scope everything is logged; beside it nothing has changed, nor after it."""
        scoping.rules = (Rule("", 10, "tenant.code", "acme"),)
        for tenant in ("acme", "other", "acme"):
            with correlation(**{"tenant.code": tenant}):
                logger.debug(tenant)
        logger.debug("no scope")
        assert messages(logger) == ["acme", "acme"]

    def test_one_correlation_id(self, logger: Logger) -> None:
        """A request that is known by its id can be followed through all of the service."""
        scoping.rules = (Rule("", 10, "correlation_id", "sync-17"),)
        for id in ("sync-17", "sync-18"):
            with correlation(id):
                logger.info(id)
        assert messages(logger) == ["sync-17"]

    @pytest.mark.parametrize(
        ("rule", "admitted"),
        [
            pytest.param(Rule("tests.crm", 10, "crm", "zoho"), True, id="parent"),
            pytest.param(Rule("tests.crm.sync", 10, "crm", "zoho"), True, id="itself"),
            pytest.param(Rule("tests.crm.sy", 10, "crm", "zoho"), False, id="only-a-prefix"),
            pytest.param(Rule("tests.crm.sync.x", 10, "crm", "zoho"), False, id="child"),
            pytest.param(Rule("", 20, "crm", "zoho"), False, id="higher-level"),
            pytest.param(Rule("", 10, "crm", "Zoho"), False, id="other-value"),
            pytest.param(Rule("", 10, "provider", "zoho"), False, id="other-field"),
        ],
    )
    def test_a_rule_names_logger_level_and_value(
        self, logger: Logger, rule: Rule, admitted: bool
    ) -> None:
        """All three have to fit."""
        scoping.rules = (rule,)
        with correlation(crm="zoho"):
            assert logger.isEnabledFor(logging.DEBUG) is admitted

    def test_numbers_fit_and_objects_are_not_asked(self, logger: Logger) -> None:
        """An account number may be an int; nothing else is asked for its text."""

        class Loud:
            def __str__(self) -> str:
                raise AssertionError

        scoping.rules = (Rule("", 10, "tenant.code", "17"),)
        with correlation():
            bind(**{"tenant.code": 17})
            assert logger.isEnabledFor(logging.DEBUG)
            bind(**{"tenant.code": Loud()})
            assert not logger.isEnabledFor(logging.DEBUG)

    def test_what_the_program_has_switched_off_stays_off(self, logger: Logger) -> None:
        """`logging.disable` and a disabled logger mean what they say."""
        scoping.rules = (Rule("", 10, "crm", "zoho"),)
        with correlation(crm="zoho"):
            logger.manager.disable = logging.CRITICAL
            try:
                logger._cache.clear()  # type: ignore[attr-defined]  # as logging.disable does
                logger.debug("disabled")
            finally:
                logger.manager.disable = 0
            logger._cache.clear()  # type: ignore[attr-defined]  # as logging.disable does
            logger.disabled = True
            logger.debug("disabled")
        assert messages(logger) == []

    def test_set_level_reaches_a_logger_that_was_asked_before(self, logger: Logger) -> None:
        """The cache of `isEnabledFor` never holds what belongs to one scope, in or out of it."""
        with correlation(**{"tenant.code": "acme"}):
            assert not logger.isEnabledFor(logging.DEBUG)
            set_level("DEBUG@tenant.code=acme", for_="15m")
            assert logger.isEnabledFor(logging.DEBUG)
        assert not logger.isEnabledFor(logging.DEBUG)
        set_level("WARNING")
        with correlation(**{"tenant.code": "acme"}):
            assert not logger.isEnabledFor(logging.DEBUG)


class TestAudit:
    @pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
    def test_no_level_silences_an_audit_record(self, logger: Logger, level: str) -> None:
        """Whatever somebody sets while the service runs."""
        logger.setLevel(60)
        getattr(logger, level)("deleted", extra={"audit": True})
        logger.log(logging.getLevelName(level.upper()), "again", extra=UserDict(audit=True))
        assert messages(logger) == ["deleted", "again"]

    @pytest.mark.parametrize("extra", [{"audit": 1}, {"audit": False}, {}, None, 17, ["audit"]])
    def test_only_the_mark_itself_counts(self, logger: Logger, extra: object) -> None:
        """Anything else in extra, of whatever type, neither passes nor raises."""
        logger.debug("no audit record", extra=extra)
        logger.log(10, "no audit record", extra=extra)
        assert messages(logger) == []

    def test_the_program_can_disable_it(self, logger: Logger) -> None:
        """`logging.disable` is the program's own word, as in tests."""
        logger.manager.disable = logging.CRITICAL
        try:
            logger.debug("disabled", extra={"audit": True})
        finally:
            logger.manager.disable = 0
        assert messages(logger) == []


class TestAdoptLoggers:
    def test_loggers_made_before_are_ours_too(self) -> None:
        """Modules make their loggers at import, long before anybody configures."""
        early = logging.getLogger("tests.adopt.early")
        adopt_loggers()
        late = logging.getLogger("tests.adopt.late")
        assert (type(early), type(late), type(logging.root)) == (Logger, Logger, RootLogger)
        assert isinstance(logging.root, logging.RootLogger)

    def test_a_class_of_somebody_else_s_stays(self) -> None:
        """Only plain standard loggers are taken over."""

        class Theirs(logging.Logger):
            pass

        logging.setLoggerClass(Theirs)
        theirs = logging.getLogger("tests.adopt.theirs")
        adopt_loggers()
        assert type(theirs) is Theirs
