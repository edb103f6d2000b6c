"""Promises of headers: the request's id, in any spelling."""

from __future__ import annotations

from crmlogging.errors.answers.headers import header_request_id


class TestHeaderId:
    def test_name_that_ends_like_one_counts_last(self) -> None:
        """An unknown vendor's header is taken where no known one is there; our own never."""
        unknown = {"acme-request-id": "a1b2c3"}
        assert header_request_id(unknown) == "a1b2c3"
        assert header_request_id({**unknown, "cf-ray": "ray-77"}) == "ray-77"
        assert header_request_id({"x-client-request-id": "a1b2c3"}) is None
