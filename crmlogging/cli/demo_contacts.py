"""The demo's contacts: made up, equal for equal seeds, and all that must not get out of a log.

E-mail addresses end in ``.example`` (RFC 2606), telephone numbers are 555-0100 to 555-0199
(reserved for fiction in the North American Numbering Plan).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

__all__ = ["Contact", "contacts", "secrets_of", "token"]

_GIVEN: Final = (
    *("Ada", "Amara", "Björn", "Carmen", "Chiara", "Dmitri", "Elif", "Emeka", "Fatima", "Grace"),
    *("Hana", "Ines", "Jonas", "Kwame", "Lena", "Mateo", "Nadia", "Oskar", "Priya", "Quentin"),
    *("Rosa", "Samira", "Tomás", "Uma", "Viktor", "Wanjiru", "Ximena", "Yusuf", "Zofia", "Noor"),
)
_FAMILY: Final = (
    *("Abara", "Berg", "Castellan", "Dvorak", "Eriksen", "Fontaine", "Grünwald", "Haddad"),
    *("Ivanova", "Jansen", "Kowalska", "Lindqvist", "Moreau", "Nakata", "Okafor", "Pereira"),
    *("Quispe", "Rahimi", "Santoro", "Tanaka", "Ueda", "Vasquez", "Weiss", "Yildiz", "Zamora"),
)
_COMPANIES: Final = (
    *("northlake", "kestrelfarms", "sunline", "lotusworks", "brightmill", "harborline"),
    *("oakandash", "bluequarry", "redkite", "silverbirch"),
)
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LETTERS: Final = {"ö": "oe", "ü": "ue", "á": "a"}

PORTAL_TOKEN_PREFIX: Final = "ptk_"


@dataclass(frozen=True, slots=True)
class Contact:
    """One person.

    Attributes:
        id: external id, fit for a log.
        given, family, email, phone: as people know them; ``phone`` as ``+1 202 555 0147``.
        portal_token: opens the person's own page; begins with `PORTAL_TOKEN_PREFIX`.
    """

    id: str
    given: str
    family: str
    email: str
    phone: str
    portal_token: str

    def as_payload(self) -> dict[str, Any]:
        """Return all of it, as a service would send or, unwisely, log it."""
        return asdict(self)


def contacts(number: int, seed: int) -> list[Contact]:
    """Return `number` contacts (at most 80,000), with distinct addresses and telephone numbers."""
    rng = random.Random(seed)
    phones = rng.sample(range(80_000), number)
    return [_contact(index, phones[index], rng) for index in range(number)]


def _contact(index: int, phone: int, rng: random.Random) -> Contact:
    given, family = rng.choice(_GIVEN), rng.choice(_FAMILY)
    local = f"{given}.{family}{index}".lower()
    for letter, plain in _LETTERS.items():
        local = local.replace(letter, plain)
    area, line = divmod(phone, 100)
    return Contact(
        id=f"c-{index + 1:06d}",
        given=given,
        family=family,
        email=f"{local}@{rng.choice(_COMPANIES)}.example",
        phone=f"+1 {200 + area} 555 01{line:02d}",
        portal_token=token(PORTAL_TOKEN_PREFIX, rng),
    )


def token(prefix: str, rng: random.Random) -> str:
    """Return a made-up token of 24 random characters behind `prefix`."""
    return prefix + "".join(rng.choices(_ALPHABET, k=24))


def secrets_of(people: Sequence[Contact]) -> dict[str, set[str]]:
    """Return what must not occur anywhere, under a part that all of it has in common.

    A search looks for the common part first: that keeps it linear in the size of what it
    searches, however many contacts there are. All in lower case.
    """
    emails, phones, tokens = set(), set(), set()
    for person in people:
        emails.add(person.email.lower())
        emails.add(person.email.lower().replace("@", "%40"))
        digits = person.phone.replace(" ", "")
        area, line = digits[2:5], digits[8:]
        phones |= {person.phone, digits, f"({area}) 555-{line}", f"{area}-555-{line}"}
        phones.add(f"{area} 555 {line}")
        tokens.add(person.portal_token.lower())
    secrets = {".example": emails, "555": phones, PORTAL_TOKEN_PREFIX: tokens}
    for person in people:
        names = secrets.setdefault(person.family.lower(), set())
        names.add(f"{person.given} {person.family}".lower())
    return secrets
