"""The last answers: failures come in storms, and what was said once need not be thought out again.

A *situation* is what the answer depends on beside its body: status, provider, where the request
went, and the headers that rules look at, but no ids and times. Within one the same body has the
same answer, and so has every body of the same form (`crmlogging.errors.memory.forms`), save its id.

Neither bodies nor headers are kept, only hashes. What a clock had its say in is not remembered.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import orjson

from crmlogging.errors.answers.bodies import Document
from crmlogging.errors.answers.headers import lower_headers
from crmlogging.errors.catalog import Catalog
from crmlogging.errors.memory.forms import PROBES, Form, form_of
from crmlogging.errors.memory.headings import Heading
from crmlogging.errors.memory.situations import Known, Situation
from crmlogging.errors.model import CrmError
from crmlogging.errors.raised.glance import Glance
from crmlogging.errors.verdicts.case import Case
from crmlogging.errors.verdicts.operations import operation, split_url, without_numbers

__all__ = ["Memory", "memory_of"]

_SITUATIONS_KEPT: Final = 512
_PLACES_KEPT: Final = 4_096
_HEADINGS_KEPT: Final = 512
_MAX_CHARACTERS: Final = 16_384
"""Length of a body beyond which it has no form."""
# In a pattern over paths: a segment that is a number.
_NUMBERED: Final = re.compile(r"/[(?:\[^]*(?:\\d|[0-9])")
_DIGITS: Final = "0123456789"
_MAX_DIGITS: Final = 32
_MAX_STEM: Final = 2_000
_names: Final = dict.keys
"""Of an ordered dictionary at half the cost; put in another order since, they are unknown."""
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
        self._situations: dict[int, Situation] = {}
        self._places: dict[int, int] = {}
        self._stems: dict[int, int] = {}
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

    def recall(self, glance: Glance, provider: str | None) -> CrmError | None:
        """Return what was answered to that, save the request's id and delay; None if unknown.

        Raises:
            LookupError, TypeError, ValueError: headers or a body that `answer` looks at for long.
        """
        status, store, body, method, url = glance
        heading = self._headings.get(hash(tuple(_names(store))))
        if heading is None:
            return None
        stem = url.rstrip(_DIGITS)
        place = self._stems.get(hash((method, stem)))
        if place is None or not 0 < len(url) - len(stem) <= _MAX_DIGITS:
            place = self._places.get(hash((method, url))) or self._place(method, url)
        key = hash((status, provider, place, heading.told_in(store)))
        situation = self._situations.get(key)
        if situation is not None and situation.limited:
            situation = self._situations.get(hash((key, *heading.limits_in(store))))
        return None if situation is None else situation.met_with(body)

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
        known = Known(error, names)
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

    def _situation(self, key: int) -> Situation:
        situation = self._situations.get(key)
        if situation is None:
            if len(self._situations) >= _SITUATIONS_KEPT:
                self._situations.clear()
            situation = self._situations[key] = Situation()
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
        if url and like is not url and method:
            self._remember_stem(method, url, place)
        return place

    def _remember_stem(self, method: str, url: str, place: int) -> None:
        """Remember where addresses lead that end in another number."""
        stem = url.rstrip(_DIGITS)
        if stem[-1:] == "/" and len(stem) < _MAX_STEM and 0 < len(url) - len(stem) <= _MAX_DIGITS:
            if len(self._stems) >= _PLACES_KEPT:
                self._stems.clear()
            self._stems[hash((method, stem))] = place


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
