"""What is known of a failure from those before it, told at a glance.

Two questions need no thought when their like was answered before: an exception that carries an
answer (`crmlogging.errors.memory.answers`), and one whose class and words are all there is. Words
that differ in numbers alone mean the same, once it is certain that nobody reads those numbers.

Of words and answers only hashes are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Final

from crmlogging.errors.catalog import Catalog
from crmlogging.errors.catalog.literals import Index, numbers_of
from crmlogging.errors.catalog.patterns import Alternative, Data, source_of
from crmlogging.errors.memory.answers import memory_of
from crmlogging.errors.model import CrmError
from crmlogging.errors.raised.faults import Fault, told_fault
from crmlogging.errors.raised.glance import (
    KINDS,
    READ_FIRST,
    SCALARS,
    answer_among,
    glance_at,
    links_of,
    words_of,
)
from crmlogging.errors.text.late import late
from crmlogging.errors.verdicts.case import Case

__all__ = ["Recall", "recall_of"]

_WORDS_KEPT: Final = 1_024
_MAX_CHARACTERS: Final = 1_500
"""Length of words beyond which they are not remembered; all of it is read."""
# Of bytes, of which each is looked up in no time; a digit is one byte, and no part of another.
_ZEROS: Final = bytes.maketrans(b"123456789", b"0" * 9)
_RUN: Final = re.compile(r"[0-9]+")
_LONG: Final = re.compile(r"[0-9]{5,}")
_ADDRESS: Final = re.compile(r"\b0x[0-9a-f]{4,16}\b")
_PROBES: Final = ("0", "401", "429", "503", "17", "999999999999999999")
"""What to try in place of numbers, repeated and cut to their length."""
_QUANTIFIER: Final = late(r"\{[0-9,]*\}")
_LITERAL: Final = late(r"[0-9]+(?:\[[0-9-]+\])?")
_HEX: Final = late(r"[0-9a-f]+")


class Recall:
    """What is known of failures, by the rules of one catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._memory = memory_of(catalog)
        self._words: dict[int, CrmError] = {}
        # Words, save their numbers, that were met: do the numbers matter?
        self._met: dict[int, bool] = {}
        self._once: set[int] = set()

    @property
    def size(self) -> int:
        """How many words are remembered."""
        return len(self._words) + len(self._met)

    def error_like(self, raised: BaseException, provider: str | None) -> CrmError | None:
        """Return the error that `raised` amounts to, but for its request's id and its delay.

        Returns:
            None where that takes a closer look.
        """
        kind = KINDS[type(raised)]
        if not kind.links:
            return None
        response = None
        # The usual one by the straight way: nothing before it, and plain arguments.
        if raised.__cause__ is None and (raised.__context__ is None or raised.__suppress_context__):
            attributes = raised.__dict__
            for each in raised.args:
                if type(each) not in SCALARS:
                    break
            else:
                if not attributes:
                    return self._of_text(kind.number, raised, provider) if kind.speaks else None
                if READ_FIRST.isdisjoint(attributes):
                    response = attributes.get("response")
        if response is None:
            links = links_of(raised)
            if links is None:
                return None
            response = answer_among(links)
            if response is None:
                return self._of_words(links, provider)
        glance = glance_at(response)
        if glance is None:
            return None
        try:
            error = self._memory.recall(glance, provider)
        except (LookupError, TypeError, ValueError):  # headers or a body that are no text
            return None
        # None of the links has a code, so that what the status says stands.
        return error if error is not None and error.evidence != "none" else None

    def of_words(self, raised: BaseException, provider: str | None) -> CrmError | None:
        """Return the error that `raised` is, if it has nothing but words; None if unknown."""
        links = links_of(raised)
        if links is None or answer_among(links) is not None:
            return None
        return self._of_words(links, provider)

    def _of_words(self, links: list[BaseException], provider: str | None) -> CrmError | None:
        told = words_of(links)
        if told is None:
            return None
        return self._known(told[0], told[1], provider)

    def _of_text(self, number: int, raised: BaseException, provider: str | None) -> CrmError | None:
        """Do the same for a lone exception, whose class has that number."""
        try:
            text = str(raised)
        except Exception:  # noqa: BLE001  # such as the name of a file that is no text
            return None
        return self._known(number, text, provider)

    def _known(self, kinds: object, text: str, provider: str | None) -> CrmError | None:
        plain = _ADDRESS.sub("0x0", text) if "0x" in text else text
        alike = plain.encode("utf-8", "surrogatepass").translate(_ZEROS)
        key = hash((provider, kinds, alike))
        known = self._words.get(key)
        if known is None and self._met.get(key):
            key = hash((key, _LONG.sub("00000", _without_addresses(text))))
            known = self._words.get(key)
            if known is None and self._met.get(key):
                known = self._words.get(hash((key, text)))
        return known

    def learn(
        self, raised: BaseException, provider: str | None, fault: Fault, error: CrmError
    ) -> None:
        """Remember what `raised`, read as `fault`, turned out to be."""
        if fault.exchange is not None or fault.code or len(fault.text) > _MAX_CHARACTERS:
            return
        links = links_of(raised)
        told = None if links is None or answer_among(links) is not None else words_of(links)
        if told is None or told[1] != fault.text:
            return
        kinds, text = told
        if max(len(self._words), len(self._met)) >= _WORDS_KEPT:
            self._words.clear()
            self._met.clear()
            self._once.clear()
        key = hash((provider, kinds, _alike(text)))
        if self._settled(key, _RUN, fault, provider, error):
            return
        key = hash((key, _LONG.sub("00000", _without_addresses(text))))
        if self._settled(key, _LONG, fault, provider, error):
            return
        if self._is(error, fault.names, text, provider):
            self._words[hash((key, text))] = error

    def _settled(
        self,
        key: int,
        runs: re.Pattern[str],
        fault: Fault,
        provider: str | None,
        error: CrmError,
    ) -> bool:
        """Remember `error` unless the numbers that `runs` finds matter; tell whether they do not.

        What comes once need not be known.
        """
        matters = self._met.setdefault(key, False)
        if not matters and key in self._once:
            matters = self._met[key] = not self._holds(runs, fault, provider, error)
            if not matters:
                self._words[key] = error
        self._once.add(key)
        return not matters

    def _holds(
        self, runs: re.Pattern[str], fault: Fault, provider: str | None, error: CrmError
    ) -> bool:
        """Whether the error is the same whatever numbers `fault` tells in such places."""
        text, names = _without_addresses(fault.text), " ".join(fault.names)
        if text is not fault.text and self._has_hex_rule:
            return False
        if runs.search(text) is None:
            return self._is(error, fault.names, text, provider)
        variants = {text, _filled(text, "0", runs), *self._literals_in(text, runs)}
        spoken = [f"{names} {each}".lower() for each in variants]
        numbered, index = self._with_numbers
        for number in index.possible("\n".join(spoken)):
            if len({numbered[number].found_in(each) for each in spoken}) > 1:
                return False
        probes = (_filled(text, probe, runs) for probe in _PROBES)
        return all(self._is(error, fault.names, probe, provider) for probe in probes)

    def _is(self, error: CrmError, names: list[str], text: str, provider: str | None) -> bool:
        fault = told_fault(names, text)
        case = Case(self._catalog, None, None, None, provider, fault, None, None)
        found = case.classified()
        return found == error and not case.answer.timed and fault.exchange is None

    @cached_property
    def _spoken(self) -> dict[str, Data]:
        """What rules look for in words, by its expression."""
        rows, keys = self._catalog.rows(), ("wording", "unless")
        return {source_of(each): each for row in rows for k in keys for each in row.get(k, ())}

    @cached_property
    def _with_numbers(self) -> tuple[list[Alternative], Index]:
        """Those of them that name a number, and which may be found in a text."""
        spoken = self._spoken.items()
        found = [Alternative(d) for s, d in spoken if _LITERAL.search(_QUANTIFIER.sub("", s))]
        return found, Index(numbers_of([each.needs for each in found]))

    @cached_property
    def _has_hex_rule(self) -> bool:
        """Whether an address in words could be what a rule looks for."""
        return any(map(_HEX.fullmatch, self._spoken))

    def _literals_in(self, text: str, runs: re.Pattern[str]) -> Iterator[str]:
        """Yield `text` with numbers that rules name, as others begin and as they end."""
        numbers: set[str] = set()
        for each in self._with_numbers[0]:
            for literal in _LITERAL.findall(_QUANTIFIER.sub("", each.source)):
                digits, _, choice = literal.partition("[")
                numbers.update(digits + last for last in _choices(choice[:-1]))
        for number in numbers:
            yield _aligned(text, number, runs, str.ljust)
            yield _aligned(text, number, runs, str.rjust)
            if runs is _LONG and runs.fullmatch(number):  # of any length
                yield runs.sub(number, text)


