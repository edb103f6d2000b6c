"""Promises of `linting.messages`: lint says of a message what the line will show of it."""

from __future__ import annotations

import importlib.util
import logging
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from crmlogging.linting.findings import Finding
from crmlogging.redaction import call_site, templates
from crmlogging.redaction.templates import DYNAMIC_MESSAGE

Lint = Callable[..., list[Finding]]
MESSAGES = ("CL001", "CL002", "CL003")

# Each program logs once, in `main`.
SHOWN = {
    "literal": 'logger.info("Created contact")',
    "one-word": 'logger.info("done")',
    "adjacent": 'logger.info("Created " "contact")',
    "added-literals": 'logger.info("Created " + "contact")',
    "arguments": 'logger.info("Created %s", value)',
    "keyword": 'logger.info(msg="Created contact")',
    "log": 'logger.log(20, "Created %s", value)',
    "either": 'logger.info("Created a contact" if value else "Created none")',
    "walrus": 'logger.info(text := "Created contact")',
    "empty-f": 'logger.info(f"Created contact")',
    "variable": 'text = "Created contact"\nlogger.info(text)',
    "comprehension": '[text for text in value]\ntext = "Created it"\nlogger.info(text)',
    "variable-added": 'text = "Created " + "it"\nlogger.info(text)',
    "variable-either": 'text = "Created it" if value else "Found it"\nlogger.info(text)',
    "variable-branches": """\
if value:
    text = "Created it"
else:
    text = "Found it"
logger.info(text)""",
    "module-constant": "logger.info(SENTENCE)",
    "class-constant": "logger.info(Texts.CREATED)",
    "table": 'logger.info(TABLE["created"])',
    "or": "text = SENTENCE or 'Created none'\nlogger.info(text)",
    "root": 'logging.getLogger("crm.program").info("Created contact")',
    "child": 'logger.getChild("a").info("Created contact")',
    "mapping": 'logger.info({"event": "created", "crm": "zoho", **{"who": value}})',
    "gettext": 'logger.info(_("Created contact"))',
}
BUILT = {
    "f-string": 'logger.info(f"Created {value}")',
    "f-string-expression": 'logger.info(f"Created {value.upper()} now")',
    "f-string-spec": 'logger.info(f"Created {value:>10} now")',
    "percent": 'logger.info("Created %s" % value)',
    "percent-tuple": 'logger.info("Created %s of %d" % (value, 3))',
    "percent-mapping": 'logger.info("Created %(a)s" % {"a": value})',
    "format": 'logger.info("Created {}".format(value))',
    "format-name": 'logger.info("Created {name}".format(name=value))',
    "added": 'logger.info("Created " + value)',
    "added-str": 'logger.info("Created " + str(value) + " now")',
    "variable": 'text = f"Created {value}"\nlogger.info(text)',
    "variable-branches": """\
if value:
    text = f"Created {value}"
else:
    text = f"Found {value}"
logger.info(text)""",
    "either": 'logger.info(f"Created {value}" if value else f"Found {value}")',
    "walrus": 'logger.info(text := f"Created {value}")',
    "adapter": 'logging.LoggerAdapter(logger, {}).info(f"Created {value}")',
    "mapping": 'logger.info({"crm": "zoho", "message": f"Created {value}"})',
    "unknowable-values": 'logger.info(f"Created {value}{value}")',
    "exception-variable": """\
try:
    raise ValueError(f"no {value}")
except ValueError as error:
    logger.info(error)""",
}
DYNAMIC = {
    "value": "text = value.strip()\nlogger.info(text)",
    "call": "logger.info(str(value))",
    "join": 'logger.info(" ".join([value, value]))',
    "f-string-of-values": 'logger.info(f"{value}{value}")',
    "format-of-variable": "logger.info(SENTENCE_OPEN.format(value))",
    "percent-of-variable": 'text = "Created %s"\nlogger.info(text % value)',
    "number": "logger.info(42)",
    "mapping": 'logger.info({"text": "created it"})',
    "one-word-variable": "logger.info(WORD)",
    "one-word-constant": "logger.info(ONE)",
    "one-word-literal": 'text = "done"\nlogger.info(text)',
    "imported-attribute": "logger.info(sys.version)",
    "class-attribute": "Texts().log()",
    "one-word-local": 'text = "".join(["do", "ne"])\nlogger.info(text)',
    "added-up": 'text = "Created it"\ntext += f" {value}"\nlogger.info(text)',
    "loop": "for text in [value + ' x']:\n    logger.info(text)",
    "attribute": "logger.info(Texts().made)",
    "walrus-before": 'if (text := f"Created {value}"):\n    logger.info(text)',
    "module-f-string": "logger.info(MADE)",
    "alike": 'logger.info(f"Failed {value}: {value}" if value else f"Failed {value}")',
    "imported": "logger.info(platform)",
    "dedent": 'logger.info(textwrap.dedent("   Updated contact"))',
    "nested-either": 'text = f"A {value}" if value else f"B {value}"\nlogger.info(text)',
    "await-free-call": "logger.info(make(value))",
}
PROGRAM = """\
import logging, sys, textwrap
from sys import platform
logger = logging.getLogger("crm.program")
SENTENCE = "Created contact"
SENTENCE_OPEN = "Created {}"
WORD = "".join(["do", "ne"]) and "done"
TABLE = {"created": "Created contact", "found": "Found contact"}
ONE = "done"
shadowed = WORD + platform
MADE = f"Created on {platform}"
class Texts:
    CREATED = "Created contact"
    version = "Created version"
    shadowed = "Created it"
    def __init__(self):
        self.made = f"Created {platform}"
    def log(self):
        METHOD
def _(text):
    return text
def make(value):
    return f"Created {value}"
def main(given):
    value = given.strip()
BODY
main("x")
"""


