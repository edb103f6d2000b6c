"""The leak battery: a secret in every hiding place, and none of it in anything that comes out.

``python -m tests.leaks`` asks every place at every way out, and other libraries beside.
"""

from __future__ import annotations

from functools import cache

import pytest

from tests.leaks.__main__ import outcomes_of
from tests.leaks.battery import Outcome
from tests.leaks.hiding_places import PLACES
from tests.leaks.searching import Secrets
from tests.leaks.sinks import OURS

_EVERY = 23
"""Of the other ways out each 23rd place is asked here, ``make leaks`` asks all."""


@cache
def _of_file() -> Outcome:
    """Ask every place once; the line is what the filter leaves, whatever handler takes it."""
    return outcomes_of("file")[0]


class TestLeaks:
    def test_the_battery_is_large(self) -> None:
        """Several hundred places, of many kinds."""
        assert len(PLACES) > 1_300
        assert len({name.partition(":")[0] for name in PLACES}) > 150

    def test_nothing_comes_out(self) -> None:
        """No form of a secret, no part of it, no encoding, in the line or on the error stream."""
        assert _of_file().leaks == []
        assert _of_file().stderr == []

    def test_nothing_comes_out_behind_all_filters(self) -> None:
        """Nor where errors are classified first, by filters that read raw texts."""
        for outcome in outcomes_of("retention"):
            assert outcome[1:3] == ([], []), outcome.name

    def test_no_foreign_object_is_asked(self) -> None:
        """Nothing of an object that is not allowed runs, not even its hash."""
        assert _of_file().touched == []

    def test_no_logging_call_raises(self) -> None:
        """Whatever is logged, the application goes on."""
        assert _of_file().raised == []

    def test_every_allowed_value_is_kept(self) -> None:
        """Each record is there, with all that may be shown of it."""
        assert _of_file().lost == []
        assert _of_file().kept == _of_file().records > 4 * len(PLACES)

    def test_no_way_out_leaks(self) -> None:
        """Files, spool, objects, queue, console, report, error stream: the same everywhere."""
        others = [name for name in OURS if name != "file"]
        outcomes = outcomes_of(*others, every=_EVERY)
        assert len(outcomes) > len(others)
        for outcome in outcomes:
            assert outcome[1:3] == ([], []), outcome.name
            assert (outcome.lost, outcome.raised) == ([], []), outcome.name

    def test_a_plain_formatter_leaks(self) -> None:
        """The battery can see a leak: without the allowlist, most places give one."""
        (outcome,) = outcomes_of("python-json-logger", every=_EVERY)
        assert len(outcome.leaks) > len(PLACES) / _EVERY / 2


class TestSecrets:
    @pytest.mark.parametrize(
        "written",
        [
            pytest.param(b"x canary0123456789abcdef y", id="whole"),
            pytest.param(b"x 56789ABCDEF", id="end-in-capitals"),
            pytest.param(b"fedcba987654", id="reversed"),
            pytest.param(b"canary0123456789abcdef".hex().encode(), id="hexadecimal"),
            pytest.param(b"eGNhbmFyeTAxMjM0NTY3ODlhYmNkZWY=", id="base64"),
            pytest.param(str(list(b"canary0123456789abcdef")).encode(), id="numbers"),
        ],
    )
    def test_finds_every_form(self, written: bytes) -> None:
        """Whole or in part, plain or encoded."""
        secrets = Secrets()
        secrets.add(7, "canary0123456789abcdef")
        assert secrets.found_in(written) == {7}

    def test_finds_nothing_in_other_text(self) -> None:
        """A few characters in common are chance."""
        secrets = Secrets()
        secrets.add(7, "canary0123456789abcdef")
        assert secrets.found_in(b"canary 012345678 9abcdef") == set()