def _aligned(
    text: str, number: str, runs: re.Pattern[str], justify: Callable[[str, int, str], str]
) -> str:
    """Return `text` with `number` at one end of each run of digits that is long enough."""

    def fill(run: re.Match[str]) -> str:
        length = len(run[0])
        return run[0] if length < len(number) else justify(number, length, "0")

    return runs.sub(fill, text)


def _choices(choice: str) -> list[str]:
    """Return the digits of a set: ``5-9``, ``01``."""
    if not choice:
        return [""]
    first, dash, last = choice.partition("-")
    if dash and len(first) == len(last) == 1:
        return [str(digit) for digit in range(int(first), int(last) + 1)]
    return [each for each in choice if each.isdigit()]


def _without_addresses(text: str) -> str:
    return _ADDRESS.sub("0x0", text) if "0x" in text else text


def _alike(text: str) -> bytes:
    """Return `text`, encoded, with zeros for digits, and one address for all."""
    return _without_addresses(text).encode("utf-8", "surrogatepass").translate(_ZEROS)


def _filled(text: str, number: str, runs: re.Pattern[str]) -> str:
    """Return `text` with every run of digits replaced by digits of `number`, as many."""

    def fill(run: re.Match[str]) -> str:
        length = len(run[0])
        return (number * (length // len(number) + 1))[:length]

    return runs.sub(fill, text)


def recall_of(catalog: Catalog) -> Recall:
    """Return what is known of failures by the rules of `catalog`."""
    recall = catalog.recall
    if type(recall) is not Recall:
        recall = catalog.recall = Recall(catalog)
    return recall
