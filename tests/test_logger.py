"""Promises of `crmlogging.Logger`: a standard logger that takes any name in extra."""

from __future__ import annotations

import logging

import pytest

from crmlogging.logger import Logger, RootLogger, adopt_loggers


class Collecting(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


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
