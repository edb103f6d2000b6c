"""Promises of `acceleration`: the same results, and nothing loaded for them."""

from __future__ import annotations

import subprocess
import sys
from zlib import crc32

from crmlogging.storage.acceleration import calm, fast_crc32
from crmlogging.storage.compression import new_compressor

_PROGRAM = """
import sys, zlib
from crmlogging.storage.acceleration import calm, fast_crc32
calm()
assert fast_crc32() is zlib.crc32
assert not {"isal.isal_zlib", "hashlib"} & set(sys.modules)
"""


class TestFastCrc32:
    def test_is_the_crc_of_zlib(self) -> None:
        """Whatever the length and the beginning; another one would call all segments damaged."""
        new_compressor()  # Loads isal, as whatever compresses does.
        fast = fast_crc32()
        assert fast is not crc32
        for length in (0, 1, 15, 16, 17, 63, 64, 257, 100_000):
            data = bytes(number * 7 % 251 for number in range(length))
            for before in (0, 1, 0xFFFF_FFFF):
                assert fast(data, before) == crc32(data, before)
        calm()

    def test_loads_nothing(self) -> None:
        """Where nothing compresses it is zlib's, and there is nothing to calm."""
        subprocess.run([sys.executable, "-c", _PROGRAM], check=True, timeout=60)
