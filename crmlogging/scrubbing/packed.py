"""Text packed into base64 (RFC 4648, both alphabets) or hexadecimal.

Nobody writes a sentence so by hand: where a long run of letters and digits unpacks to printable
text, some program put a text there that it did not want to be read, or to be broken.
"""

from __future__ import annotations

import binascii
import re
from typing import Final

from crmlogging.scrubbing.glancing import may_hold_run

__all__ = ["PACKED_MINIMUM", "has_packed", "scrub_packed"]

PACKED_MINIMUM: Final = 20
"""Characters of the shortest packed text."""

_RUN: Final = re.compile(rf"[A-Za-z0-9+/_-]{{{PACKED_MINIMUM}}}[A-Za-z0-9+/_-]*+={{0,2}}+")
_HEX: Final = re.compile(r"[0-9a-f]+|[0-9A-F]+")
# A letter after f, or a sign, is no hexadecimal; at the start of a group of four it stands for a
# byte that is no ASCII.
_NO_TEXT: Final = re.compile(r"(?:.{4}){0,4}?[g-z+/_-]")
_URL_SAFE: Final = str.maketrans("-_", "+/")
# By chance a byte is printable in three of eight cases; in none of a billion all of these are.
_FEWEST_BYTES: Final = 14
_HEX_BYTES: Final = 10
_LONGEST: Final = 8_192


def scrub_packed(text: str) -> str:
    """Return `text` without packed texts."""
    return _RUN.sub(_without_packed, text) if may_hold_run(text, PACKED_MINIMUM) else text


def has_packed(value: str) -> bool:
    """Tell whether a run of `value` unpacks to a text.

    Example:
        >>> has_packed("dXNlcjphZGFAZXhhbXBsZS5jb20"), has_packed("crm-sync-nightly-contacts")
        (True, False)
    """
    return any(map(_is_packed, _RUN.findall(value)))


def _without_packed(match: re.Match[str]) -> str:
    return "[TOKEN]" if _is_packed(match[0]) else match[0]


def _is_packed(run: str) -> bool:
    if _NO_TEXT.match(run):
        return False
    run = run[:_LONGEST].rstrip("=")
    if len(run) % 2 == 0 and _HEX.fullmatch(run) and not run.isdecimal():
        return _is_text(binascii.unhexlify(run), _HEX_BYTES)
    whole = len(run) // 4 * 4  # the last, broken group adds nothing
    return _is_text(binascii.a2b_base64(run[:whole].translate(_URL_SAFE)), _FEWEST_BYTES)


def _is_text(packed: bytes, fewest: int) -> bool:
    if len(packed) < fewest or not packed.isascii():
        return False
    return packed.translate(None, b"\r\n\t").decode("ascii").isprintable()
