"""Promises of `linting.wording`: what is suggested means the same; messages start with a verb."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crmlogging.linting.allowlists import Allowed
from crmlogging.linting.findings import Finding
from crmlogging.linting.verbs import is_verb

Lint = Callable[..., list[Finding]]


class TestSuggestion:
    @pytest.mark.parametrize(
        "message",
        [
            'f"Created {x}"',
            'f"Created {x!r} of {x!s} and {x!a}"',
            'f"Created {y:.2f} or {y:5.1f} or {n:03d} or {n}"',
            'f"100% of {x}"',
            "f'Created \"{x}\"'",
            'f"Created {x.upper()} and {len(x)}"',
            '"Created %s" % x',
            '"Created %-10s|%5.1f" % (x, y)',
            r'f"a\\b {x}"',
        ],
    )
    def test_means_the_same(self, lint: Lint, message: str) -> None:
        """The literal with its arguments gives the very text that was built."""
        (finding,) = lint(f"def f(x, y, n):\n    logger.info({message})", "CL002")
        names = {"x": "ä b", "y": 3.14159, "n": 7}
        text, *arguments = eval(f"({finding.suggestion.removeprefix('write ')},)", names)
        assert text % tuple(arguments) == eval(message, names)

    @pytest.mark.parametrize(
        "message",
        [
            'f"Created {x:>10}"',
            'f"Created {x:{y}}"',
            'f"Created {x:,}"',
            '"Created {}".format(x)',
            '"Created " + x',
            '"Created %(a)s" % {"a": x}',
            'f"Created {x}\\n"',
            f'f"{"Created many contacts. " * 20}{{x}}"',
            'f"Uses password=hunter2 {x}"',
        ],
    )
    def test_is_general_where_that_is_not_sure(self, lint: Lint, message: str) -> None:
        """Formats that % has no place for, long texts, and secrets."""
        (finding,) = lint(f"def f(x, y):\n    logger.info({message})", "CL002")
        assert finding.suggestion == 'write the sentence as a literal, as in "Failed %s", name'

    def test_values_that_nothing_tells_apart(self, lint: Lint) -> None:
        """Two values side by side cannot be found again in the text."""
        (finding,) = lint('def f(x):\n    logger.info(f"Created {x}{x}")', "CL002")
        assert "nothing tells apart" in finding.message

    def test_without_templates_it_is_an_error(self, lint: Lint) -> None:
        """With messages="literal" a message that is built is not shown at all."""
        allowed = Allowed([{"fields": ["@crm"], "messages": "literal"}])
        (finding,) = lint('def f(x):\n    logger.info(f"Created {x}")', allowed=allowed)
        assert (finding.code, "[DYNAMIC MESSAGE]" in finding.message) == ("CL001", True)


class TestVerb:
    @pytest.mark.parametrize(
        "message",
        [
            '"Created contact"',
            '"failed to sync"',
            '"Could not sync"',
            '"Retries are exhausted"',
            '"Syncing %s"',
            "f'Created {x}'",
            '"  [sync] started"',
            "str(x)",
            '"Can\'t sync"',
            '"Re-sending"',
        ],
    )
    def test_messages_with_one(self, lint: Lint, message: str) -> None:
        """Any form of a verb will do; what is not known is not judged."""
        assert lint(f"def f(x):\n    logger.info({message})", "CL302") == []

    @pytest.mark.parametrize(
        "message", ['"Contact created"', '"%s created"', "f'{x} created'", '""']
    )
    def test_messages_without(self, lint: Lint, message: str) -> None:
        """A noun, a value, nothing."""
        found = lint(f"def f(x):\n    logger.info({message})", "CL302")
        assert [finding.code for finding in found] == ["CL302"]

    @pytest.mark.parametrize("word", ["", "contact", "the", "no", "something", "during", "string"])
    def test_other_words_are_none(self, word: str) -> None:
        """Words that only end like a verb are not taken for one."""
        assert not is_verb(word)
