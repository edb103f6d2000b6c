"""The rendered message, for ``messages="any"``: every text is shown, scrubbed and nothing else."""

from __future__ import annotations

from typing import Any, Final, cast

from crmlogging.scrubbing import scrub

__all__ = ["rendered"]

_MESSAGE_CHARACTERS: Final = 100_000
_SCALARS: Final = (str, int, float, bool, type(None))


def rendered(message: str, arguments: object) -> str:
    """Return ``message % arguments``, scrubbed; of foreign objects only a placeholder is shown.

    Example:
        >>> rendered("%s of %d for %s", ("1", 2, object()))
        '1 of 2 for [REDACTED]'
    """
    try:
        text = message if arguments is None else message % _plain(arguments)
    except (TypeError, ValueError, KeyError, OverflowError):
        text = message  # as the call has it: the arguments do not fit
    return scrub(text[:_MESSAGE_CHARACTERS])


def _plain(arguments: object) -> Any:
    if issubclass(type(arguments), dict):
        mapping = cast("dict[object, object]", arguments)
        return {key: _scalar(value) for key, value in dict.items(mapping) if type(key) is str}
    if type(arguments) is tuple:
        return tuple(_scalar(value) for value in arguments)
    return ()


def _scalar(value: object) -> object:
    return value if type(value) in _SCALARS else "[REDACTED]"
