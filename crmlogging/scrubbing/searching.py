"""The search itself: all expressions of the room, in their order."""

from __future__ import annotations

from typing import Final

from crmlogging.scrubbing.addresses import scrub_addresses
from crmlogging.scrubbing.disguises import decoded, folded
from crmlogging.scrubbing.glancing import (
    in_small_letters,
    kinds_of,
    may_hold_address,
    may_hold_card,
    may_hold_iban,
    may_hold_named,
    may_hold_phone,
    may_hold_token,
)
from crmlogging.scrubbing.named import scrub_named
from crmlogging.scrubbing.numbers import has_number, is_machine_id, scrub_numbers
from crmlogging.scrubbing.packed import PACKED_MINIMUM, has_packed, scrub_packed
from crmlogging.scrubbing.phones import scrub_phones
from crmlogging.scrubbing.tokens import has_token, scrub_keys, scrub_tokens

__all__ = ["is_secret", "seen_through"]

_WITHHELD: Final = "[REDACTED]"
_ROUNDS: Final = 6


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
    """Search `text` once, for what a glance does not rule out."""
    kinds, small = kinds_of(text), in_small_letters(text)
    if may_hold_address(text, kinds, small):
        text = scrub_addresses(scrub_keys(text))
        kinds, small = kinds_of(text), in_small_letters(text)
    if may_hold_named(text, kinds, small):
        text = scrub_named(text)
        kinds = kinds_of(text)
    if may_hold_token(text, kinds):
        text = scrub_packed(scrub_tokens(text))
        kinds = kinds_of(text)
    if may_hold_iban(kinds) or may_hold_card(kinds):
        text = scrub_numbers(text)
    return scrub_phones(text) if may_hold_phone(kinds) else text
