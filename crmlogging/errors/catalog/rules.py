"""The catalog's rows as objects: reasons, rules with their conditions, providers.

A rule holds when every condition it names holds. A provider's rules are made of their rows when
they are first asked for: a process meets few providers. To define a dataclass of so many fields
takes milliseconds, which the first error would pay; nothing here is written to once it is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, Protocol

from crmlogging.errors.catalog.patterns import Alternative, Data, Pattern
from crmlogging.errors.model import Category, Owner, Recoverability

__all__ = ["AnswerLike", "Provider", "Reason", "Row", "Rule", "normal_code"]

Row = Mapping[str, Any]
"""A rule, a reason or a provider as plain values, as `crmlogging.errors.catalog.parsing` writes."""

_RETRIED: Final = frozenset({Category.TRANSIENT, Category.UNREACHABLE})
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS: Final = re.compile(r"[^A-Z0-9]+")
_CODES_KEPT: Final = 4_096
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})

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


class Reason:
    """What an error means, whoever reports it (``reasons.toml``).

    Attributes:
        name, category, summary, label, run, owner, tier, limit, echo: as the table has them.
        about_fields: a sentence about it may name the fields at fault.
        retryable: the same request may succeed later.
        actionable: somebody has to act.
        recoverability: what it takes to get over it.
    """

    def __init__(self, name: str, row: Row) -> None:
        self.name = name
        self.category = Category(row["category"])
        self.summary: str = row["summary"]
        self.label: str = row["label"]
        self.run: bool = row["run"]
        self.owner = Owner(row["owner"])
        self.tier: int = row["tier"]
        self.limit: bool = row["limit"]
        self.echo: bool = row["echo"]
        self.about_fields = "{fields}" in self.summary
        self.retryable = self.category in _RETRIED
        self.actionable = not self.retryable and self.category is not Category.UNKNOWN
        self.recoverability = Recoverability.SYSTEM_FATAL
        if self.actionable:
            self.recoverability = Recoverability.USER_ACTIONABLE
        elif self.retryable:
            self.recoverability = Recoverability.SYSTEM_RECOVERABLE


class AnswerLike(Protocol):
    """What a rule's conditions look at, of an answer."""

    status: int | None
    headers: Mapping[str, str]
    method: str
    host: str
    path: str
    kind: str


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
        plain: no condition but its codes or family: the fast way.
        run: it would hit every record of a run.
        link: template of the page where it is fixed.
        source, checked: the page it was taken from, and when that was looked at.
    """

    __slots__ = (
        *("name", "reason", "codes", "family", "hints", "wording", "unless", "statuses"),
        *("not_statuses", "methods", "headers", "host", "path", "not_path", "kinds", "weak"),
        *("plain", "run", "link", "source", "checked"),
    )

    def __init__(self, row: Row, reason: Reason) -> None:
        get = row.get
        self.name: str = row["name"]
        self.reason = reason
        self.codes: tuple[str, ...] = tuple(get("codes", ()))
        self.family = _pattern(get("family"))
        self.hints: frozenset[str] = frozenset(get("hints", ()))
        self.wording = _pattern(get("wording"))
        self.unless = _pattern(get("unless"))
        self.statuses: frozenset[int] = frozenset(get("statuses", ()))
        self.not_statuses: frozenset[int] = frozenset(get("not_statuses", ()))
        self.methods: frozenset[str] = frozenset(get("methods", ()))
        self.headers = tuple((name, Pattern(data)) for name, data in get("headers", _NONE).items())
        self.host = _pattern(get("host"))
        self.path = _pattern(get("path"))
        self.not_path = _pattern(get("not_path"))
        self.kinds: frozenset[str] = frozenset(get("kinds", ()))
        self.weak: bool = get("weak", False)
        self.plain: bool = get("plain", False)
        self.run: bool = get("run", reason.run)
        self.link: str = get("link", "")
        self.source: str = get("source", "")
        self.checked: str = get("checked", "")

    @property
    def worded(self) -> bool:
        """Depends on words, status and kind of body alone: what it says can be remembered."""
        request = (self.methods, self.headers, self.host, self.path, self.not_path, self.hints)
        return self.wording is not None and not any(request)

    def holds(self, answer: AnswerLike, words: str, hints: Set[str], *, said: bool = False) -> bool:
        """Whether all conditions hold besides `codes` and `family`.

        Args:
            answer: to judge.
            words: lower-case message of the part that is judged.
            hints: normal codes that stand in that part.
            said: it is known that `wording` holds.
        """
        if self.plain:
            return True
        return (
            (not self.statuses or answer.status in self.statuses)
            and answer.status not in self.not_statuses
            and (not self.hints or not self.hints.isdisjoint(hints))
            and (not self.kinds or answer.kind in self.kinds)
            and (not self.methods or answer.method in self.methods)
            and (said or self.wording is None or self.wording.found_in(words))
            and (self.unless is None or not self.unless.found_in(words))
            and self._fits_request(answer)
        )

    def _fits_request(self, answer: AnswerLike) -> bool:
        return (
            (self.host is None or self.host.found_in(answer.host))
            and (self.path is None or self.path.found_in(answer.path.lower()))
            and (self.not_path is None or not self.not_path.found_in(answer.path.lower()))
            and all(
                name in answer.headers and pattern.found_in(answer.headers[name].lower())
                for name, pattern in self.headers
            )
        )


def _pattern(data: list[Data] | None) -> Pattern | None:
    return None if data is None else Pattern(data)


class Provider:
    """One vendor: how to know it, how it spells things, its rules and links.

    Attributes:
        marks: response headers that only this vendor sends (lower case; a trailing ``*`` is a
            prefix).
        shapes: sets of keys at the top of a body that only this vendor uses.
        code_keys: keys that hold the code, most specific first, where the general order would be
            wrong.
        link_hosts: suffixes that a link's ``{host}`` may end in.
        login_host: what stands for ``{host}`` where the request went to another one.

    What holds for all vendors is a provider without a name.
    """

    name: str = ""
    title: str = "the provider"
    aliases: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    shapes: tuple[frozenset[str], ...] = ()
    code_keys: tuple[str, ...] = ()
    id_keys: tuple[str, ...] = ()
    id_headers: tuple[str, ...] = ()
    status_page: str = ""
    links: Mapping[str, str] = _NONE
    link_hosts: tuple[str, ...] = ()
    login_host: str = ""

    def __init__(self, row: Row, rows: list[Row], reasons: Mapping[str, Reason]) -> None:
        vars(self).update({k: tuple(v) if type(v) is list else v for k, v in row.items()})
        self.shapes = tuple(map(frozenset, row.get("shapes", ())))
        if self.name:
            self.title = row.get("title", self.name)
        self._rows, self._reasons = rows, reasons

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Its rules, in order."""
        return tuple(Rule(row, self._reasons[row["reason"]]) for row in self._rows)

    @cached_property
    def by_code(self) -> Mapping[str, tuple[Rule, ...]]:
        """Normal code to the rules that name it."""
        found: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules:
            for code in rule.codes:
                found[code] = (*found.get(code, ()), rule)
        return found

    @cached_property
    def families(self) -> tuple[Rule, ...]:
        """The rules about words of a code."""
        return tuple(rule for rule in self.rules if rule.family is not None)

    @cached_property
    def conditions(self) -> tuple[Rule, ...]:
        """The rules that ask for no code."""
        return tuple(rule for rule in self.rules if rule.family is None and not rule.codes)

    @cached_property
    def wordings(self) -> tuple[tuple[Rule, Alternative], ...]:
        """What rules look for in words, where these alone decide, with the rule."""
        return _each((rule, rule.wording) for rule in self.conditions if rule.worded)

    @cached_property
    def spellings(self) -> tuple[tuple[Rule, Alternative], ...]:
        """What rules look for in codes, with the rule."""
        return _each((rule, rule.family) for rule in self.families)

    @cached_property
    def ranks(self) -> Mapping[str, int]:
        """Key of a code to its rank, from `code_keys`."""
        return {key: rank for rank, key in enumerate(self.code_keys)}


def _each(
    pairs: Iterable[tuple[Rule, Pattern | None]],
) -> tuple[tuple[Rule, Alternative], ...]:
    return tuple((rule, each) for rule, p in pairs if p is not None for each in p.alternatives)
