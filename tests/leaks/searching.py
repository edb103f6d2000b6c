"""Finds secrets in what was written, whole or in part, plain or in an encoding.

Every piece of ten characters of a secret, of its reverse and its base64 form is looked for, so
half a secret, or the rest of a truncated one, is found as well.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Final

__all__ = ["Secrets"]

_NUMBERS: Final = re.compile(rb"(?:\d{2,3}[, ]{1,2}){7,}\d{2,3}")
_RUN: Final = re.compile(r"[a-z0-9+/=_-]{10,}")
_PIECE: Final = 10
_HEX_PIECE: Final = 20


class Secrets:
    """The secrets of a run of the battery, each with the number of its case."""

    def __init__(self) -> None:
        self._pieces: dict[int, dict[str, set[int]]] = {_PIECE: {}, _HEX_PIECE: {}}

    def add(self, case: int, text: str) -> None:
        """Look for `text` from now on."""
        for size, form in _forms(text):
            for piece in _pieces(form, size):
                self._pieces[size].setdefault(piece, set()).add(case)

    def found_in(self, written: bytes) -> set[int]:
        """Return the cases whose secret stands in `written`."""
        found: set[int] = set()
        for text in (written, *_listed_bytes(written)):
            # A set: most of what is written is names of fields, again and again.
            for run in set(_RUN.findall(text.decode("utf-8", "replace").lower())):
                for size, known in self._pieces.items():
                    for piece in _pieces(run, size):
                        if piece in known:
                            found |= known[piece]
        return found


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(len(text) - size + 1))


def _forms(text: str) -> Iterator[tuple[int, str]]:
    """Yield the forms in which a text may come out, with the size of the pieces that tell it."""
    encoded = text.encode("utf-8", "surrogatepass")
    yield _PIECE, text.lower()
    yield _PIECE, text[::-1].lower()
    yield _HEX_PIECE, encoded.hex()  # nearly all digits: ten could be those of a time
    for shift in range(3):  # where the text begins within a group of three bytes
        # The ends of what comes out depend on the neighbours.
        inner = base64.b64encode(b"\0" * shift + encoded).decode().rstrip("=")[4:-2].lower()
        yield _PIECE, inner
        yield _PIECE, inner.replace("+", "-").replace("/", "_")


def _listed_bytes(written: bytes) -> Iterator[bytes]:
    """Yield what stands there as numbers: ``[99, 97, 110]``."""
    for match in _NUMBERS.finditer(written):
        numbers = [int(each) for each in re.findall(rb"\d+", match[0])]
        yield bytes(number for number in numbers if number < 256)
