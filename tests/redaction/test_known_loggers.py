"""Promises of `redaction.known_loggers`: texts of ours for messages of theirs."""

from __future__ import annotations

import pytest

from crmlogging.redaction.known_loggers import template_of, value_of


class TestTemplateOf:
    @pytest.mark.parametrize(
        ("logger", "message", "template"),
        [
            ("httpcore.http11", "send_request_headers.started", "send_request_headers.started"),
            ("httpcore.http11", "start_tls.failed a b=canary", "start_tls.failed ..."),
            ("asyncio", "Exception in callback canary()\nhandle", "Exception in callback ..."),
            ("asyncio", "Fatal error on transport\nprotocol: canary", "Fatal error on transport"),
            ("asyncio", "Fatal error on transport", "Fatal error on transport"),
            ("py.warnings", "unclosed file <canary>", "unclosed file ..."),
            (
                "py.warnings",
                "coroutine 'canary' was never awaited",
                "coroutine '...' was never awaited",
            ),
        ],
    )
    def test_is_a_text_of_ours(self, logger: str, message: str, template: str) -> None:
        """Never a piece of the message."""
        assert template_of(logger, message) == template

    @pytest.mark.parametrize(
        ("logger", "message"),
        [
            ("httpcore.http11", "canary started"),
            ("httpcore.http11", "canary"),
            ("httpcore", "start_tls.started"),
            ("asyncio", "canary Exception in callback"),
            ("py.warnings", "coroutine 'canary' was awaited"),
            ("crm.sync", "Fatal error on transport"),
            ("crm.sync", "start_tls.started"),
        ],
    )
    def test_any_other_is_left_to_the_rule_for_all(self, logger: str, message: str) -> None:
        """Another text, or the same from another logger, is no message known by heart."""
        assert template_of(logger, message) is None


class TestValueOf:
    @pytest.mark.parametrize(
        ("url", "path"),
        [
            ("https://ada:canary@example.com/contacts/7?token=canary", "/contacts/7"),
            ("http://example.com/oauth?next=http://example.com/canary", "/oauth"),
            ("http://example.com?next=http://example.com/canary", "/"),
            ("/contacts", "/contacts"),
        ],
    )
    def test_of_a_url_the_path_is_left(self, url: str, path: str) -> None:
        """Neither user-info nor query, whatever stands in them."""
        assert value_of("request.path", url) == path

    def test_numbers_given_as_text(self) -> None:
        """gunicorn gives the status as text; what is no number stays what it is."""
        assert value_of("response.status", "204") == 204
        assert value_of("response.status", "٢٠٤") == "٢٠٤"
        assert value_of("response.status", "2" * 10) == "2" * 10
        assert value_of("crm", "204") == "204"
