"""Promises of the delays: what is told is read, what is not told is not made up."""

from __future__ import annotations

import pytest

from crmlogging.errors.answers.delays import body_delay, header_delay, worded_delay

DATE = "Sat, 14 Nov 2026 09:15:00 GMT"
EPOCH = 1_794_647_700


def clock() -> float:
    """A clock that stands ten seconds after `DATE`."""
    return EPOCH + 10.0


class TestHeaderDelay:
    @pytest.mark.parametrize(
        ("headers", "delay"),
        [
            pytest.param({"retry-after": "120"}, 120, id="seconds"),
            pytest.param({"retry-after": " 1.5 "}, 1.5, id="fraction"),
            pytest.param({"retry-after": "0"}, 0, id="zero"),
            pytest.param({"retry-after": "30s"}, 30, id="unit"),
            pytest.param({"retry-after-ms": "2500"}, 2.5, id="milliseconds"),
            pytest.param(
                {"retry-after": "Sat, 14 Nov 2026 09:16:00 GMT", "date": DATE}, 60, id="date"
            ),
            pytest.param({"retry-after": "Sat, 14 Nov 2026 09:16:00 GMT"}, 50, id="own-clock"),
            pytest.param(
                {"retry-after": "Saturday, 14-Nov-26 09:16:00 GMT", "date": DATE}, 60, id="rfc-850"
            ),
            pytest.param(
                {"retry-after": "Sat Nov 14 09:16:00 2026", "date": DATE}, 60, id="asctime"
            ),
            pytest.param({"retry-after": "2026-11-14T10:16:00+01:00", "date": DATE}, 60, id="iso"),
            pytest.param({"retry-after": "PT1M30S"}, 90, id="iso-duration"),
            pytest.param({"retry-after": str(EPOCH + 42), "date": DATE}, 42, id="epoch"),
            pytest.param(
                {"retry-after": "Sat, 14 Nov 2026 09:00:00 GMT", "date": DATE}, 0, id="past"
            ),
            pytest.param({"retry-after": "-5"}, None, id="negative"),
            pytest.param({"retry-after": "soon"}, None, id="words"),
            pytest.param({"retry-after": "9" * 40}, None, id="absurd"),
            pytest.param({"retry-after": "99999999"}, None, id="years"),
            pytest.param({"retry-after": "Sat, 99 Foo 2026 99:99:99 GMT"}, None, id="no-date"),
            pytest.param({"x-ratelimit-reset": "30"}, None, id="reset-means-nothing-here"),
        ],
    )
    def test_retry_after(self, headers: dict[str, str], delay: float | None) -> None:
        """Seconds, HTTP dates and ISO times, against the answer's own clock."""
        assert header_delay(headers, limited=False, clock=clock) == delay

    @pytest.mark.parametrize(
        ("headers", "delay"),
        [
            pytest.param({"x-ratelimit-reset": str(EPOCH + 42), "date": DATE}, 42, id="epoch"),
            pytest.param(
                {"x-ratelimit-reset": f"{EPOCH + 42}000", "date": DATE}, 42, id="epoch-ms"
            ),
            pytest.param({"x-ratelimit-reset": "42"}, 42, id="seconds"),
            pytest.param({"ratelimit-reset": "7"}, 7, id="draft"),
            pytest.param({"ratelimit": "limit=20, remaining=0, reset=3.25"}, 3.25, id="one-header"),
            pytest.param({"ratelimit": '"default";r=0;t=12'}, 12, id="later-draft"),
            pytest.param(
                {"x-ratelimit-reset": "42", "x-ratelimit-remaining": "9"}, None, id="left"
            ),
            pytest.param({"x-ratelimit-reset": "42", "retry-after": "3"}, 3, id="retry-after-wins"),
        ],
    )
    def test_reset_of_a_limit(self, headers: dict[str, str], delay: float | None) -> None:
        """A reset counts where a limit ran out, and only that of the window that did."""
        assert header_delay(headers, limited=True, clock=clock) == delay


class TestOtherDelays:
    @pytest.mark.parametrize(
        ("key", "value", "delay"),
        [
            ("retryafter", 8, 8),
            ("retrydelay", "34s", 34),
            ("retryafterms", 2500, 2.5),
            ("resetat", "2026-11-14T09:15:20Z", 20),
            ("retryafter", True, None),
            ("retryafter", {"x": 1}, None),
            ("retryafter", float("nan"), None),
            ("elsewhere", 8, None),
        ],
    )
    def test_body(self, key: str, value: object, delay: float | None) -> None:
        """Fields of a body that vendors use for delays."""
        assert body_delay(key, value, {"date": DATE}, clock) == delay

    @pytest.mark.parametrize(
        ("words", "delay"),
        [
            ("retry in 30 seconds", 30),
            ("please try again in 2 minutes", 120),
            ("wait 1.5 h", 5_400),
            ("try again after 250 ms", 0.25),
            ("too many requests: retry after 35", 35),
            ("quota will be replenished in 02:12:33", 7_953),
            ("limit of 30 per second", None),
            ("retry later", None),
        ],
    )
    def test_words(self, words: str, delay: float | None) -> None:
        """Delays told in a sentence."""
        assert worded_delay(words) == delay
