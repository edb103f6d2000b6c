"""URL paths as route templates: what is no word of a known route becomes ``{id}``.

An id cannot be told from a route's word by its looks, nor can a customer's: "/contacts/maria" and
"/jobs/ingest" look alike. So a word is shown only if it is known (`crmlogging.fields.route_words`)
or made of known ones, as in "/custom-fields" and "/sobjects/OpportunityLineItem".
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from crmlogging.fields.route_words import words

__all__ = ["KEPT", "template"]

_ID: Final = "{id}"
_KEY: Final = "({id})"
_VERSION: Final = r"v[0-9]{1,2}(?:\.[0-9]{1,2})?"
# A part that holds a digit is no word of a route, unless it is a version or one of these.
_NUMBERED: Final = (
    rf"(?<=/)(?!(?:{_VERSION}|oauth2|[Pp]roduct2|[Pp]ricebook2)(?:\({{id}}\))?(?:/|\Z))"
    r"[^/0-9]*+[0-9][^/]*+"
)
# "accounts(0001-...)", "A_Product('7')": a key of OData (version 4.01, part 2, 4.3.1).
_PREDICATE: Final = r"\([^()/]*\)(?=/|\Z)"
_FIXED: Final = rf"{_VERSION}|"
# "{contact_id}", where the path is a template already.
_PARAMETER: Final = r"\{[a-z]+(?:_[a-z]+)*\}"
_PARAMETERS: Final = frozenset("guid pk slug uuid".split())
_JOINED: Final = r"[A-Za-z]+(?:[-_.:]{1,2}[A-Za-z]+)*"
_PIECE: Final = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+"
# Behind one of these, "/tenant/new-wave", and behind all plurals, it is somebody's own name.
_NAMED: Final = frozenset(
    "campaign client company customer domain list org organisation organization partner portal"
    " project segment site supplier team tenant vendor workspace".split()
)
_CHARACTERS: Final = 64
KEPT: Final = 1_024
known: Final[set[str]] = set()
"""Templates met before."""


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)  # Here: dear for an import, and many log no path.


def template(path: str) -> str:
    """Return the route of `path`, without query and fragment.

    Example:
        >>> template("/crm/v3/objects/contacts/4711?email=a@b.example")
        '/crm/v3/objects/contacts/{id}'
        >>> template("/services/data/v59.0/jobs/ingest/7505fEXAMPLE/batches")
        '/services/data/v59.0/jobs/ingest/{id}/batches'
        >>> template("/api/data/v9.2/accounts(0f1b)/primarycontactid/$ref")
        '/api/data/v9.2/accounts({id})/primarycontactid/$ref'
        >>> template("/contacts/maria")
        '/contacts/{id}'
    """
    path = path.partition("?")[0].partition("#")[0]
    if "(" in path:
        path = _compiled(_PREDICATE).sub(_KEY, path)
    path = _compiled(_NUMBERED).sub(_ID, path)
    if path in known:
        return path
    route: list[str] = []
    after = ""
    for part in path.split("/"):
        name = part.removesuffix(_KEY)
        route.append(part if _is_word(name, after) else _ID)
        after = name.lower() or after
    shown = "/".join(route)
    if shown == path:
        if len(known) >= KEPT:
            known.clear()
        known.add(shown)
    return shown


def _is_word(part: str, after: str) -> bool:
    """Tell whether `part` belongs to a route, behind the part `after`."""
    word = part.removeprefix("$").removeprefix(".")  # "/$batch", "/.well-known"
    if len(word) > _CHARACTERS:
        return False
    if word.lower() in words() or _compiled(_FIXED).fullmatch(word):
        return True
    if _compiled(_PARAMETER).fullmatch(word):
        return {*word[1:-1].split("_")} - words() <= _PARAMETERS
    if after.endswith("s") or after in _NAMED or not _compiled(_JOINED).fullmatch(word):
        return False
    return all(each.lower() in words() for each in _compiled(_PIECE).findall(word))
