"""Promises of a storm whose messages are built at run time: counted as those of literals are."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crmlogging import GroupingFilter, Logger
from tests.filters.test_grouping_early import ByTheLongWay, File, Output, answered, timeless

Log = Callable[[logging.Logger, int, str, Exception], None]


def _f_string(logger: logging.Logger, number: int, crm: str, error: Exception) -> None:
    logger.error(f"Failed to update {number}", exc_info=error, extra={"crm": crm})


def _with_the_error(logger: logging.Logger, number: int, crm: str, error: Exception) -> None:
    logger.error(f"Failed: {number}: {error}", exc_info=error)


def _in_a_variable(logger: logging.Logger, number: int, crm: str, error: Exception) -> None:
    said = "Failed to update %s" % number  # noqa: UP031  # what is tested
    logger.exception(said, exc_info=error, extra={"crm": crm, "resource.id": number})


def _that_tells_the_crm(logger: logging.Logger, number: int, crm: str, error: Exception) -> None:
    logger.error(f"Failed in {crm} with {number}", exc_info=error)


def _that_tells_what_a_field_says(
    logger: logging.Logger, number: int, crm: str, error: Exception
) -> None:
    logger.error(f"Failed in {crm}", exc_info=error, extra={"crm": "zoho" if number % 2 else crm})


def _two_in_one_line(logger: logging.Logger, number: int, crm: str, error: Exception) -> None:
    to, e, x = logger, error, number
    to.error(f"Lost {x}", exc_info=e) if number % 3 else to.error(f"Lost {crm}", exc_info=e)


def _through_an_adapter(logger: logging.Logger, number: int, crm: str, error: Exception) -> None:
    adapter = logging.LoggerAdapter(logger, {"crm": crm})
    adapter.error(f"Failed to update {number}", exc_info=error)


def _with_arguments(logger: logging.Logger, number: int, crm: str, error: Exception) -> None:
    args = ("zoho",) if number % 2 else ()
    logger.error(f"Failed to update {number} %s", *args, exc_info=error)


def _with_an_argument_that_tells(
    logger: logging.Logger, number: int, given: str, error: Exception
) -> None:
    crm: Any = [given] if number % 2 else given
    logger.error(f"Failed to update {number} %s", crm, exc_info=error)


def _that_tells_the_resource(
    logger: logging.Logger, number: int, crm: str, error: Exception
) -> None:
    resource = SimpleNamespace(id=f"c-{number}")
    logger.error(f"Failed in {crm} with {resource.id}", exc_info=error, extra={"crm": "zoho"})


LOGS: list[Log] = [
    *(_f_string, _with_the_error, _in_a_variable, _that_tells_the_crm, _through_an_adapter),
    *(_that_tells_what_a_field_says, _two_in_one_line, _with_arguments),
    *(_with_an_argument_that_tells, _that_tells_the_resource),
]


class TestForms:
    @pytest.mark.parametrize("kind", [Logger, logging.Logger], ids=["own", "stock"])
    @pytest.mark.parametrize("seed", range(6))
    def test_nobody_can_tell_how_they_were_counted(
        self, kind: type[logging.Logger], seed: int
    ) -> None:
        """Which pass, and each word of each summary, are those of the long way."""
        loggers = [kind("crm.sync"), kind("crm.sync")]
        first = random.Random(seed).randrange(1, 4)
        quick = Output(loggers[0], GroupingFilter(first=first))
        slow = Output(loggers[1], ByTheLongWay(first=first))
        chance = random.Random(seed)
        errors = [answered(), answered(401), answered(429), ValueError("gone"), KeyError("no: id")]
        for _ in range(300):
            log, number = chance.choice(LOGS), chance.randrange(9)
            crm, error = (
                chance.choice(["hubspot", "zoho", "", "a: b", "a with b"]),
                chance.choice(errors),
            )
            for logger in loggers:
                log(logger, number, crm, error)
        told = [timeless(each.lines()) for each in (quick, slow)]
        assert told[0] == told[1]
        assert quick.learnt() > 10
        held = sum(line.get("error.suppressed", 0) for line in told[0])
        assert held + sum("error.suppressed" not in line for line in told[0]) == 300

    @pytest.mark.parametrize(
        "log", [_f_string, _with_the_error, _in_a_variable, _that_tells_what_a_field_says]
    )
    def test_one_more_needs_no_record(self, tmp_path: Path, log: Log) -> None:
        """Whatever it says."""
        with File(tmp_path, GroupingFilter(first=2)) as output:
            for number in range(12):
                log(output.logger, number, "zoho", answered())
            work: Callable[[], Any] = lambda: log(output.logger, 77, "zoho", answered())  # noqa: E731  # one expression
            assert output.records_made(work) == 0

    @pytest.mark.parametrize("log", [_that_tells_the_crm, _two_in_one_line])
    def test_one_that_may_tell_more_is_looked_at(self, tmp_path: Path, log: Log) -> None:
        """Of whom a message alone tells, its form does not."""
        with File(tmp_path, GroupingFilter(first=2)) as output:
            for number in range(12):
                log(output.logger, number, "zoho", ValueError("gone"))
            work: Callable[[], Any] = lambda: log(output.logger, 78, "zoho", ValueError("gone"))  # noqa: E731  # one expression
            assert output.records_made(work) == 1
