"""The whole search, every expression on every text: what a glance is judged by."""

from __future__ import annotations

from collections.abc import Callable

from crmlogging.scrubbing import addresses, disguises, named, numbers, packed, phones, tokens

__all__ = ["whole_search"]

_ROUNDS = 6
_LAYERS = 3


def whole_search(text: str) -> str:
    """Return what `scrub` has to return for `text`, without a hint, a glance or a memory."""
    bare = text.translate(disguises._folds)
    found = _settled(bare)
    plain = _until_same(lambda each: disguises._ESCAPE.sub(disguises._plain, each), found, _LAYERS)
    if plain != found:
        again = _settled(plain)
        found = again if again != plain else found
    return found if found != bare or bare == text else _settled(text)


def _until_same(change: Callable[[str], str], text: str, most: int) -> str:
    for _ in range(most):
        before, text = text, change(text)
        if text == before:
            break
    return text


def _settled(text: str) -> str:
    found = _until_same(_searched, text, _ROUNDS)
    return found if _searched(found) == found else "[REDACTED]"


def _searched(text: str) -> str:
    text = tokens._PRIVATE_KEY.sub("[KEY]", text)
    if "PuTTY" in text:
        text = tokens._PUTTY_KEY.sub("[KEY]", text)
    text = addresses._URL.sub(addresses._without_user_and_query, text)
    text = addresses._QUERY.sub(addresses._without_values, text)
    text = addresses._SPELLED.sub(addresses._without_spelled, addresses._without_addresses(text))
    text = named._SCHEME.sub(named._without_credentials, named._without_named_values(text))
    text = named._SPOKEN.sub(named._without_spoken, text)
    text = named._USER_OPTION.sub(named._without_user, text)
    text = tokens._LETTERED.sub(tokens._without_token, tokens._without_signed(text))
    text = tokens._INNER.sub(tokens._without_token, text)
    text = tokens._RANDOM.sub(
        tokens._without_random, tokens._BASE64.sub(tokens._without_base64, text)
    )
    text = _without_numbers(packed._RUN.sub(packed._without_packed, text))
    return phones._PHONES.sub(phones._without_phone, phones._NAMED.sub(phones._without_named, text))


def _without_numbers(text: str) -> str:
    found = _accounts(text)
    ids = [match.span() for match in numbers._MACHINE_IDS.finditer(text)]
    if found == text or not ids:
        return found
    kept, at = "", 0
    for start, end in ids:
        kept, at = f"{kept}{_accounts(text[at:start])}{text[start:end]}", end
    return kept + _accounts(text[at:])


def _accounts(text: str) -> str:
    return numbers._CARD.sub(numbers._without_card, numbers._ibans(text))
