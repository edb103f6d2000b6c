"""The search itself: all expressions of the room, in their order."""

from __future__ import annotations

import re
from typing import Final

from crmlogging.scrubbing.addresses import scrub_addresses
from crmlogging.scrubbing.disguises import decoded, folded
from crmlogging.scrubbing.named import scrub_named
from crmlogging.scrubbing.numbers import has_number, is_machine_id, scrub_numbers
from crmlogging.scrubbing.packed import PACKED_MINIMUM, has_packed, scrub_packed
from crmlogging.scrubbing.phones import scrub_phones
from crmlogging.scrubbing.tokens import has_token, scrub_keys, scrub_tokens

__all__ = ["is_secret", "seen_through"]

_WITHHELD: Final = "[REDACTED]"
_ROUNDS: Final = 6
_DIGIT: Final = re.compile(r"[0-9]")


def is_secret(value: str) -> bool:
    """Tell whether a word of some length is a secret by its form."""
    if len(value) < PACKED_MINIMUM:  # too short for a machine's id as well
        return has_token(value) or has_number(value)
    if is_machine_id(value):
        return "-" not in value and has_packed(value)
    return has_token(value) or has_number(value) or has_packed(value)


def seen_through(text: str) -> str:
    """Search `text` also without its disguises; without need they are left on."""
    bare = text if text.isascii() else folded(text)
    found = _settled(bare)
    plain = decoded(found)
    if plain != found:
        again = _settled(plain)
        found = again if again != plain else found
    if found != bare or bare == text:
        return found
    return _settled(text)


def _settled(text: str) -> str:
    """Search again until nothing more is found: a placeholder may uncover what stands beside it."""
    for _ in range(_ROUNDS):
        before, text = text, _searched(text)
        if text == before:
            return text
    return _WITHHELD


def _searched(text: str) -> str:
    text = scrub_packed(scrub_tokens(scrub_named(scrub_addresses(scrub_keys(text)))))
    return scrub_phones(scrub_numbers(text)) if _DIGIT.search(text) else text
