"""The catalog's rows as objects: reasons, rules with their conditions, providers.

A rule holds when every condition it names holds. Patterns are compiled at first use: loading is
then a matter of milliseconds, and most processes meet few of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from crmlogging.errors.model import Category, Owner, Recoverability

__all__ = ["Case", "Pattern", "Provider", "Reason", "Rule", "normal_code"]

_RETRIED: Final = frozenset({Category.TRANSIENT, Category.UNREACHABLE})
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS: Final = re.compile(r"[^A-Z0-9]+")
_LITERAL: Final = re.compile(r"(?:\\b)?([a-z0-9 '-]+)")
_CODES_KEPT: Final = 4_096

_normal_codes: dict[str, str] = {}


def normal_code(code: str) -> str:
    """Return `code` in the one spelling rules use: upper case words joined by underscores.

    Example:
        >>> normal_code("InvalidSessionId"), normal_code("/IWBEP/CM_MGW_RT/020")
        ('INVALID_SESSION_ID', 'IWBEP_CM_MGW_RT_020')
    """
    known = _normal_codes.get(code)
    if known is None:
        words = code if code.isupper() else _CAMEL.sub("_", code.replace("OAuth", "Oauth")).upper()
        known = _SEPARATORS.sub("_", words).strip("_")
        if len(_normal_codes) >= _CODES_KEPT:
            _normal_codes.clear()
        _normal_codes[code] = known
    return known


class Pattern:
    """Alternatives searched in lower-case text; compiled when one of them can match at all."""

    __slots__ = ("_compiled", "_literals", "sources")

    def __init__(self, sources: Sequence[str]) -> None:
        self.sources = tuple(sources)
        self._compiled: re.Pattern[str] | None = None
        self._literals: tuple[str, ...] | None = None

    def compiled(self) -> re.Pattern[str]:
        """Return the one pattern; raises re.error when a source is none."""
        if self._compiled is None:
            self._compiled = re.compile("|".join(f"(?:{source})" for source in self.sources))
        return self._compiled

    def found_in(self, text: str) -> bool:
        """Whether one of the alternatives occurs in `text`."""
        literals = self._literals
        if literals is None:
            found = tuple(map(_leading_literal, self.sources))
            literals = self._literals = found if all(found) else ()
        if literals and not any(literal in text for literal in literals):
            return False
        return self.compiled().search(text) is not None


def _leading_literal(source: str) -> str:
    """Return plain text that every match of `source` starts with, or ""."""
    if "|" in re.sub(r"\([^()]*\)", "", source):
        return ""
    match = _LITERAL.match(source)
    if match is None:
        return ""
    literal, after = match[1], source[match.end() :]
    return literal[:-1] if after[:1] in ("?", "*", "{") else literal


@dataclass(frozen=True, slots=True)
class Reason:
    """What an error means, whoever reports it (``reasons.toml``)."""

    name: str
    category: Category
    summary: str
    label: str
    run: bool
    owner: Owner
    tier: int
    limit: bool = False
    echo: bool = False

    about_fields: bool = field(init=False)
    """A sentence about it may name the fields at fault."""
    retryable: bool = field(init=False)
    """The same request may succeed later."""
    actionable: bool = field(init=False)
    """Somebody has to act."""
    recoverability: Recoverability = field(init=False)
    """What it takes to get over it."""

    def __post_init__(self) -> None:
        # Once a reason rather than once an error.
        retryable = self.category in _RETRIED
        actionable = not retryable and self.category is not Category.UNKNOWN
        recoverability = Recoverability.SYSTEM_FATAL
        if actionable:
            recoverability = Recoverability.USER_ACTIONABLE
        elif retryable:
            recoverability = Recoverability.SYSTEM_RECOVERABLE
        for name, value in (
            ("about_fields", "{fields}" in self.summary),
            ("retryable", retryable),
            ("actionable", actionable),
            ("recoverability", recoverability),
        ):
            object.__setattr__(self, name, value)


class Case(Protocol):
    """What a rule's conditions look at."""

    status: int | None
    headers: Mapping[str, str]
    method: str
    host: str
    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the catalog.

    Attributes:
        name: where it stands, for explanations.
        reason: what it means when it holds.
        codes: normal spellings of codes, any of them.
        family: pattern over ``_NORMAL_CODE_``.
        hints: normal spellings of which one must stand beside the code.
        wording: pattern over the message.
        unless: pattern over the message that must not occur.
        statuses, not_statuses: HTTP statuses.
        methods: HTTP methods.
        headers: lower-case header name to a pattern over its value.
        host, path, not_path: patterns over the URL.
        kinds: kinds of body (``html``, ``text``, ``xml``, ``json``, ``empty`` ...).
        weak: holds only where nothing stronger is found.
        run: overrides the reason's scope.
        link: template of the page where it is fixed.
    """

    name: str
    reason: Reason
    codes: tuple[str, ...] = ()
    family: Pattern | None = None
    hints: frozenset[str] = frozenset()
    wording: Pattern | None = None
    unless: Pattern | None = None
    statuses: frozenset[int] = frozenset()
    not_statuses: frozenset[int] = frozenset()
    methods: frozenset[str] = frozenset()
    headers: tuple[tuple[str, Pattern], ...] = ()
    host: Pattern | None = None
    path: Pattern | None = None
    not_path: Pattern | None = None
    kinds: frozenset[str] = frozenset()
    weak: bool = False
    run: bool = False
    link: str = ""
    source: str = ""
    checked: str = ""
    plain: bool = False
    """No condition but its codes or family: the fast way."""

    @property
    def worded(self) -> bool:
        """Depends on words, status and kind of body alone: what it says can be remembered."""
        request = (self.methods, self.headers, self.host, self.path, self.not_path, self.hints)
        return self.wording is not None and not any(request)

    def holds(self, case: Case, words: str, hints: frozenset[str] | set[str]) -> bool:
        """Whether all conditions hold besides `codes` and `family`.

        Args:
            case: the answer.
            words: lower-case message of the part that is judged.
            hints: normal codes that stand in that part.
        """
        if self.plain:
            return True
        return (
            (not self.statuses or case.status in self.statuses)
            and case.status not in self.not_statuses
            and (not self.hints or not self.hints.isdisjoint(hints))
            and (not self.kinds or case.kind in self.kinds)
            and (not self.methods or case.method in self.methods)
            and (self.wording is None or self.wording.found_in(words))
            and (self.unless is None or not self.unless.found_in(words))
            and self._fits_request(case)
        )

    def _fits_request(self, case: Case) -> bool:
        return (
            (self.host is None or self.host.found_in(case.host))
            and (self.path is None or self.path.found_in(case.path.lower()))
            and (self.not_path is None or not self.not_path.found_in(case.path.lower()))
            and all(
                name in case.headers and pattern.found_in(case.headers[name].lower())
                for name, pattern in self.headers
            )
        )


@dataclass(frozen=True, slots=True)
class Provider:
    """One vendor: how to know it, how it spells things, its rules and links."""

    name: str
    title: str
    aliases: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    """Response headers that only this vendor sends (lower case; a trailing ``*`` is a prefix)."""
    shapes: tuple[frozenset[str], ...] = ()
    """Sets of keys at the top of a body that only this vendor uses."""
    code_keys: tuple[str, ...] = ()
    """Keys that hold the code, most specific first, where the general order would be wrong."""
    id_keys: tuple[str, ...] = ()
    id_headers: tuple[str, ...] = ()
    status_page: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    link_hosts: tuple[str, ...] = ()
    """Suffixes that a link's ``{host}`` may end in."""
    login_host: str = ""
    """What stands for ``{host}`` where the request went to another one."""
    by_code: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    families: tuple[Rule, ...] = ()
    conditions: tuple[Rule, ...] = ()
    ranks: Mapping[str, int] = field(default_factory=dict)
    """Key of a code to its rank, from `code_keys`."""
