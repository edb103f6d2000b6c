"""Regular expressions that are compiled when they are first asked.

Each takes a tenth of a millisecond or more, and most errors ask few of them. Those that nearly
every error asks are compiled with their modules, which is when `ErrorFilter` is built.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast

__all__ = ["late"]

_ASKED: Final = ("search", "match", "fullmatch", "sub", "split", "findall", "finditer")


class _Late:
    """Stands for a pattern; once it was asked, its methods are those of the pattern."""

    def __init__(self, source: str, flags: int) -> None:
        self._asked = (source, flags)

    def __getattr__(self, name: str) -> Any:
        if name not in _ASKED:
            raise AttributeError(name)
        pattern = re.compile(*self._asked)
        vars(self).update({each: getattr(pattern, each) for each in _ASKED})
        return getattr(pattern, name)


def late(source: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern that is compiled at its first use.

    Example:
        >>> late("b+").search("abbc")[0]
        'bb'
    """
    return cast(re.Pattern[str], _Late(source, flags))