class _Resolving(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        frame = call_site.calling_frame()
        self.shown.append(templates.resolve(record, frame, "template").template)
        return False


def at_run_time(path: Path) -> str:
    """Run a program that logs once and return what its line would show."""
    logger = logging.getLogger("crm.program")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    resolving, handler = _Resolving(), logging.StreamHandler()
    handler.addFilter(resolving)
    logger.addHandler(handler)
    try:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    finally:
        logger.removeHandler(handler)
    (shown,) = resolving.shown
    return shown


class TestAgreement:
    @pytest.fixture
    def both(self, lint: Lint, tmp_path: Path) -> Callable[[str], tuple[list[Finding], str]]:
        def run(body: str) -> tuple[list[Finding], str]:
            method = "logger.info(shadowed)" if "Texts().log()" in body else "pass"
            source = PROGRAM.replace("BODY", textwrap.indent(body, "    "))
            source = source.replace("METHOD", method)
            findings = lint(source, *MESSAGES, head="")
            return findings, at_run_time(tmp_path / "program.py")

        return run

    @pytest.mark.parametrize("body", SHOWN.values(), ids=SHOWN)
    def test_what_is_shown_is_not_complained_about(
        self, both: Callable[[str], tuple[list[Finding], str]], body: str
    ) -> None:
        """A message that the line shows as it stands is no finding."""
        findings, shown = both(body)
        assert findings == []
        assert shown != DYNAMIC_MESSAGE

    @pytest.mark.parametrize("body", BUILT.values(), ids=BUILT)
    def test_what_is_read_back_is_a_warning(
        self, both: Callable[[str], tuple[list[Finding], str]], body: str
    ) -> None:
        """A message built at run time is CL002, which quotes the template that the line shows."""
        findings, shown = both(body)
        (finding,) = findings
        assert finding.code == "CL002"
        assert shown != DYNAMIC_MESSAGE
        assert f'"{shown}"' in finding.message or "is an exception" in finding.message

    @pytest.mark.parametrize("body", DYNAMIC.values(), ids=DYNAMIC)
    def test_what_is_withheld_is_an_error(
        self, both: Callable[[str], tuple[list[Finding], str]], body: str
    ) -> None:
        """A message of which the line says nothing is CL001."""
        findings, shown = both(body)
        assert [finding.code for finding in findings] == ["CL001"]
        assert shown == DYNAMIC_MESSAGE
