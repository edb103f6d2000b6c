"""What was found: one finding a thing to know, and counts of what was looked at."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Final

__all__ = ["Finding", "Report"]

_KEPT: Final = 2_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know.

    Attributes:
        kind: stable name, e.g. ``torn_line``.
        path: file or folder that it is about.
        text: what it is and what to do, without any contents of the file.
        problem: something is wrong; else it is only worth knowing.
    """

    kind: str
    path: str
    text: str
    problem: bool = True


@dataclass(slots=True)
class Report:
    """All findings, problems first come, and counts.

    Attributes:
        findings: at most some thousands; `counts` has the rest as ``findings``.
        counts: ``files``, ``lines``, ``archives``, ``segments``, ``objects``, ``problems``, ...
    """

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def problem(self, kind: str, path: str, text: str) -> None:
        """Note something that is wrong."""
        self._add(Finding(kind, path, text))
        self.counts["problems"] += 1

    def hint(self, kind: str, path: str, text: str) -> None:
        """Note something worth knowing."""
        self._add(Finding(kind, path, text, problem=False))

    def _add(self, finding: Finding) -> None:
        self.counts["findings"] += 1
        if len(self.findings) < _KEPT:
            self.findings.append(finding)

    def as_json(self) -> dict[str, Any]:
        """Return it as a document."""
        return {
            "counts": dict(sorted(self.counts.items())),
            "findings": [asdict(each) for each in self.findings],
        }
