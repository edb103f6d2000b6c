"""The last answers: failures come in storms, and what was said once need not be thought out again.

A *situation* is what the answer depends on beside its body: status, provider, where the request
went, and the headers that rules look at, but no ids and times. Within one the same body has the
same answer, and so has every body of the same form (`crmlogging.errors.forms`), save its id.

Neither bodies nor headers are kept, only hashes. What a clock had its say in is not remembered.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import orjson

from crmlogging.errors.bodies import Document
from crmlogging.errors.case import Case
from crmlogging.errors.catalog import Catalog
from crmlogging.errors.forms import PROBES, Form, form_of
from crmlogging.errors.headers import lower_headers
from crmlogging.errors.heading import Heading, first_id
from crmlogging.errors.model import CrmError
from crmlogging.errors.naming import operation, split_url, without_numbers

__all__ = ["Memory", "memory_of"]

_SITUATIONS_KEPT: Final = 512
_PLACES_KEPT: Final = 4_096
_HEADINGS_KEPT: Final = 512
_ANSWERS_KEPT: Final = 256
_FORMS_KEPT: Final = 8
_FORMS_TRIED: Final = 32
"""Forms that are learnt in a situation while none of them is met again."""
_MAX_CHARACTERS: Final = 16_384
"""Length of a body beyond which it has no form."""
# In a pattern over paths: a segment that is a number.
_NUMBERED: Final = re.compile(r"/[(?:\[^]*(?:\\d|[0-9])")
_NUMBERS: Final = frozenset((int, type(None)))
_TEXTS: Final = frozenset((str, type(None)))
_NO_HEADERS: Final[dict[str, str]] = {}

# What orjson writes of other kinds may be read otherwise.
_PLAIN_VALUES: Final = (
    orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
)


class _Asked(NamedTuple):
    """What `crmlogging.errors.classify.classify` is asked."""

    status: Any
    headers: dict[str, Any]
    body: Any
    provider: Any
    method: Any
    url: Any


class _Known(NamedTuple):
    """What was answered.

    Attributes:
        error: the answer.
        names: headers that may hold the id of the request; the first that does counts.
    """

    error: CrmError | None
    names: tuple[str, ...] = ()

    def for_request(self, identity: str, headers: dict[str, Any]) -> CrmError | None:
        """Return the answer for a request; `identity` is what the body tells, or ""."""
        error, names = self
        if error is None:
            return None
        found: str | None = identity
        if not identity:
            if not names:
                return error
            found = first_id(headers, names)
        return error if found == error.request_id else error.with_request_id(found)


class _Situation:
    """Answers that differ in the body alone.

    Attributes:
        answers: by the hash of a body.
        forms: bodies with blanks; the one met last comes first.
        limited: answers depend on the headers of the limit as well: see the situations of these.
        limiting: it is one of those.
    """

    __slots__ = ("_missed", "_tried", "answers", "forms", "limited", "limiting")

    def __init__(self) -> None:
        self.answers: dict[int, _Known] = {}
        self.forms: list[tuple[Form, _Known]] = []
        self.limited = self.limiting = False
        self._missed = False
        self._tried = 0

    @property
    def wants_a_form(self) -> bool:
        """Whether bodies here differ, and forms help."""
        return self._missed and self._tried < _FORMS_TRIED

    def learn(self, form: Form | None, known: _Known) -> None:
        """Remember the answer to a form, or that a body had none."""
        self._tried += 1
        if form is not None:
            self.forms = [(form, known), *self.forms[: _FORMS_KEPT - 1]]

    def met(self, number: int) -> None:
        """Note that a body had that form."""
        self._tried = 0
        if number:
            forms = self.forms
            self.forms = [forms[number], *forms[:number], *forms[number + 1 :]]

    def keep(self, same: int, known: _Known) -> None:
        """Remember the answer to a body."""
        self._missed = True
        if len(self.answers) >= _ANSWERS_KEPT:
            self.answers.clear()
        self.answers[same] = known

    def split(self) -> None:
        """Leave the answers to situations with the headers of the limit."""
        self.limited = True
        self.answers, self.forms = {}, []


def memory_of(catalog: Catalog) -> Memory:
    """Return the memory of what was answered by the rules of `catalog`."""
    memory = catalog.memory
    if type(memory) is not Memory:
        memory = catalog.memory = Memory(catalog)
    return memory


class Memory:
    """Answers questions by one catalog; those it knows from memory."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._situations: dict[int, _Situation] = {}
        self._places: dict[int, int] = {}
        self._headings: dict[int, Heading] = {}
        keys = (provider.code_keys for provider in catalog.providers.values())
        self._code_keys = frozenset(key for each in keys for key in each)
        sources = (source for pattern in catalog.asked_paths for source in pattern.sources)
        self._counts_segments = any(_NUMBERED.search(source) for source in sources)

    @property
    def size(self) -> int:
        """How many answers are remembered."""
        return sum(len(each.answers) + len(each.forms) for each in self._situations.values())

    def forget(self) -> None:
        """Forget the answers."""
        self._situations.clear()

    def answer(
        self, status: Any, headers: Any, body: Any, provider: Any, method: Any, url: Any
    ) -> CrmError | None:
        """Return what `crmlogging.errors.classify.classify` does."""
        if type(headers) is not dict:
            headers = lower_headers(headers) if headers else _NO_HEADERS
        text = body if type(body) is str else _text_of(body)
        usual = type(status) in _NUMBERS and type(url) in _TEXTS and type(provider) in _TEXTS
        if text is None or not usual:
            case = Case(self._catalog, status, headers, body, provider, None, method, url)
            return case.classified()
        try:
            place = self._places.get(hash((method, url))) or self._place(method, url)
            heading = self._headings.get(hash(tuple(headers))) or self._heading(headers)
            key = hash((status, provider, place, heading.told(headers)))
            situation = self._situations.get(key)
            if situation is not None and situation.limited:
                key = hash((key, *heading.limits(headers)))
                situation = self._situations.get(key)
        except TypeError:  # names and values that are no text
            case = Case(self._catalog, status, headers, body, provider, None, method, url)
            return case.classified()
        same = hash(text) if text is body else hash((text, type(body)))
        if situation is not None:
            known = situation.answers.get(same)
            if known is not None:
                return known.for_request("", headers)
            for number, (form, known) in enumerate(situation.forms):
                identity = form.id_in(text)
                if identity is not None:
                    situation.met(number)
                    return known.for_request(identity, headers)
        asked = _Asked(status, headers, body, provider, method, url)
        return self._new_answer(asked, text, same, key, heading)

    def _new_answer(
        self, asked: _Asked, text: str, same: int, key: int, heading: Heading
    ) -> CrmError | None:
        """Think an answer out, and remember it unless a clock had its say."""
        document = None
        if type(asked.body) is dict or type(asked.body) is list:
            document = Document("json", orjson.loads(text))
        case = Case(self._catalog, *asked[:4], None, *asked[4:], document)
        error = case.classified()
        if case.answer.timed:
            return error
        situation = self._situation(key)
        if case.answer.limited and not situation.limiting and heading.has_limits:
            situation.split()
            situation = self._situation(hash((key, *heading.limits(asked.headers))))
            situation.limiting = True
        names: tuple[str, ...] = ()
        if case.id_place is None:
            names = heading.id_names(() if case.provider is None else case.provider.id_headers)
        known = _Known(error, names)
        if situation.wants_a_form and case.document.kind == "json" and len(text) <= _MAX_CHARACTERS:
            form = form_of(text, case.document.tree, self._code_keys, case.id_place)
            if form is not None and not self._holds(form, asked, text, error):
                form = None
            situation.learn(form, known)
        situation.keep(same, known)
        return error

    def _holds(self, form: Form, asked: _Asked, text: str, error: CrmError | None) -> bool:
        """Whether the answer is the same with something else in the blanks."""
        for words, number in PROBES:
            other = asked._replace(body=form.filled(text, words, number))
            found = Case(self._catalog, *other[:4], None, *other[4:]).classified()
            if _but_its_id(found) != _but_its_id(error):
                return False
        return True

    def _situation(self, key: int) -> _Situation:
        situation = self._situations.get(key)
        if situation is None:
            if len(self._situations) >= _SITUATIONS_KEPT:
                self._situations.clear()
            situation = self._situations[key] = _Situation()
        return situation

    def _heading(self, headers: dict[str, Any]) -> Heading:
        """Return how to look at headers of these names."""
        names = tuple(headers)
        if len(self._headings) >= _HEADINGS_KEPT:
            self._headings.clear()
        heading = self._headings[hash(names)] = Heading(self._catalog, names)
        return heading

    def _place(self, method: str | None, url: str | None) -> int:
        """Return a hash of what decides of where a request went: of no ids."""
        like = without_numbers(url) if url and not self._counts_segments else url
        place = self._places.get(hash((method, like)))
        if place is None:
            host, path = split_url(like)
            verb = method.upper() if type(method) is str and len(method) <= 16 else ""
            lower = path.lower()
            rules = tuple([pattern.found_in(lower) for pattern in self._catalog.asked_paths])
            place = hash((verb, host, operation(verb, path), rules))
        if len(self._places) >= _PLACES_KEPT:
            self._places.clear()
        self._places[hash((method, like))] = self._places[hash((method, url))] = place
        return place


def _but_its_id(error: CrmError | None) -> CrmError | None:
    return None if error is None else error.with_request_id(None)


def _text_of(body: object) -> str | None:
    """Return a body as text; None for one that is not to be remembered."""
    if body is None:
        return ""
    try:
        if type(body) is bytes:
            return body.decode()
        if type(body) is dict or type(body) is list:
            return orjson.dumps(body, option=_PLAIN_VALUES).decode()
    except (TypeError, ValueError):
        pass
    return None
