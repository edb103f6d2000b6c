"""One answer or exception on its way to a `CrmError`: read it, judge its causes, choose one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crmlogging.errors.answers.bodies import Document, read_body
from crmlogging.errors.answers.headers import header_code, lower_headers
from crmlogging.errors.catalog import Catalog
from crmlogging.errors.catalog.rules import Provider
from crmlogging.errors.findings.finding import Finding
from crmlogging.errors.findings.ids import worded_id
from crmlogging.errors.findings.reading import Reading
from crmlogging.errors.model import CrmError
from crmlogging.errors.raised.faults import Fault, read_fault
from crmlogging.errors.verdicts.building import build
from crmlogging.errors.verdicts.judging import (
    Answer,
    Verdict,
    judge,
    judge_fault,
    judge_page,
    quotes_an_answer,
)
from crmlogging.errors.verdicts.operations import split_url
from crmlogging.errors.verdicts.providers import detect, slug_of

__all__ = ["Case", "valid_status"]

_HEADER_RANK: Final = 5
_TOLD_CHARACTERS: Final = 1_000
_NO_RANKS: Final[Mapping[str, int]] = {}
# Of several causes in one answer: what stops most comes first (and echoes last).
_PRECEDENCE: Final = {
    name: number
    for number, name in enumerate(
        ("auth", "plan", "permissions", "validation", "transient", "unreachable", "unknown")
    )
}


def valid_status(status: object) -> int | None:
    """Return an HTTP status given as a number or its digits, or None."""
    if isinstance(status, str) and status.strip().isdigit():
        status = int(status.strip()[:4])
    if not isinstance(status, int) or isinstance(status, bool):
        return None
    return int(status) if 100 <= status < 1000 else None


class Case:
    """One call of `classify`.

    Attributes:
        id_place: where the body told the id of the request, see `Reading`.
    """

    def __init__(
        self,
        catalog: Catalog,
        status: Any,
        headers: Any,
        body: Any,
        provider: Any,
        exception: Any,
        method: Any,
        url: Any,
        document: Document | None = None,
    ) -> None:
        self.catalog = catalog
        self.fault: Fault | None = None if exception is None else read_fault(exception)
        self.id_place: tuple[Any, str] | None = None
        exchange = None if self.fault is None else self.fault.exchange
        if exchange is not None:
            status = exchange.status if status is None else status
            headers = headers or exchange.headers
            body = exchange.body if body is None or body == "" else body
            method = method or exchange.method
            url = url or exchange.url
        host, path = split_url(url)
        self.answer = Answer(
            status=valid_status(status),
            headers=lower_headers(headers),
            method=method.upper() if isinstance(method, str) and len(method) <= 16 else "",
            host=host,
            path=path,
        )
        if document is None:
            document = read_body(body, self.answer.headers.get("content-type", ""))
        self.document = document
        self.answer.kind = self.document.kind
        self.provider = detect(catalog, provider, host, self.answer.headers, self.document.tree)
        self.slug = self.provider.name if self.provider is not None else slug_of(provider)

    def classified(self) -> CrmError | None:
        """Return the error of this case, or None for a success."""
        status = self.answer.status
        if status is None and self.document.kind == "empty":
            return self._from_fault()
        good = self._good
        reading = self._read(good)
        causes = _causes(reading, good)
        if causes:
            return self._from_causes(causes, reading)
        if good:
            return self._good_status(reading)
        return (
            None
            if status is None and self.fault is None
            else self._from_causes([Finding()], reading)
        )

    @property
    def _good(self) -> bool:
        status = self.answer.status
        # gRPC tells its outcome beside HTTP's 200 (PROTOCOL-HTTP2, "Responses").
        called = self.answer.headers.get("grpc-status", "0").strip() == "0"
        return status is not None and (status < 300 or status == 304) and called

    def causes(self) -> list[Finding]:
        """Return what the body tells of causes, for an explanation."""
        good = self._good
        return _causes(self._read(good), good) or ([] if good else [Finding()])

    def _read(self, good: bool) -> Reading:
        provider = self.provider
        reading = Reading(
            ranks=_ranks(provider),
            id_keys=provider.id_keys if provider is not None else (),
            good=good,
            headers=self.answer.headers,
            clock=self.answer.clock,
            status=self.answer.status,
        )
        document = self.document
        if document.tree is not None:
            reading.read(document.tree)
        unread = document.tree is None or (document.kind == "broken" and not _told(reading))
        if unread and document.text and self.answer.status is not None and not good:
            reading.read_text(document.text)
            judge_page(document, self.answer, reading.findings[-1])
        if reading.request_id is None and not good:
            reading.request_id = worded_id(m for f in reading.findings[:8] for m in f.messages[:8])
            if reading.request_id is not None:
                reading.id_place = None, ""  # in a sentence: the same whenever that is
        self.id_place = reading.id_place
        if not good and self.answer.headers:
            code = header_code(self.answer.headers)
            if code is not None:
                reading.findings = reading.findings or [Finding(failed=True)]
                if not reading.findings[0].codes:
                    reading.findings[0].codes.append((_HEADER_RANK, code))
        return reading

    def _good_status(self, reading: Reading) -> CrmError | None:
        """A success, unless it is a login page or not the format that was due."""
        document, answer = self.document, self.answer
        reason = _spoilt(document, answer)
        if reason:
            verdict = Verdict(self.catalog.rule_for(reason), "body")
            return self._built(verdict, Finding(), reading)
        return None if self.fault is None else self._from_fault()

    def _from_causes(self, causes: list[Finding], reading: Reading) -> CrmError | None:
        judged: list[tuple[Finding, Verdict]] = []
        for cause in causes:
            verdict = judge(cause, self.answer, self.provider, self.catalog)
            if verdict is not None:
                judged.append((cause, verdict))
        if not judged:
            return self._unjudged(causes, reading)
        if self.fault is not None and all(v.evidence == "status" for _, v in judged):
            named = judge_fault(self.fault, self.answer, self.catalog)
            if named is not None and named.evidence == "code":
                judged = [(judged[0][0], named)]
        return build(
            self.catalog,
            *_foremost(judged),
            answer=self.answer,
            provider=self.provider,
            slug=self.slug,
            reading=reading,
            judged=judged,
        )

    def _unjudged(self, causes: list[Finding], reading: Reading) -> CrmError | None:
        """No rule holds: the exception decides, or it is unknown, if it is an error at all."""
        if self.fault is not None:
            return self._from_fault()
        if self.answer.status is None and not any(cause.failed for cause in causes):
            return None
        return self._built(Verdict(self.catalog.unknown, "none"), causes[0], reading)

    def _from_fault(self) -> CrmError | None:
        if self.fault is None:
            return None
        verdict = judge_fault(self.fault, self.answer, self.catalog)
        if verdict is None:
            verdict = Verdict(self.catalog.unknown, "none")
        finding = Finding()
        if self.fault.code and verdict.evidence == "code":
            finding.codes.append((0, self.fault.code))
        if verdict.rule.reason.about_fields and quotes_an_answer(self.fault):
            finding.messages.append(self.fault.text[:_TOLD_CHARACTERS])
        unknown = verdict.evidence == "none"
        return self._built(verdict, finding, None, tuple(self.fault.names) if unknown else ())

    def _built(
        self,
        verdict: Verdict,
        finding: Finding,
        reading: Reading | None,
        names: tuple[str, ...] = (),
    ) -> CrmError:
        return build(
            self.catalog,
            verdict,
            finding,
            answer=self.answer,
            provider=self.provider,
            slug=self.slug,
            reading=reading,
            names=names,
        )


def _causes(reading: Reading, good: bool) -> list[Finding]:
    return [f for f in reading.findings if f.failed or (not good and f.failed is None)]


def _told(reading: Reading) -> bool:
    return not all(finding.empty for finding in reading.findings)


def _ranks(provider: Provider | None) -> Mapping[str, int]:
    return _NO_RANKS if provider is None else provider.ranks


def _spoilt(document: Document, answer: Answer) -> str:
    """Name what is wrong with the body of a success, or return ""."""
    if document.kind == "broken":
        return "TRUNCATED"
    if document.kind == "html":
        page = document.text.lower()
        login = "[password field]" in page or any(w in page for w in ("log in", "sign in", "login"))
        return "LOGIN_PAGE" if login else "TRUNCATED"
    if document.kind in ("text", "binary") and "json" in answer.headers.get("content-type", ""):
        return "TRUNCATED" if document.tree is None else ""
    return ""


def _foremost(judged: list[tuple[Finding, Verdict]]) -> tuple[Verdict, Finding]:
    best = judged[0]
    if len(judged) > 1:
        best = min(
            judged,
            key=lambda pair: (
                pair[1].rule.reason.echo,
                _PRECEDENCE[pair[1].rule.reason.category.value],
            ),
        )
    return best[1], best[0]
