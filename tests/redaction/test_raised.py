"""Promises of `redaction.raised`: no number and no name that nobody vouches for."""

from __future__ import annotations

import errno
from types import CodeType

import pytest

from crmlogging.redaction.raised import template_of


def error_of(code: CodeType | str) -> BaseException:
    """Return what running `code` raises."""
    try:
        exec(code, {})
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


class TestTemplateOf:
    def test_the_system_s_own_errors(self) -> None:
        """Number and text of an error that the system knows, without the file."""
        shown = template_of(FileNotFoundError(errno.ENOENT, "canary", "/home/canary"))
        assert shown is not None
        assert shown.startswith("[Errno 2] ")
        assert "canary" not in shown

    @pytest.mark.parametrize("number", [4111111111111111, 4711, True, "canary", None, 2.0])
    def test_other_numbers_are_values(self, number: object) -> None:
        """A number that is none of the system's may be a customer's."""
        assert template_of(OSError(number, "canary")) is None

    @pytest.mark.parametrize(
        "source",
        [
            pytest.param("canary", id="variable"),
            pytest.param("None.canary", id="attribute"),
            pytest.param("def f():\n  canary\n  canary = 1\nf()", id="local"),
        ],
    )
    @pytest.mark.parametrize("file", ["<generated>", "/nowhere/job.py"])
    def test_names_of_generated_code_are_values(self, source: str, file: str) -> None:
        """The interpreter names what a text names that anybody may have written."""
        assert template_of(error_of(compile(source, file, "exec"))) is None

    def test_a_text_of_the_interpreter_without_values(self) -> None:
        """Those are known by heart wherever they come from."""
        assert template_of(error_of("1 / 0")) == "division by zero"
