"""Promises of the limits: headers of rate limits are numbers, in any spelling."""

from __future__ import annotations

import pytest

from crmlogging.errors.answers.limits import Limits, limits_of


class TestLimits:
    @pytest.mark.parametrize(
        ("headers", "limits"),
        [
            ({}, Limits(None, None, None)),
            (
                {"x-ratelimit-limit": "83", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "9"},
                Limits(83, 0, 9.0),
            ),
            ({"sforce-limit-info": "api-usage=18/5000"}, Limits(5_000, 4_982, None)),
            ({"ratelimit": "limit=20, remaining=3, reset=2"}, Limits(20, 3, 2.0)),
            ({"x-hubspot-ratelimit-max": "190"}, Limits(190, None, None)),
            ({"x-ratelimit-limit": "many"}, Limits(None, None, None)),
        ],
    )
    def test_headers_of_vendors(self, headers: dict[str, str], limits: Limits) -> None:
        """Rate-limit headers in the spellings of vendors, as numbers."""
        assert limits_of(headers) == limits
