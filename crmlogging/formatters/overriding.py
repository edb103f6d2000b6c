"""Who has the last word on a line: what a subclass overrides, or somebody puts on a formatter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["bytes_renderer", "overrides"]


def overrides(formatter: object, base: type, steps: Iterable[str]) -> bool:
    """Tell whether the class of `formatter` has one of `steps` in place of that of `base`."""
    kind = type(formatter)
    return any(getattr(kind, step) is not getattr(base, step) for step in steps)


def bytes_renderer(formatter: object) -> Callable[[Any], bytes] | None:
    """Return what renders a record to a line's bytes at once; None where text must be made.

    That is `format_bytes`, unless a ``format`` stands before it: in a subclass or on the object.
    """
    render: Callable[[Any], bytes] | None = getattr(formatter, "format_bytes", None)
    if render is None:
        return None
    for place in (formatter, *type(formatter).__mro__):
        steps = getattr(place, "__dict__", {})
        if "format_bytes" in steps:
            return render
        if "format" in steps:
            return None
    return render
