"""What isal does faster than zlib, where it is loaded, and the price of its speed paid back.

isal (its assembly for AVX and AVX-512) returns with the upper halves of the vector registers in
use. Until somebody executes VZEROUPPER, all SSE code of that thread pays for it (Intel 64 and IA-32
Architectures Optimization Reference Manual, "Mixing AVX code with SSE code"; measured: base64 of
twelve bytes 55 -> 210 ns, `orjson.dumps` of twenty fields 430 -> 740 ns).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final
from zlib import crc32

__all__ = ["calm", "fast_crc32"]

_ISAL: Final = "isal.isal_zlib"
_SOMETHING: Final = bytes(128)  # What fills a block of SHA-512.


def fast_crc32() -> Callable[[bytes, int], int]:
    """Return isal's `crc32`, ten times as fast, where something compresses, else zlib's.

    Who has used it says `calm` after a while, before much else is done.
    """
    # To import it here, in some thread, might meet a fork, whose child would wait for the
    # import's lock for ever.
    return getattr(sys.modules.get(_ISAL), "crc32", crc32)


def calm() -> None:
    """Have this thread's SSE code run at its usual speed again, after whatever isal did."""
    if _ISAL in sys.modules:
        import hashlib  # Loaded long since, by what loaded isal; not where nothing is compressed.

        hashlib.sha512(_SOMETHING)  # OpenSSL's ends with VZEROUPPER, wherever there is AVX.
