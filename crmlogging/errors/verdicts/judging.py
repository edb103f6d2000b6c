"""One finding and the answer around it -> one reason, by the catalog, strongest evidence first.

1. a code the provider's catalog knows, with the hints beside it   2. a code known everywhere, then
the wording of a code   3. headers   4. clear words of the message   5. the status.

A *weak* rule (``VALIDATION_ERROR``, ``FORBIDDEN``) gives way to anything clearer that follows.
"""

from __future__ import annotations

import builtins
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from crmlogging.errors.answers.bodies import Document
from crmlogging.errors.catalog import Catalog
from crmlogging.errors.catalog.rules import Provider, Rule, normal_code
from crmlogging.errors.findings.finding import Finding
from crmlogging.errors.raised.faults import Fault
from crmlogging.errors.text.late import late

__all__ = [
    "Answer",
    "Verdict",
    "judge",
    "judge_fault",
    "judge_page",
    "judge_status",
    "quotes_an_answer",
    "rules_for",
]

_SNAKE_CASE: Final = late(r"\b[a-z]{2,20}(?:_[a-z]{2,20}){1,4}\b")
_SDKS: Final = frozenset(
    (
        "activecampaign asana azure boto boto3 botocore brevo braintree close closeio_api copper "
        "facebook_business freshdesk google googleapiclient gql graphql grpc gspread hubspot "
        "intercom jira klaviyo_api mailchimp3 mailchimp_marketing mailchimp_transactional "
        "marketorestpython monday msgraph msal notion_client odata pipedrive pyairtable pyodata "
        "quickbooks salesforce_bulk salesforcepy sendgrid shopify "
        "sib_api_v3_sdk simple_salesforce slack_sdk square stripe suds twilio xero_python "
        "zcrmsdk zdesk zeep zenpy zohocrmsdk"
    ).split()
)
"""Packages whose exceptions quote the answer of a service."""
_OF_THE_SERVER: Final = frozenset((500, 520))
_CLOUDFLARE: Final = late(r"\berror(?: code)?:? (1\d{3}|52\d|530)\b")


@dataclass(slots=True)
class Answer:
    """The answer as rules see it."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = ""
    host: str = ""
    path: str = ""
    kind: str = "empty"
    timed: bool = False
    """A clock had its say in what was read of it."""
    limited: bool = False
    """The headers of a limit had."""

    def clock(self) -> float:
        """Return the time, and note that it was asked for."""
        self.timed = True
        return time.time()


class Verdict(NamedTuple):
    """The rule that decided, and by what."""

    rule: Rule
    evidence: str
    code: str = ""


def judge(
    finding: Finding, answer: Answer, provider: Provider | None, catalog: Catalog
) -> Verdict | None:
    """Return what `finding` means, or None when not even the status says anything."""
    words = ""
    if finding.messages:
        words = finding.words
    if finding.status is not None and answer.status is not None and answer.status < 300:
        answer = replace(answer, status=finding.status)
    elif finding.mapped and answer.status in _OF_THE_SERVER:
        answer = replace(answer, status=422)  # who finds fault with fields has read the request
    spelled = finding.ordered_codes()
    if answer.kind == "xml":  # "sf:INVALID_SESSION_ID": the prefix is the document's own
        spelled = [form for code in spelled for form in (code, code.rpartition(":")[2])]
    own = [normal_code(code) for code in spelled]
    named = [normal_code(code) for code in finding.details]
    below = [*named, *map(normal_code, finding.quoted)]
    hints = {*own, *below, *map(normal_code, finding.hints)}
    weak: Verdict | None = None
    for code in own:
        for rule in rules_for(code, provider, catalog):
            if rule.holds(answer, words, hints):
                if not rule.weak:
                    return Verdict(rule, "code", code)
                weak = weak or Verdict(rule, "code", code)
    for rule in provider.conditions if provider is not None else ():
        if rule.holds(answer, words, hints):
            if not rule.weak:
                return Verdict(rule, "wording" if rule.wording else "header")
            weak = weak or Verdict(rule, "wording")
    if below:
        verdict = _judge_details(below, named, answer, provider, catalog, words, hints)
        if verdict is not None and not verdict.rule.weak:
            return verdict
        weak = weak or verdict
    return _judge_rest(answer, catalog, words, hints, weak)


def _judge_details(
    below: list[str],
    named: list[str],
    answer: Answer,
    provider: Provider | None,
    catalog: Catalog,
    words: str,
    hints: set[str],
) -> Verdict | None:
    """Judge by codes below the own ones; by a weak rule only what the body has as a code."""
    weak: Verdict | None = None
    for code in below:
        for rule in rules_for(code, provider, catalog):
            if rule.holds(answer, words, hints):
                if rule.weak:
                    weak = weak or (Verdict(rule, "code", code) if code in named else None)
                    break
                # A word in a sentence that no catalog names may be a value: it is not repeated.
                told = code if code in named or catalog.knows(code, provider) else ""
                return Verdict(rule, "code", told)
    return weak


def _judge_rest(
    answer: Answer, catalog: Catalog, words: str, hints: set[str], weak: Verdict | None
) -> Verdict | None:
    rules, names = catalog.requested
    if not names or not names.isdisjoint(answer.headers):
        for rule in rules:
            if rule.holds(answer, words, hints):
                if not rule.weak:
                    return Verdict(rule, "header")
                weak = weak or Verdict(rule, "header")
    if words:
        strong, worded = catalog.worded(words, answer)
        if strong is not None:
            return Verdict(strong, "wording")
        if weak is None and worded is not None:
            weak = Verdict(worded, "wording")
    return weak or judge_status(answer, catalog)


def judge_status(answer: Answer, catalog: Catalog) -> Verdict | None:
    """Return what the status alone means."""
    status = answer.status
    if status is None or status == 304:
        return None
    # A failure within a success: that part is rejected.
    status = 400 if status < 300 else status
    rule = catalog.statuses.get(status)
    if rule is None:
        rule = catalog.statuses.get(500 if 500 <= status < 600 else 400 if status < 500 else -1)
    return None if rule is None else Verdict(rule, "status")


def rules_for(code: str, provider: Provider | None, catalog: Catalog) -> Iterator[Rule]:
    """Yield the rules for a normal code: the provider's, everybody's, else those of its words."""
    known = catalog.generic.by_code.get(code, ())
    if provider is not None:
        yield from provider.by_code.get(code, ())
    yield from known
    if not any(rule.plain for rule in known):
        yield from catalog.families_of(code)


def judge_page(document: Document, answer: Answer, finding: Finding) -> None:
    """Take the number that Cloudflare's pages show as the code of `finding`."""
    words = document.text.lower()
    if (
        "cloudflare" in answer.headers.get("server", "").lower()
        or "cf-ray" in answer.headers
        or ("cloudflare" in words or words.startswith("error code: "))
    ):
        match = _CLOUDFLARE.search(words)
        if match is not None:
            finding.codes.append((0, match[1]))


