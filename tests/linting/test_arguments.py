"""Promises of `linting.arguments`: arguments fit their message, and are seen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crmlogging.linting.allowlists import Allowed
from crmlogging.linting.findings import Finding

Lint = Callable[..., list[Finding]]


class TestPlaces:
    @pytest.mark.parametrize(
        ("call", "complaint"),
        [
            ('logger.info("a %s")', "asks for 1 argument, none is given"),
            ('logger.info("a %s %d", 1)', "asks for 2 arguments, 1 given"),
            ('logger.info("a %s", 1, 2)', "asks for 1 argument, 2 given"),
            ('logger.info("a", 1)', "asks for 0 arguments, 1 given"),
            ('logger.info("a %%", 1)', "asks for 0 arguments, 1 given"),
            ('logger.info("a {}", 1)', "never {}"),
            ('logger.info("a {0} {b.c!r:>3}", 1)', "never {}"),
            ('logger.info("50% of %s", 1)', "asks for 2 arguments, 1 given"),
            ('logger.info("50% kept, %s", 1)', "is no % place"),
            ('logger.info("ends in %", 1)', "is no % place"),
            ('logger.info("%*d", 1)', "asks for 2 arguments, 1 given"),
            ('logger.info("%(a)s %s", 1)', "mixes"),
            ('logger.info("%(a)s", 1, 2)', "one mapping, 2 arguments"),
            ('logger.info("%(a)s", {"b": 1})', "no key 'a'"),
            ('logger.log(20, "a %s", 1, 2)', "asks for 1 argument, 2 given"),
        ],
    )
    def test_a_misfit_is_found(self, lint: Lint, call: str, complaint: str) -> None:
        """Too many, too few, of the wrong kind."""
        (finding,) = lint(call, "CL004")
        assert complaint in finding.message

    @pytest.mark.parametrize(
        "call",
        [
            'logger.info("a")',
            'logger.info("100%")',
            'logger.info("100% done")',
            'logger.info("GET /a%20b")',
            'logger.info("%%s")',
            'logger.info("a %s %d %-10.3f %r %%", 1, 2, 3, 4)',
            'logger.info("%*.*f", 1, 2, 3)',
            'logger.info("%(a)s %(b)05d", {"a": 1, "b": 2})',
            'logger.info("%(a)s", values)',
            'logger.info("%(a)s", {**values})',
            'logger.info("%s", {"a": 1})',
            'logger.info("a", {"a": 1})',
            'logger.info("a %s %s", *values)',
            "logger.info(text, 1)",
            'logger.info("{}")',
        ],
    )
    def test_a_fit_is_not(self, lint: Lint, call: str) -> None:
        """What logging fills in without an error, and what cannot be known."""
        assert lint(call, "CL004") == []

    @pytest.mark.parametrize("call", ['"a %s" % (1, 2)', '"50% kept %s" % (1,)', '"%(a)s" % (1,)'])
    def test_python_agrees(self, call: str) -> None:
        """The misfits above are those on which the % operator raises."""
        with pytest.raises((TypeError, ValueError)):
            eval(call)


class TestArguments:
    @pytest.mark.parametrize(
        "argument",
        [
            *("response.text", "response.content", "request.headers", "response.json()"),
            *("await response.text()", "str(contact)", "repr(contact)", "contact.__dict__"),
            *("vars(contact)", "json.dumps(contact)", "{'a': contact}", "[contact]", "locals()"),
            *("[c for c in contact]", "contact.model_dump()", "traceback.format_exc()"),
        ],
    )
    def test_an_object_is_never_shown(self, lint: Lint, argument: str) -> None:
        """Objects, bodies and their texts as arguments are CL204."""
        source = f"async def f(response, request, contact):\n    logger.info('a %s b', {argument})"
        (finding,) = lint(source, "CL204", "CL205")
        assert finding.code == "CL204"

    @pytest.mark.parametrize("level", ["info", "warning", "error"])
    @pytest.mark.parametrize("argument", ["error", "str(error)"])
    def test_an_exception_is_said_once(self, lint: Lint, level: str, argument: str) -> None:
        """An error in an except block is CL301; at other levels the argument is CL204."""
        source = f"""
            try:
                sync()
            except ValueError as error:
                logger.{level}("Failed: %s", {argument})
            """
        expected = "CL301" if level == "error" else "CL204"
        (finding,) = lint(source)
        assert (finding.code, "exc_info" in finding.suggestion) == (expected, True)

    def test_what_is_allowed_is_fine(self, lint: Lint) -> None:
        """An argument that the allowlist names is shown, so nothing is said."""
        allowed = Allowed([{"fields": [{"response.text": "text"}, "contact_id"]}])
        source = 'def f(response, contact_id):\n    logger.info("%s %s", response.text, contact_id)'
        assert lint(source, "CL204", "CL205", allowed=allowed) == []

    @pytest.mark.parametrize("call", ['"a %s", email', '"a %(email)s", {"email": x}'])
    def test_a_masked_one_is_found_when_asked(self, lint: Lint, call: str) -> None:
        """Argument names that the allowlist masks are CL205."""
        (finding,) = lint(f"logger.info({call})", "CL205")
        assert "email is masked" in finding.message

    def test_one_without_a_name(self, lint: Lint) -> None:
        """An expression becomes no field; a constant says nothing new."""
        (finding,) = lint('logger.info("%d of %d", len(x), 3)', "CL205")
        assert "no name" in finding.message
