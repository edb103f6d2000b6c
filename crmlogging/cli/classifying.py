"""``crmlogging classify``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from crmlogging.cli.parameters import RegularFile
from crmlogging.errors.answers.bodies import MAX_BODY_BYTES
from crmlogging.errors.catalog import builtin
from crmlogging.errors.explaining import Explanation, explain
from crmlogging.errors.model import CrmError
from crmlogging.exceptions import ConfigurationError
from crmlogging.storage.given import open_given

__all__ = ["classify_command"]

_ITEMS_SHOWN: Final = 10
_EVIDENCE: Final = {
    "code": "by its code",
    "header": "by a header or the address",
    "wording": "by its words",
    "status": "by the status alone",
    "exception": "by the exception",
    "body": "by the kind of body",
    "none": "no rule knows it",
}
_KNOWN_BY: Final = {
    "named": "as you named it",
    "host": "by the host",
    "header": "by a header",
    "body": "by the shape of the body",
}


def _pair(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    headers = {}
    for value in values:
        name, colon, rest = value.partition(":")
        if not colon or not name.strip():
            raise click.BadParameter("write NAME:VALUE")
        headers[name.strip()] = rest.strip()
    return headers


def _body(_: click.Context, __: click.Parameter, file: str | None) -> bytes:
    """Return what is in FILE, or came by standard input, as much as is ever looked at."""
    if file == "-" or (file is None and not sys.stdin.isatty()):
        return sys.stdin.buffer.read(MAX_BODY_BYTES + 1)
    if file is None:
        return b""
    try:
        with open_given(file) as opened:
            return opened.read(MAX_BODY_BYTES + 1)
    except OSError as error:
        raise click.BadParameter(f"{file!r}: {error.strerror}") from None


@click.command("classify")
@click.argument("body", metavar="[FILE|-]", required=False, callback=_body)
@click.option("--status", type=click.IntRange(100, 999), help="HTTP status of the answer.")
@click.option("--provider", help="Vendor, e.g. hubspot; found out where absent.")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", callback=_pair,
              help="Header of the answer; may be repeated.")  # fmt: skip
@click.option("--exception", metavar="TEXT", help='As a log has it: "module.Class: message".')
@click.option("--method", help="HTTP method of the request.")
@click.option("--url", help="Address of the request.")
@click.option("--catalog", "catalogs", multiple=True, metavar="FILE",
              type=RegularFile(),
              help="TOML file with rules of your own; may be repeated.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Write the verdict as JSON.")
def classify_command(
    body: bytes,
    status: int | None,
    provider: str | None,
    headers: dict[str, str],
    exception: str | None,
    method: str | None,
    url: str | None,
    catalogs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Say what an error of a CRM means, why, and what to do about it.

    The answer's body is read from FILE, or from standard input. Nothing is sent anywhere.
    """
    if not (body or exception or headers or status is not None):
        raise click.UsageError("give a body, a status, a header or an exception")
    try:
        catalog = builtin().extended(*catalogs) if catalogs else builtin()
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(f"crmlogging classify: {problem}", err=True)
        raise click.exceptions.Exit(2) from error
    explanation = explain(
        status=status,
        headers=headers,
        body=body,
        provider=provider,
        exception=exception,
        method=method,
        url=url,
        catalog=catalog,
    )
    if as_json:
        click.echo(json.dumps(explanation.as_json(), indent=2))
    else:
        for line in _lines(explanation):
            click.echo(line)


def _lines(explanation: Explanation) -> Iterator[str]:
    error = explanation.error
    if error is None:
        yield "No error: a success without failed parts."
        return
    yield f"{error.category.value}: {error.code}"
    yield error.summary
    yield ""
    yield "What to do"
    for label, value in _advice(error):
        yield f"  {label:12}{value}"
    yield ""
    yield "Why"
    for label, value in _grounds(explanation, error):
        yield f"  {label:12}{value}"
    if error.items:
        yield ""
        yield f"{len(error.items)} records of a bulk answer failed"
        for item in error.items[:_ITEMS_SHOWN]:
            position = "?" if item.index is None else item.index
            yield f"  [{position}] {item.category.value}: {item.code}"
        if len(error.items) > _ITEMS_SHOWN:
            yield f"  and {len(error.items) - _ITEMS_SHOWN} more"


def _advice(error: CrmError) -> Iterator[tuple[str, str]]:
    wait = error.retry_after_seconds
    if error.retryable:
        told = "" if wait is None else f", not before {wait:g} s"
        yield "retry", f"yes, with backoff and jitter{told}"
    else:
        told = "" if wait is None else f" (the answer tells of {wait:g} s)"
        yield "retry", f"no, the same request fails again{told}"
    if error.abort_run:
        yield "run", "stop: it would hit every record"
    else:
        yield "run", "go on with the other records"
    owner = "nobody" if error.retryable else error.owner.value.replace("_", " ")
    yield "who acts", f"{owner} (tier {error.tier})"
    if error.fix_url:
        yield "fix it at", error.fix_url
    if error.status_page_url and error.retryable:
        yield "status", error.status_page_url


def _grounds(explanation: Explanation, error: CrmError) -> Iterator[tuple[str, str]]:
    if error.provider:
        yield "provider", f"{error.provider}, {_KNOWN_BY.get(explanation.known_by, 'as told')}"
    evidence = _EVIDENCE.get(error.evidence, error.evidence)
    yield "rule", f"{explanation.place or error.reason}, {evidence}"
    for condition in explanation.conditions:
        yield "", condition if len(condition) <= 100 else f"{condition[:97]}..."
    if explanation.source:
        yield "source", f"{explanation.source} (checked {explanation.checked})"
    others = [each for each in explanation.candidates if each.place != explanation.place]
    for each in others[:3]:
        held = f"{each.reason} ({each.category}), {_EVIDENCE[each.evidence]}"
        yield "also holds", f"{each.place}: {held}{', weaker' if each.weak else ''}"
    if error.provider_code:
        yield "code", error.provider_code
    for field in error.fields:
        expected = f", expected {field.expected}" if field.expected else ""
        yield "field", f"{field.field}: {field.code}{expected}"
    if error.request_id:
        yield "request id", error.request_id
    yield "group", error.fingerprint
