"""Promises of `handlers.known_calls`: bounded, and what no longer holds is gone."""

from __future__ import annotations

from typing import Any

import pytest

from crmlogging.handlers import known_calls
from crmlogging.handlers.known_calls import Known, KnownCalls, Site


def known(outline: object, filters: list[Any] | None = None) -> Any:
    return Known(
        outline,
        "said",
        ("crm", 40, None, 1),
        filters or [],
        None,
        (),
        None,
        "standard",
        None,
        (),
        None,
    )


SITES: list[Site] = [(number, 0, 0) for number in range(40)]


class TestBound:
    @pytest.mark.parametrize("at_one_site", [1, 6, 20])
    def test_all_that_is_known_is_counted(
        self, at_one_site: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Calls at one site as well as sites, and those that are left."""
        monkeypatch.setattr(known_calls, "_CALLS_KEPT", 10)
        calls = KnownCalls()
        for site in SITES:
            for _ in range(at_one_site):
                calls.keep(site, known(object()))
                assert sum(map(len, calls.values())) <= 10
        for site in SITES:
            calls.keep(site, known(object()))
            calls.leave(site)
            assert len(calls) <= 10


def test_what_was_learned_under_other_filters_is_forgotten() -> None:
    """With the next call that is kept there."""
    calls, before, after = KnownCalls(), object(), object()
    calls.keep(SITES[0], known(before, ["a"]))
    calls.keep(SITES[0], known(after, ["b"]))
    assert [each.outline for each in calls[SITES[0]]] == [after]
    assert calls.holds(SITES[0], after, ["b"], None)
    assert not calls.holds(SITES[0], after, ["a"], None)
    assert not calls.is_left(SITES[0])
