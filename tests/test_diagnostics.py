"""Promises of `crmlogging.diagnostics`: it counts everything and shows no contents."""

from __future__ import annotations

import logging
import threading

import pytest

from crmlogging import diagnostics
from crmlogging.diagnostics import Tally, complain, describe


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


@pytest.fixture(autouse=True)
def _nothing_told_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "_complaints", diagnostics._Complaints(clock=lambda: 1_000.0))


class TestTally:
    def test_counts_from_many_threads(self) -> None:
        """No count is lost."""
        tally = Tally()

        def work() -> None:
            for _ in range(2_000):
                tally.add("x")

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (tally["x"], tally["never"], tally.snapshot()) == (8_000, 0, {"x": 8_000})


class TestDescribe:
    def test_names_kind_and_place_only(self) -> None:
        """An exception's text may hold anything; it is not shown."""
        told = describe(raised(OSError(28, "secret-path", "/secret")))
        assert told.startswith("OSError ENOSPC at test_diagnostics.py:")
        assert "secret" not in told

    def test_a_made_up_class_name_is_not_shown(self) -> None:
        """``type("secret", ...)`` names a class at run time: its built-in base stands for it."""
        for module in (__name__, "builtins"):
            error = type("Secret", (KeyError,), {"__module__": module})("x")
            assert describe(raised(error)).startswith("KeyError at ")

    def test_a_number_of_no_error_is_not_shown(self) -> None:
        """Whoever raises an OSError gives it any number."""
        assert describe(OSError(4111111111111111, "x")) == "OSError"

    def test_a_made_up_file_name_is_not_shown(self) -> None:
        """Code made from a text may name any file."""
        with pytest.raises(ZeroDivisionError) as caught:
            exec(compile("1 / 0", "/srv/secret.py", "exec"), {})
        assert describe(caught.value).startswith("ZeroDivisionError at test_diagnostics.py:")

    def test_hostile_exceptions_are_described(self) -> None:
        """Neither str nor repr of the exception is ever asked."""

        class HostileError(Exception):
            def __str__(self) -> str:
                raise AssertionError("asked")

            __repr__ = __str__

        assert describe(raised(HostileError())).startswith("Exception at ")


class TestComplain:
    def test_tells_stderr_once_a_minute(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The first of a kind is told, the rest is counted."""
        before = diagnostics.tally["errors.Place.ValueError"]
        for _ in range(3):
            complain("Place", ValueError("secret"), hint="do this")
        told = capsys.readouterr().err
        assert told == "crmlogging: Place: ValueError; do this\n"
        assert diagnostics.tally["errors.Place.ValueError"] - before == 3

    def test_says_how_many_went_untold(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After the interval the next one carries the number."""
        now = 0.0
        complaints = diagnostics._Complaints(clock=lambda: now)
        monkeypatch.setattr(diagnostics, "_complaints", complaints)
        for _ in range(3):
            complain("Place", "a sentence")
        now = 61.0
        complain("Place", "a sentence")
        assert (
            capsys.readouterr().err.splitlines()[-1].endswith("a sentence (2 more like it before)")
        )

    def test_is_silent_where_logging_is(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """``logging.raiseExceptions = False`` and a missing stderr are respected."""
        monkeypatch.setattr(logging, "raiseExceptions", False)
        complain("Place", "a sentence")
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(logging, "raiseExceptions", True)
        monkeypatch.setattr("sys.stderr", None)
        complain("Place", "another")
