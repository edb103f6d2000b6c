"""A mapping to one physical line of JSON, whatever is in it.

RFC 8259, strict UTF-8, no character that a reader or a terminal could take for the end of a
line or for a command. orjson does the work; what it refuses is made plain first and encoded
again, so that encoding cannot fail.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import orjson

__all__ = ["ESCAPES", "encode", "one_line"]

# Escaped although JSON allows them raw: DEL and C1 (U+0085 ends a line for splitlines), the
# line and paragraph separators, what turns or hides text or is not seen at all (the soft hyphen,
# zero widths, tags), the byte order mark.
_UNSAFE: Final = (
    "[\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_MAX_DEPTH: Final = 32
_MAX_ITEMS: Final = 1_000

_Default = Callable[[Any], Any]


def one_line(line: bytes) -> bytes:
    r"""Return JSON `line` with every unsafe character as a ``\u`` escape.

    Example:
        >>> one_line(orjson.dumps("a\u2028b")).decode()
        '"a\\u2028b"'
    """
    if line.isascii() and b"\x7f" not in line:
        return line
    return _unsafe().sub(_escape, line.decode()).encode()


@cache
def _unsafe() -> re.Pattern[str]:
    return re.compile(_UNSAFE)  # Here: dear, and many a service writes ASCII only.


def _escape(match: re.Match[str]) -> str:
    return _escaped(match[0])


def _escaped(text: str) -> str:
    """Return `text` as JSON escapes it: in UTF-16, so beyond U+FFFF a pair."""
    units = text.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _escape_unknown(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return _escaped(error.object[error.start : error.end]), error.end


ESCAPES: Final = "crmlogging.escapes"
"""Name of an error handler of `str.encode`: what the encoding has not is escaped as in JSON."""
codecs.register_error(ESCAPES, _escape_unknown)


def encode(fields: Mapping[Any, Any], default: _Default | None = None, option: int = 0) -> bytes:
    """Return `fields` as one line of JSON, in UTF-8, without a newline.

    Args:
        fields: any mapping; values that no JSON type fits go through `default`.
        default: gives a JSON value for another one, as for `orjson.dumps`.
        option: `orjson` options; with ``OPT_INDENT_2`` the answer has several lines.
    """
    try:
        if default is None and not option:
            try:
                return one_line(orjson.dumps(fields))  # names are text nearly always
            except TypeError:
                pass
        return one_line(orjson.dumps(fields, default=default, option=option))
    except Exception:  # noqa: BLE001  # lone surrogates, cycles, huge numbers, keys of other types
        return one_line(orjson.dumps(_plain(fields, default, 0), option=option))


def _plain(value: Any, default: _Default | None, depth: int) -> Any:
    """Return `value` in types that `orjson.dumps` takes, cut at a bounded depth and width."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (int, float)):
        return _number(value)
    if depth >= _MAX_DEPTH:
        return "[TRUNCATED]"
    if isinstance(value, dict):
        plain: dict[str, Any] = {}
        for key, item in list(value.items())[:_MAX_ITEMS]:
            name = _key(key)
            # ``5`` and ``"5"`` are one name in JSON, and no name stands twice.
            while name in plain:
                name = f"{name}#{len(plain)}"
            plain[name] = _plain(item, default, depth + 1)
        if len(value) > _MAX_ITEMS:
            plain["[TRUNCATED]"] = len(value) - _MAX_ITEMS
        return plain
    if isinstance(value, (list, tuple)):
        listed = [_plain(item, default, depth + 1) for item in value[:_MAX_ITEMS]]
        return [*listed, "[TRUNCATED]"] if len(value) > _MAX_ITEMS else listed
    return _foreign(value, default, depth)


def _foreign(value: Any, default: _Default | None, depth: int) -> Any:
    try:
        return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))
    except Exception:  # noqa: BLE001  # no type of orjson's
        pass
    try:
        return _plain(default(value) if default else None, default, depth + 1)
    except Exception:  # noqa: BLE001  # a default that raises or refuses
        return "__could_not_encode__"


def _text(value: str) -> str:
    return (
        str(value)
        .encode("utf-8", "replace" if value.isascii() else "surrogatepass")
        .decode("utf-8", "replace")
    )


def _number(value: float) -> Any:
    """Numbers JSON has; an int beyond 64 bits keeps its first digits as text."""
    if isinstance(value, int):
        if -(2**63) <= value < 2**64:
            return int(value)
        return f"[INTEGER OF {value.bit_length()} BITS]"
    return float(value)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return _text(key)
    if key is None or isinstance(key, (bool, int, float)):
        return str(orjson.dumps(_number(key) if key is not None else None), "ascii").strip('"')
    try:
        (name,) = orjson.loads(orjson.dumps({key: 0}, option=orjson.OPT_NON_STR_KEYS))
    except Exception:  # noqa: BLE001  # no key of orjson's
        return f"[{type(key).__name__}]"
    return str(name)