def judge_fault(fault: Fault, answer: Answer, catalog: Catalog) -> Verdict | None:
    """Return what an exception without an answer means; None if its class says nothing."""
    network = catalog.network
    if fault.code:
        code = normal_code(fault.code)
        coded = (*catalog.generic.by_code.get(code, ()), *catalog.families_of(code))
        for rule in coded:
            if rule.holds(answer, "", {code}):
                return Verdict(rule, "code", code)
    words = f"{' '.join(fault.names)} {fault.text}".lower()
    for rule in network.conditions:
        if rule.holds(answer, words, set()):
            return Verdict(rule, "exception")
    weak: Verdict | None = None
    for name in fault.names:
        for code in (normal_code(name), normal_code(name.rpartition(".")[2])):
            for rule in network.by_code.get(code, ()):
                if not rule.weak:
                    return Verdict(rule, "exception", code)
                weak = weak or Verdict(rule, "exception", code)
    return weak or _judge_class(fault, answer, catalog) or _judge_words(fault, answer, catalog)


def quotes_an_answer(fault: Fault) -> bool:
    """Whether an exception is an SDK's, whose text names fields where its service names them.

    Any other text is made in this program, of a value as likely as of a name: ``x is required``.
    """
    return any(name.partition(".")[0] in _SDKS for name in fault.names)


def _of_this_program(fault: Fault) -> bool:
    """Whether an exception is made of built-ins, which speak of this program, not of an answer."""
    return all(name.rpartition(".")[0] in ("builtins", "") for name in fault.names)


def _judge_words(fault: Fault, answer: Answer, catalog: Catalog) -> Verdict | None:
    """Judge by what an SDK's error says; what built-ins say is about this program."""
    if _of_this_program(fault):
        return None
    if answer.status is None:
        answer = replace(answer, status=400)
    for word in _SNAKE_CASE.findall(fault.text[:2_000])[:8]:
        code = normal_code(word)
        for rule in catalog.generic.by_code.get(code, ()):
            if not rule.weak and rule.holds(answer, "", {code}):
                return Verdict(rule, "exception")
    strong, _ = catalog.worded(fault.text[:2_000].lower(), answer)
    return None if strong is None else Verdict(strong, "exception")


def _judge_class(fault: Fault, answer: Answer, catalog: Catalog) -> Verdict | None:
    """Judge by the words of an SDK's class (``InvalidTokenException``); built-ins say nothing."""
    for name in fault.names:
        module, _, bare = name.rpartition(".")
        if module in ("builtins", "") and hasattr(builtins, bare):
            continue
        for rule in catalog.families_of(normal_code(bare)):
            if rule.holds(answer, "", set()):
                return Verdict(rule, "exception", normal_code(bare))
    return None
