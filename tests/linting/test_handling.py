"""Promises of `linting.handling`: an error in an except block brings its exception."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crmlogging.linting.findings import Finding

Lint = Callable[..., list[Finding]]


def in_block(*lines: str) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"try:\n    sync()\nexcept ValueError as error:\n{body}"


class TestHandling:
    @pytest.mark.parametrize(
        "call",
        [
            'logger.error("Failed")',
            'logger.critical("Failed")',
            'logger.log(logging.ERROR, "Failed")',
            'logger.error("Failed: %s", error)',
            'logger.error("Failed", extra={"crm": "zoho"})',
            'if error.args:\n        logger.error("Failed")',
        ],
    )
    def test_without_it(self, lint: Lint, call: str) -> None:
        """An exception among the arguments is not read; one in a nested block counts."""
        assert [finding.code for finding in lint(in_block(call))] == ["CL301"]

    @pytest.mark.parametrize(
        "lines",
        [
            ['logger.error("Failed", exc_info=True)'],
            ['logger.error("Failed", exc_info=error)'],
            ['logger.exception("Failed")'],
            ['logger.error("Failed", extra={"error": error})'],
            ['logger.error("Failed", extra={"response": error.response})'],
            ['logger.error("Failed", extra=make(error))'],
            ['logger.warning("Failed")'],
            ['logger.log(level, "Failed")'],
            ['logger.error("Failed")', "raise"],
            ['logger.error("Failed")', "raise SystemExit(1) from error"],
            ['def later(): logger.error("Failed")'],
        ],
    )
    def test_with_it_or_without_need(self, lint: Lint, lines: list[str]) -> None:
        """Given in any way, handed on, of a lower level, or another function's."""
        assert lint(in_block(*lines)) == []

    def test_outside_of_a_block(self, lint: Lint) -> None:
        """An error that is no exception needs none."""
        assert lint('logger.error("Failed")') == []
        assert lint('try:\n    logger.error("Failed")\nfinally:\n    pass') == []
