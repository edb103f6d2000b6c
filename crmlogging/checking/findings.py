"""What a check found: plain values that travel from the child process as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Finding", "HandlerView", "LoggerView", "Report"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know.

    Attributes:
        code: stable name of the kind, e.g. ``unprotected``.
        place: handler, logger or method that it is about.
        text: what it is and what to do, one sentence.
        problem: something is unprotected or suspicious; else it is only worth knowing.
    """

    code: str
    place: str
    text: str
    problem: bool = True


@dataclass(frozen=True, slots=True)
class LoggerView:
    """A logger that is configured: with handlers, filters, a level, or cut off from its parent."""

    name: str
    level: str
    propagate: bool
    disabled: bool
    handlers: list[str]
    filters: list[str]


@dataclass(frozen=True, slots=True)
class HandlerView:
    """A handler that records can reach.

    Attributes:
        place: the loggers it is on, and the handlers it stands behind.
        writes_to: file, stream, bucket or address, as configured; ``""`` where unknown.
        verdict: ``protected``, ``protected by NAME``, ``masked whole``, ``unprotected`` or
            ``writes nothing``.
        targets: the handlers it hands its records to.
        lines: what it wrote of the sample; None where the sample did not reach it.
        leaks: the sample's secrets found in that, by name, with the form.
    """

    name: str
    kind: str
    place: str
    writes_to: str
    level: str
    filters: list[str]
    formatter: str
    verdict: str
    targets: list[str]
    lines: list[str] | None = None
    leaks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """The whole outcome.

    Attributes:
        subject: the configuration or application.
        python: version it was loaded with.
        calls: source of the sample's logging calls.
        before: what the standard formatter makes of them.
    """

    subject: str
    python: str
    loggers: list[LoggerView]
    handlers: list[HandlerView]
    findings: list[Finding]
    calls: str
    before: list[str]

    @property
    def problems(self) -> list[Finding]:
        """What is unprotected or suspicious."""
        return [finding for finding in self.findings if finding.problem]

    @property
    def notes(self) -> list[Finding]:
        """What is only worth knowing."""
        return [finding for finding in self.findings if not finding.problem]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Report:
        """Return the report that `as_json` made `document` of."""
        return cls(
            **{
                **document,
                "loggers": [LoggerView(**each) for each in document["loggers"]],
                "handlers": [HandlerView(**each) for each in document["handlers"]],
                "findings": [Finding(**each) for each in document["findings"]],
            }
        )
