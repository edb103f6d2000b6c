"""What a body tells of one cause: codes, sentences, fields, and whether it failed at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from crmlogging.errors.text.late import late
from crmlogging.errors.text.shapes import Numeral, is_code

__all__ = ["Finding", "RawField"]

_WORD_CHARACTERS: Final = 2_000
_SENTENCE_CHARACTERS: Final = 8_000
_SENTENCES: Final = 100
_GOOD: Final = frozenset(
    "success ok succeeded successful complete completed accepted created updated done 0 200".split()
)
_BAD: Final = frozenset("error failure failed fail errored rejected false denied".split())
# What a code key may hold that is no code, and what weaker keys (type, name, reason) may hold.
_NO_CODES: Final = _GOOD | frozenset("error errors true false null none unknown failure".split())
_NO_WEAK_CODES: Final = (
    _NO_CODES
    | _BAD
    | frozenset(
        (
            "error.list error_list errors_list list object exception string problem api warning"
            " info fatal about:blank"
        ).split()
    )
)
_STRONG_RANK: Final = 2
_OWN_ORDER: Final = 50
# Whom SOAP blames (1.1 section 4.4.1, 1.2 section 5.4.6): less than any code in the detail.
_SOAP_SIDE: Final = re.compile(r"(?:[\w.-]{1,32}:)?(?:Server|Client|Receiver|Sender)\b", re.ASCII)
_BLAMING_RANK: Final = 40
_BLANK: Final = re.compile(r"\s")
_LEADING_CODE: Final = late(r"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b[:,\s]", re.ASCII)
_EMBEDDED_CODE: Final = late(r"\b[A-Z][A-Z0-9]{1,20}(?:_[A-Z0-9]{1,20}){1,8}\b|\bAADSTS\d{4,7}\b")
# Addresses under ``type`` that name no problem.
_GENERIC_TYPE: Final = late(
    r"httpstatus|tools\.ietf\.org|rfc-editor|w3\.org|datatracker|developer\.mozilla|/docs?/"
    r"|googleapis\.com/google\.rpc"
)
_TYPE_PARTS: Final = late(r"[/:#?]")
# "http status 401" and the like, where a number may stand.
_STATUS_TEXT: Final = late(r"([1-5]\d\d)(?:\s[A-Za-z -]{1,40})?", re.ASCII)
# What a record has, and what an answer that is none.
_RECORD_KEYS: Final = frozenset(("id", "Id", "object"))
_ERROR_KEYS: Final = frozenset(("error", "errors", "message", "errorMessage", "error_message"))


class RawField:
    """A field as a body names it, with what stands beside it."""

    __slots__ = ("code", "expected", "name", "words")

    def __init__(self, name: str, code: str = "", words: str = "", expected: str = "") -> None:
        self.name = name
        self.code = code
        self.words = words
        self.expected = expected


class Finding:
    """One cause that a body tells.

    Attributes:
        codes: (rank, code as spelled); the lower the rank, the more specific.
        details: codes of what stands below it, in order.
        quoted: what looks like a code in its sentences.
        leading: the one of those that a sentence begins with, or "".
        messages: sentences.
        fields: fields at fault.
        hints: other words beside the code, e.g. a limit's name.
        status: HTTP status of this part, where the body tells one.
        index: position of the record in a bulk answer, or None.
        failed: the body says explicitly that it failed (True) or not (False).
        mapped: its fields are a map's keys, with sentences about them.
        shift: added to ranks while an object below the top is read.
    """

    __slots__ = (
        *("codes", "details", "failed", "fields", "hints", "index", "leading", "mapped"),
        *("messages", "quoted", "shift", "status"),
    )

    def __init__(self, index: int | None = None, *, failed: bool | None = None) -> None:
        self.codes: list[tuple[int, str]] = []
        self.details: list[str] = []
        self.quoted: list[str] = []
        self.leading = ""
        self.messages: list[str] = []
        self.fields: list[RawField] = []
        self.hints: list[str] = []
        self.status: int | None = None
        self.index = index
        self.failed = failed
        self.mapped = False
        self.shift = 0

    @property
    def empty(self) -> bool:
        """Nothing was found."""
        return not (self.codes or self.messages or self.details or self.fields)

    @property
    def words(self) -> str:
        """All sentences in lower case, bounded."""
        if len(self.messages) == 1:
            return self.messages[0][:_WORD_CHARACTERS].lower()
        return " | ".join(self.messages)[:_WORD_CHARACTERS].lower()

    def ordered_codes(self) -> list[str]:
        """Return the codes as spelled, the most specific first."""
        if len(self.codes) > 1:
            self.codes.sort(key=_rank)
        return [code for _, code in self.codes]

    def say(self, text: str) -> None:
        """Keep a sentence, and the codes that stand in it."""
        if not text or len(self.messages) >= _SENTENCES:
            return
        text = text[:_SENTENCE_CHARACTERS]
        self.messages.append(text)
        if "_" in text:
            leading = _LEADING_CODE.match(text)
            if leading is not None and not self.leading:
                self.leading = leading[1]
            self.quoted.extend(code for code in _EMBEDDED_CODE.findall(text)[:8] if is_code(code))
        if "AADSTS" in text:  # Entra ID puts its own number before the sentence.
            self.hints.extend(_EMBEDDED_CODE.findall(text)[:8])

    def note_code(
        self, text: str, rank: int, own: int | None = None, status: int | None = None
    ) -> None:
        """Take what stands under a code key: a code, a problem type, or a sentence after all.

        Args:
            text: as the body has it.
            rank: of its key; the lower, the more specific.
            own: rank in the provider's own order, which goes before.
            status: HTTP status of the answer: a number equal to it is a code of last resort.
        """
        text = text if type(text) is Numeral else text.strip()
        lower = text.lower()
        if lower in _GOOD:
            if self.failed is None and rank <= _STRONG_RANK + 1 and lower != "200":
                self.failed = False
            return
        if lower in _BAD and rank <= _STRONG_RANK + 1:
            self.failed = True
        rank = own - _OWN_ORDER if own is not None else rank + self.shift
        if _SOAP_SIDE.match(text) is not None:
            rank += _BLAMING_RANK
        if "://" in text or lower.startswith("urn:"):
            self._note_type(text, rank)
        elif _BLANK.search(text) is not None:
            if own is not None and len(text) <= 60:
                self.codes.append((rank, text))
            else:
                self.say(text)
        elif lower not in (_NO_CODES if rank <= _STRONG_RANK else _NO_WEAK_CODES):
            if text.count("#") == 1:  # com.amazonaws.dynamodb#ThrottlingException
                text = text.partition("#")[2] or text
            if is_code(text):
                last_resort = text == str(status or self.status)
                self.codes.append((rank + 20 * last_resort, text))
            elif len(text) > 1:
                self.messages.append(text)

    def _note_type(self, uri: str, rank: int) -> None:
        """The last word of a problem type (RFC 9457 section 3.1.1), unless it names no problem."""
        if _GENERIC_TYPE.search(uri) is None:
            last = _TYPE_PARTS.split(uri.rstrip("/#"))[-1]
            if last and not last.isdigit() and is_code(last):
                self.codes.append((rank, last))

    def note_status(self, value: int) -> None:
        """Take an HTTP status that the body tells."""
        if 100 <= value < 600:
            self.status = value
            if value >= 400:
                self.failed = True
            elif self.failed is None and value >= 200:
                self.failed = False

    def note_outcome(self, text: str) -> bool:
        """Take "success", "error", "404 Not Found" or the like; False if it is nothing of that."""
        match = _STATUS_TEXT.fullmatch(text)
        lower = text.lower()
        if match is not None:
            self.note_status(int(match[1]))
        elif lower in _BAD:
            self.failed = True
        elif lower in _GOOD or lower == "true":
            self.failed = bool(self.failed)
        else:
            return False
        return True

    def merge(self, cause: Finding) -> None:
        """Take what a list of errors below a record says as the record's own."""
        self.failed = True
        if self.codes:
            self.details.extend(cause.ordered_codes())
        else:
            self.codes.extend(cause.codes)
        self.details.extend(cause.details)
        self.quoted.extend(cause.quoted)
        self.messages.extend(cause.messages[:20])
        self.fields.extend(cause.fields)
        self.hints.extend(cause.hints)
        self.status = self.status or cause.status
        self.mapped = self.mapped or cause.mapped
        self.leading = self.leading or cause.leading

    def add_detail(self, part: Finding) -> None:
        """Take what an object below a cause with its own code says: details of it."""
        self.details.extend(part.ordered_codes())
        self.details.extend(part.details)
        self.quoted.extend(part.quoted)
        self.hints.extend(part.hints)
        self.fields.extend(part.fields)
        self.messages.extend(part.messages[:20])
        self.mapped = self.mapped or part.mapped

    def is_a_record(self, node: Mapping[str, object]) -> bool:
        """Whether `node` is a record with a status of its own rather than an answer."""
        return not node.keys().isdisjoint(_RECORD_KEYS) and node.keys().isdisjoint(_ERROR_KEYS)


def _rank(code: tuple[int, str]) -> int:
    return code[0]
